export interface BenchRun {
  /** Fail when a bar is not reached. */
  readonly check: boolean
  readonly records: number | undefined
  readonly pairs: number | undefined
}

export interface Bench {
  readonly name: string
  /** True when every bar was reached (or none was to be checked). */
  run(run: BenchRun): boolean | Promise<boolean>
}
