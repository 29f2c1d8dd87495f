import { type Batch, ordinalOf } from '../../core/batch.ts'
import { CHANGE, type ChangeCode } from '../../core/change.ts'
import { type BatchBuilder, rowAt } from '../../core/row-batch.ts'
import { StateReader } from '../../state/state-reader.ts'
import { StateWriter } from '../../state/state-writer.ts'

/** A batch as bytes: its rows with their changes, and the place of the first in its split where that is known. */
export function batchBytes(batch: Batch): Uint8Array {
  using out = new StateWriter()
  const { provenance } = batch
  out.bool(provenance !== undefined)
  if (provenance !== undefined) {
    out.text(provenance.split)
    out.f64(ordinalOf(provenance, 0))
  }
  out.u32(batch.rows)
  for (let row = 0; row < batch.rows; row++) {
    const { values, change } = rowAt(batch, row)
    out.u8(change)
    out.values(values)
  }
  return Buffer.concat([...out.chunks()])
}

/** The batch again, in the builder; valid until its next reset. */
export function batchOf(bytes: Uint8Array, builder: BatchBuilder): Batch {
  const state = new StateReader(bytes, 'spool')
  builder.reset()
  const place = state.bool() ? { split: state.text(), rowOrdinal: state.f64() } : undefined
  for (let rows = state.u32(); rows > 0; rows--) {
    const change = state.u8() as ChangeCode
    builder.append(state.values(), change in NAMES ? change : CHANGE.insert)
  }
  state.end()
  return builder.finish(place === undefined ? undefined : { ...place, ingestMicros: 0 })
}

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(CHANGE).map(([name, code]) => [code, name]),
)
