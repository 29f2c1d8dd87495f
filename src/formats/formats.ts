import { HeadraceError } from '../core/errors.ts'
import type { WorkerMemory } from '../core/memory.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { Decoder, DecoderSpec } from './decoder.ts'
import type { Encoder, EncoderSpec } from './encoder.ts'
import { createJsonLinesDecoder } from './json/json-lines-decoder.ts'
import { createJsonLinesEncoder } from './json/json-lines-encoder.ts'

export interface FormatDeps {
  readonly memory: WorkerMemory
  readonly kernels: Kernels
}

/** A decoder for one split of bytes of that format (never `auto`: see `detectFormat`). */
export function createDecoder(format: string, spec: DecoderSpec, deps: FormatDeps): Decoder {
  switch (format) {
    case 'jsonl':
      return createJsonLinesDecoder(spec, deps)
    default:
      throw unsupported(format)
  }
}

/** An encoder for rows of that format. */
export function createEncoder(format: string, spec: EncoderSpec, deps: FormatDeps): Encoder {
  switch (format) {
    case 'jsonl':
      return createJsonLinesEncoder(spec, deps)
    default:
      throw unsupported(format)
  }
}

const unsupported = (format: string): HeadraceError =>
  new HeadraceError('not_implemented', `format "${format}" is not built yet`, {
    hint: 'Use jsonl, json, csv, tsv, text or raw.',
  })
