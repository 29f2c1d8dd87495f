import { HeadraceError } from '../../core/errors.ts'
import { StateReader } from '../../state/state-reader.ts'
import { StateWriter } from '../../state/state-writer.ts'

/** All that `snapshot` writes. */
export function stateBytes(snapshot: (out: StateWriter) => void): Buffer {
  const out = new StateWriter()
  snapshot(out)
  return Buffer.concat([...out.chunks()])
}

/** Equal bytes but for the sign of NaN, which a processor sets and a compiler does not. */
export function sameState(a: Buffer, b: Buffer): boolean {
  return a.equals(b) || withPlainNans(a).equals(withPlainNans(b))
}

const NAN = Buffer.from('000000000000f8ff', 'hex')
const PLAIN_NAN = Buffer.from('000000000000f87f', 'hex')

function withPlainNans(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let at = copy.indexOf(NAN); at >= 0; at = copy.indexOf(NAN, at + 8)) copy.set(PLAIN_NAN, at)
  return copy
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
