import { readSync } from 'node:fs'
import { HeadraceError } from '../../../core/errors.ts'
import { type Codec, codecOfBytes, codecOfPath, inflate, refuseLaterBytes } from '../../../formats/compression.ts'
import { detectFormat } from '../../../formats/detect.ts'
import { fileError } from '../client.ts'
import type { FileOptions } from '../options.ts'

const HEAD_BYTES = 64 * 1024

/** A file whose descriptor may be another one after every step. */
export interface OpenFile {
  readonly descriptor: number
}

/** What an open file turned out to be. */
export interface FileInput {
  /** `jsonl`, `csv` …, by option, name or content. */
  readonly format: string
  readonly codec: Codec | undefined
}

/** Looks at the name and the first bytes; the position of the file does not move. */
export async function inspectInput(descriptor: number, path: string, options: FileOptions): Promise<FileInput> {
  const head = new Uint8Array(HEAD_BYTES)
  const bytes = head.subarray(0, readAt(descriptor, head, 0, path))
  const codec = codecOf(path, bytes, options.compression)
  if (options.format !== 'auto') return { format: options.format, codec }
  return { format: detectFormat(path, codec === undefined ? bytes : await firstInflated(codec, bytes)), codec }
}

/** The codec of an open file, by option, magic bytes or name. */
export function codecOfHead(descriptor: number, path: string, option: FileOptions['compression']): Codec | undefined {
  const head = new Uint8Array(16)
  return codecOf(path, head.subarray(0, readAt(descriptor, head, 0, path)), option)
}

function codecOf(path: string, bytes: Uint8Array, option: FileOptions['compression']): Codec | undefined {
  if (option === 'none') return undefined
  if (option !== 'auto') return option
  refuseLaterBytes(bytes, path)
  return codecOfBytes(bytes) ?? (bytes.length === 0 ? codecOfPath(path) : undefined)
}

/** The first piece of a compressed file; the cut at the end of the piece is no fault here. */
async function firstInflated(codec: Codec, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    for await (const piece of inflate(codec, [bytes], { name: 'head' })) return piece
  } catch {
    // Damage is reported when the file is read.
  }
  return new Uint8Array(0)
}

/** Reads into `target` at `position`; 0 at the end. */
export function readAt(descriptor: number, target: Uint8Array, position: number, path: string): number {
  try {
    return readSync(descriptor, target, 0, target.length, position)
  } catch (error) {
    throw fileError('open', `cannot read "${path}"`, error)
  }
}

/**
 * The uncompressed bytes of the first `end` bytes of a compressed file, from `skip` on; what comes before damage is
 * given first.
 */
export async function* inflatedChunks(
  file: OpenFile,
  path: string,
  form: { readonly codec: Codec; readonly skip: number; readonly readBytes: number; readonly end: number },
): AsyncGenerator<Uint8Array> {
  let left = form.skip
  for await (const chunk of inflate(form.codec, rawChunks(file, path, form), { name: path })) {
    if (left >= chunk.length) left -= chunk.length
    else {
      yield left === 0 ? chunk : chunk.subarray(left)
      left = 0
    }
  }
  if (left === 0) return
  const message = `"${path}" is not the file that was read before: it holds ${form.skip - left} bytes unpacked, ${form.skip} were read`
  throw new HeadraceError('connector_incarnation_changed', message, {
    hint: 'Put the old file back, or start anew to read the new one from its beginning.',
  })
}

function* rawChunks(
  file: OpenFile,
  path: string,
  { readBytes, end }: { readonly readBytes: number; readonly end: number },
): Iterable<Uint8Array> {
  const chunk = new Uint8Array(readBytes)
  for (let position = 0; position < end; ) {
    const length = readAt(file.descriptor, chunk.subarray(0, Math.min(readBytes, end - position)), position, path)
    if (length === 0) return checkEnd(path, position, end)
    position += length
    yield chunk.subarray(0, length)
  }
}

/** At the end of a file: the bytes that were there when it was found must not be missing in silence (rulings 47). */
export function checkEnd(path: string, position: number, end: number): void {
  if (end === Number.POSITIVE_INFINITY) return
  const message = `"${path}": it became shorter while it was read: ${position} of ${end} bytes`
  throw new HeadraceError('connector_data_corrupt', message, {
    hint: 'read a file when it is complete, or a copy that nobody cuts',
  })
}
