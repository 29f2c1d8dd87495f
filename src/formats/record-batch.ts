import type { Batch, Provenance } from '../core/batch.ts'
import type { Column } from '../core/column.ts'
import type { Schema } from '../core/types.ts'
import type { Decoded, Reject } from './decoder.ts'

/** One scan: `count` records, of which `rows` became rows. */
export interface ScannedRecords {
  readonly split: string
  readonly slab: Uint8Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly count: number
  readonly rows: number
  /** Row i came from record rowRecord[i]; looked at only when some record was rejected. */
  readonly rowRecord: Uint32Array
  /** Ordinal in the split of the first record. */
  readonly ordinal: number
  readonly ingestMicros: number
}

/** A scan's rows and rejects with where they came from. */
export function decodedOf(
  scanned: ScannedRecords,
  schema: Schema,
  columns: readonly Column[],
  rest: { readonly rejects: readonly Reject[]; readonly nextByte: number },
): Decoded {
  const { rows, count, ordinal } = scanned
  const next = { byte: rest.nextByte, ordinal: ordinal + count }
  if (rows === 0) return { batch: undefined, rejects: rest.rejects, next }
  const batch: Batch = { schema, rows, columns, provenance: provenanceOf(scanned) }
  return { batch, rejects: rest.rejects, next }
}

function provenanceOf(scanned: ScannedRecords): Provenance {
  const { split, slab, rows, count, ordinal, ingestMicros } = scanned
  if (rows === count) {
    const { starts: recordStarts, ends: recordEnds } = scanned
    return { split, rowOrdinal: ordinal, slab, recordStarts, recordEnds, ingestMicros }
  }
  const ordinals = new Int32Array(rows)
  const recordStarts = new Uint32Array(rows)
  const recordEnds = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) {
    const record = scanned.rowRecord[row]!
    ordinals[row] = record
    recordStarts[row] = scanned.starts[record]!
    recordEnds[row] = scanned.ends[record]!
  }
  return { split, rowOrdinal: ordinal, ordinals, slab, recordStarts, recordEnds, ingestMicros }
}
