import type { KeyTable } from '../../kernels/key-table.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'

/** The canonical bytes of all keys of a table, by slot. */
export function writeKeys(out: StateWriter, table: KeyTable): void {
  const { size } = table
  out.fill(size, 4, (bytes) => table.copyLengths(new Uint32Array(bytes.buffer, bytes.byteOffset, size)))
  out.fill(table.keyBytes, 1, (bytes) => table.copyKeys(bytes))
}

/** Fills an empty table with them: every key gets the slot that it had. */
export function readKeys(state: StateReader, table: KeyTable): void {
  const list = { lengths: state.u32s(), keys: state.bytes() }
  if (!table.importKeys(list)) state.refuse('has keys that are no list of different keys')
}
