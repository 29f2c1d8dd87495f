/** One benchmark of a file pipeline: ours, DuckDB at its best, and how their results are compared. */
export interface PipelineBench {
  readonly name: string
  /** The script, reading `input` and writing `output` (paths as SQL text). */
  readonly script: (paths: { readonly input: string; readonly output: string }) => string
  /** Formulations of the same work for DuckDB; the fastest is the peer. */
  readonly duckdb: readonly ((paths: { readonly input: string; readonly output: string }) => string)[]
  /** Columns of the result: exact ones are compared as text, doubles within 1e-12 · Σ|x|. */
  readonly key: readonly string[]
  readonly exact: readonly string[]
  readonly doubles: readonly string[]
  readonly data: 'clicks' | 'clicks-odd' | 'clicks-csv'
  /** Bars on the ratio of CPU seconds, peer ÷ ours. */
  readonly bars: readonly { readonly peer: 'duckdb' | 'node'; readonly min: number; readonly percentile: number }[]
}
