import { formatOfPath } from '../../../formats/detect.ts'
import type { Encoder } from '../../../formats/encoder.ts'
import type { SinkContext } from '../../contract.ts'
import type { FileOptions } from '../options.ts'
import { compressorFor } from './compressor.ts'

const EXTENSIONS: Readonly<Record<string, string>> = { text: 'txt', raw: 'bin' }
const SUFFIXES = { auto: '', none: '', gzip: '.gz', zstd: '.zst' } as const

/** How rows become bytes of a file. */
export interface OutputForm {
  readonly encoder: Encoder
  /** What a file begins with, packed; empty where nothing is. */
  readonly header: Uint8Array
  /** Each result can be put behind another. */
  readonly pack: (bytes: Uint8Array) => Uint8Array
}

export function plainForm(path: string, context: SinkContext): OutputForm {
  const options = context.options as FileOptions
  const format = options.format === 'auto' ? (formatOfPath(path) ?? 'jsonl') : options.format
  return formOf(context.encoder(format), compressorFor(path, options.compression))
}

/** For files that get their names here; `extension` says what is in them. */
export function folderForm(context: SinkContext): OutputForm & { readonly extension: string } {
  const options = context.options as FileOptions
  const format = options.format === 'auto' ? 'jsonl' : options.format
  const extension = `${EXTENSIONS[format] ?? format}${SUFFIXES[options.compression]}`
  return { ...formOf(context.encoder(format), compressorFor(`x.${extension}`, options.compression)), extension }
}

function formOf(encoder: Encoder, pack: (bytes: Uint8Array) => Uint8Array): OutputForm {
  const header = encoder.header()
  return { encoder, header: header.length === 0 ? header : Uint8Array.from(pack(header)), pack }
}
