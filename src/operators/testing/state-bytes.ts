import { HeadraceError } from '../../core/errors.ts'
import { StateReader } from '../../state/state-reader.ts'
import { StateWriter } from '../../state/state-writer.ts'

/** All that `snapshot` writes. */
export function stateBytes(snapshot: (out: StateWriter) => void): Buffer {
  const out = new StateWriter()
  snapshot(out)
  return Buffer.concat([...out.chunks()])
}

/** Reads all of a state. */
export function restoreFrom(bytes: Uint8Array, restore: (state: StateReader) => void): void {
  const state = new StateReader(bytes, 'test')
  restore(state)
  state.end()
}

/** True when reading is refused as an operator state that does not fit: whatever else is thrown goes on. */
export function isRefused(bytes: Uint8Array, restore: (state: StateReader) => void): boolean {
  try {
    restoreFrom(bytes, restore)
    return false
  } catch (error) {
    if (error instanceof HeadraceError && error.code === 'checkpoint_io_error') return true
    throw error
  }
}
