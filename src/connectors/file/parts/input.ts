import { readSync } from 'node:fs'
import type { HeadraceError } from '../../../core/errors.ts'
import { fileError } from '../client.ts'
import type { FileOptions } from '../options.ts'

/** The uncompressed bytes of an open file, in order. */
export interface FileInput {
  /** What the options or the file's name and first bytes say: `jsonl`, `csv` … */
  readonly format: string
  /** Fills a part of `target`; 0 at the end or at damage. */
  read(target: Uint8Array): number
  /** Goes to an uncompressed byte, before the first `read`. */
  skipTo(byte: number): void
  /** After the end: why the input ended early (a cut or damaged compressed file); the rows before it are good. */
  fault(): HeadraceError | undefined
}

const BY_EXTENSION: Readonly<Record<string, string>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  jsonlines: 'jsonl',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  txt: 'text',
  log: 'text',
}

/** The format that a path's extension names, a compression suffix left out. */
export function formatOfPath(path: string): string | undefined {
  const name = path.replace(/\.(gz|gzip|zst|zstd)$/i, '')
  const dot = name.lastIndexOf('.')
  return dot < 0 ? undefined : BY_EXTENSION[name.slice(dot + 1).toLowerCase()]
}

export function openInput(descriptor: number, path: string, options: FileOptions): FileInput {
  const format = options.format === 'auto' ? (formatOfPath(path) ?? 'jsonl') : options.format
  let position = 0
  return {
    format,
    read(target) {
      try {
        const length = readSync(descriptor, target, 0, target.length, position)
        position += length
        return length
      } catch (error) {
        throw fileError('open', `cannot read "${path}"`, error)
      }
    },
    skipTo(byte) {
      position = byte
    },
    fault: () => undefined,
  }
}
