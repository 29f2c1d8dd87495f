import type { Shape } from '../lib/shapes.ts'

/** As SQL text, quoted. */
export interface Paths {
  readonly input: string
  readonly output: string
}

/** One benchmark of a file pipeline: ours, DuckDB at its best, and how their results are compared. */
export interface PipelineBench {
  readonly name: string
  /** The script, reading `input` and writing `output` (paths as SQL text). */
  readonly script: (paths: Paths) => string
  /** Formulations of the same work for DuckDB; the fastest is the peer. */
  readonly duckdb: readonly ((paths: Paths) => string)[]
  /** Columns of the result: exact ones are compared as text, doubles within 1e-12 · Σ|x|. */
  readonly key: readonly string[]
  readonly exact: readonly string[]
  readonly doubles: readonly string[]
  /** Makes the input (once) and gives its path. */
  readonly data: (records: number, directory: string) => string
  /** Bars on the ratio of CPU seconds, peer ÷ ours. */
  /** The same work over a record shape drawn from the commit, when there is one. */
  readonly drawn?: ((shape: Shape) => PipelineBench) | undefined
  /** Shapes may nest. */
  readonly nested: boolean
  /** Least ratio of any drawn shape; the median shape holds the bar of DuckDB. */
  readonly drawnMin: number
  readonly bars: readonly { readonly peer: 'duckdb' | 'node'; readonly min: number; readonly percentile: number }[]
}
