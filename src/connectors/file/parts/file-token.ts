import { join } from 'node:path'
import { HeadraceError } from '../../../core/errors.ts'
import { orAbsent, type SystemFiles, writeSynced } from '../../../core/system-files.ts'
import { crc32cTwin } from '../../../kernels/crc32c.ts'
import { fileError } from '../client.ts'

/** A staged file that is whole and synced, and where it goes. */
export interface StagedFile {
  readonly temp: string
  readonly length: number
  /** Relative to the root of the target. */
  readonly final: string
  readonly inode: string
}

export interface FilesToken {
  readonly files: readonly StagedFile[]
  /** All input was read: no epoch follows. */
  readonly last: boolean
  /** The staged file that holds the list, where it is too long for a token. */
  readonly list?: string | undefined
}

/** Bytes of a list that a token itself may hold (rulings 15). */
const INLINE_MAX = 64 * 1024

interface TokenText {
  readonly format: 1
  readonly last?: true
  readonly files?: readonly StagedFile[]
  readonly list?: { readonly name: string; readonly length: number; readonly crc: number }
}

/** A long list is written to `listName` in `root` and synced; the folder's names are left to the caller. */
export async function writeToken(
  files: SystemFiles,
  token: Omit<FilesToken, 'list'>,
  place: { readonly root: string; readonly listName: string },
): Promise<Uint8Array> {
  const last = token.last ? ({ last: true } as const) : {}
  const inline = Buffer.from(JSON.stringify({ format: 1, ...last, files: token.files } satisfies TokenText))
  if (inline.length <= INLINE_MAX) return inline
  const bytes = Buffer.from(JSON.stringify(token.files))
  await writeSynced(files, join(place.root, place.listName), [bytes])
  const list = { name: place.listName, length: bytes.length, crc: crc32cTwin(bytes) }
  return Buffer.from(JSON.stringify({ format: 1, ...last, list } satisfies TokenText))
}

/** Undefined when the list that the token names is gone, as it is after its epoch is done. */
export async function readToken(files: SystemFiles, root: string, token: Uint8Array): Promise<FilesToken | undefined> {
  const text = parse(token)
  const last = text.last === true
  if (text.list === undefined) return { files: text.files ?? [], last }
  const { name, length, crc } = text.list
  const path = join(root, name)
  let bytes: Uint8Array | undefined
  try {
    bytes = await orAbsent(files.read(path))
  } catch (error) {
    throw fileError('open', `cannot read "${path}"`, error)
  }
  if (bytes === undefined) return undefined
  if (bytes.length !== length || crc32cTwin(bytes) !== crc) {
    throw new HeadraceError('connector_commit_ambiguous', `the list of staged files "${path}" is damaged`, {
      hint: 'restore the file, or resolve the epoch by hand',
    })
  }
  return { files: JSON.parse(Buffer.from(bytes).toString()) as readonly StagedFile[], last, list: name }
}

function parse(token: Uint8Array): TokenText {
  try {
    const text = JSON.parse(Buffer.from(token).toString()) as TokenText
    if (text.format === 1) return text
  } catch {
    // Told below.
  }
  throw new HeadraceError('connector_commit_ambiguous', 'the token of the file sink cannot be read', {
    hint: 'it is of a newer version, or the options of the sink were changed',
  })
}
