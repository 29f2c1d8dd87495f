import { HeadraceError } from '../core/errors.ts'
import { createCsvDecoder } from './csv/csv-decoder.ts'
import { createCsvEncoder } from './csv/csv-encoder.ts'
import { createCustomDecoder, createCustomEncoder } from './custom-codec.ts'
import { customFormat } from './custom-formats.ts'
import type { Decoder, DecoderSpec } from './decoder.ts'
import type { Encoder, EncoderSpec } from './encoder.ts'
import type { FormatDeps } from './format-deps.ts'
import { createJsonDecoder } from './json/json-decoder.ts'
import { createJsonLinesDecoder } from './json/json-lines-decoder.ts'
import { createJsonLinesEncoder } from './json/json-lines-encoder.ts'
import { createTextDecoder } from './text/text-decoder.ts'
import { createTextEncoder } from './text/text-encoder.ts'

/** Formats that can be read and written. */
const builtFormats = ['jsonl', 'json', 'csv', 'tsv', 'text', 'raw'] as const

/** A decoder for one split of bytes of that format (never `auto`: see `detectFormat`). */
export function createDecoder(format: string, spec: DecoderSpec, deps: FormatDeps): Decoder {
  switch (format) {
    case 'jsonl':
      return createJsonLinesDecoder(spec, deps)
    case 'json':
      return createJsonDecoder(spec, deps)
    case 'csv':
    case 'tsv':
      return createCsvDecoder(format, spec, deps)
    case 'text':
    case 'raw':
      return createTextDecoder(format, spec, deps)
    default: {
      const custom = customFormat(format)
      if (custom === undefined) throw unsupported(format)
      return createCustomDecoder(format, custom, spec, deps)
    }
  }
}

/**
 * An encoder for rows of that format. `json` is written as values one after another, a line each: such a text can be
 * appended to and cut at any row, which a closing bracket could not be.
 */
export function createEncoder(format: string, spec: EncoderSpec, deps: FormatDeps): Encoder {
  switch (format) {
    case 'jsonl':
    case 'json':
      return createJsonLinesEncoder(spec, deps)
    case 'csv':
    case 'tsv':
      return createCsvEncoder(format, spec, deps)
    case 'text':
    case 'raw':
      return createTextEncoder(format, spec, deps.memory)
    default: {
      const custom = customFormat(format)
      if (custom === undefined) throw unsupported(format)
      return createCustomEncoder(format, custom, spec, deps)
    }
  }
}

const unsupported = (format: string): HeadraceError =>
  new HeadraceError('not_implemented', `format "${format}" is not built yet`, {
    hint: `Use one of: ${builtFormats.join(', ')}.`,
  })
