import type { RowBalance } from './row-balance.ts'

/** How far a run is. */
export interface Progress {
  readonly rowsIn: number
  readonly rowsOut: number
  readonly lateRows: number
  readonly deadLetters: number
}

/** What a run did. */
export interface Digest {
  /** False when it was stopped before the end of its input. */
  readonly complete: boolean
  readonly rowsIn: number
  /** Batches that the rows came in. */
  readonly batchesIn: number
  /** Of the records, where the sources have bytes; those of earlier runs that are gone on from included. */
  readonly bytesIn: number
  /** By target; `published` is false where a stopped run left the target as it was. */
  readonly rowsOut: readonly { readonly target: string; readonly rows: number; readonly published: boolean }[]
  readonly lateRows: number
  /** Rows that were dead-lettered, skipped or printed, by code. */
  readonly rejected: ReadonlyMap<string, number>
  /** Sources with records that did not fit columns told from a sample that ended before them. */
  readonly misfits: readonly string[]
  readonly elapsedMs: number
  /** Where the records went; undefined where the query is not row to row. */
  readonly balance?: RowBalance | undefined
  /** What the first start found: a part of the work done, or all of it. */
  readonly resumed?: 'part' | 'complete' | undefined
  /** The last epoch that is committed everywhere; undefined without checkpoints. */
  readonly epoch?: bigint | undefined
}
