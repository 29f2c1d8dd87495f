import type { Column } from './column.ts'
import type { Schema } from './types.ts'

/**
 * A mark inside a batch (rulings 23): before row `row` is processed the watermark has reached `watermark`
 * (microseconds). Marks come in ascending order of both; they stand only where an instant was crossed that some
 * operator asked for. `row` may equal the number of rows: the mark then follows the last row.
 */
export interface Mark {
  readonly row: number
  readonly watermark: number
}

/** Where the rows came from; kept until the stateless prefix is done. */
export interface Provenance {
  readonly split: string
  /** Row ordinal in the split of the first row (0-based); rows rejected by the decoder count. */
  readonly rowOrdinal: number
  /** For row i, its ordinal is `rowOrdinal + ordinals[i]`; absent when no record was rejected. */
  readonly ordinals?: Int32Array | undefined
  /** Record of row i in `slab`: `[recordStarts[i], recordEnds[i])`; absent when the source has no bytes. */
  readonly slab?: Uint8Array | undefined
  readonly recordStarts?: Uint32Array | undefined
  readonly recordEnds?: Uint32Array | undefined
  /** Wall time at which the batch was made, microseconds. */
  readonly ingestMicros: number
  /** Row i of the batch is row `rows[i]` of the arrays above; absent when no row was left out since. Valid as the batch. */
  readonly rows?: Int32Array | undefined
}

/** Ordinal in the split of a row of the batch that `provenance` belongs to. */
export function ordinalOf({ rowOrdinal, ordinals, rows }: Provenance, row: number): number {
  const at = rows?.[row] ?? row
  return rowOrdinal + (ordinals?.[at] ?? at)
}

/** The original bytes of a row of the batch that `provenance` belongs to, copied; undefined when the source has none. */
export function recordOf({ slab, recordStarts, recordEnds, rows }: Provenance, row: number): Uint8Array | undefined {
  const at = rows?.[row] ?? row
  const start = recordStarts?.[at]
  return slab === undefined || start === undefined ? undefined : slab.slice(start, recordEnds![at])
}

/** Bytes of the records of a batch as they were read, what separates them included; 0 when the source has none. */
export function recordBytes({ rows, provenance }: Batch): number {
  if (provenance === undefined || rows === 0) return 0
  const { recordStarts, recordEnds, rows: kept } = provenance
  if (recordStarts === undefined || recordEnds === undefined) return 0
  return recordEnds[kept?.[rows - 1] ?? rows - 1]! - recordStarts[kept?.[0] ?? 0]!
}

/**
 * Rows in columns. A batch and all its columns are valid only until the receiver has returned (for a sink: until the
 * promise of `write` is settled); nothing between connectors keeps one.
 */
export interface Batch {
  readonly schema: Schema
  /** 1 … 16 384. */
  readonly rows: number
  readonly columns: readonly Column[]
  /** One `ChangeCode` per row; absent: every row is an insert. */
  readonly changes?: Uint8Array | undefined
  readonly marks?: readonly Mark[] | undefined
  /**
   * The watermark that each row is judged against (microseconds, −Infinity before the first), for operators without a
   * grid; only when the plan asked for it.
   */
  readonly watermarks?: Float64Array | undefined
  readonly provenance?: Provenance | undefined
}
