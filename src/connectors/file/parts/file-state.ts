import { HeadraceError } from '../../../core/errors.ts'
import type { FileIdentity } from './identity.ts'

/** A file that a source has found, as `Source.state` keeps it. */
export interface KnownFile {
  readonly split: string
  /** Name under which it was found. */
  readonly path: string
  readonly identity: FileIdentity
  /** Bounded reads: bytes of it that are read; undefined where the system does not tell. */
  readonly end?: number | undefined
  /** Watched: where it was last seen, when that is another name. */
  readonly at?: string | undefined
  /** Watched: where it begins when nothing of it was given, or where it ended. */
  readonly start?: { readonly byte: number; readonly row: number } | undefined
  /** Watched: `ended` is read to its end, `ignored` is not read, `cut` has lost what was not read. */
  readonly phase?: 'ended' | 'ignored' | 'cut' | undefined
}

export interface FileState {
  readonly kind: 'bounded' | 'watched'
  /** The path was the name of a file, whatever characters it holds. */
  readonly literal: boolean
  readonly files: readonly KnownFile[]
}

const VERSION = 1

export function encodeState(state: FileState): Uint8Array {
  return Buffer.from(JSON.stringify({ version: VERSION, ...state }))
}

/** `where`: the path of the source, for messages. */
export function decodeState(bytes: Uint8Array, kind: FileState['kind'], where: string): FileState {
  let state: (FileState & { readonly version?: number }) | undefined
  try {
    state = JSON.parse(Buffer.from(bytes).toString()) as FileState
  } catch {
    // Said below.
  }
  if (state?.version !== VERSION) {
    throw new HeadraceError('connector_offset_invalid', `what is kept about the files of "${where}" cannot be read`, {
      hint: 'It is of a newer version, or damaged: start anew, or go back to an older checkpoint.',
    })
  }
  if (state.kind !== kind) {
    const was = state.kind === 'watched' ? 'with watch = true' : 'without watch'
    throw new HeadraceError('connector_offset_invalid', `"${where}" was read ${was} before`, {
      hint: 'Set watch as it was, or start anew.',
    })
  }
  return state
}
