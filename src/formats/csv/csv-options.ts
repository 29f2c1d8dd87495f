import { HeadraceError } from '../../core/errors.ts'
import type { CsvDialect } from '../../kernels/csv-dialect.ts'
import type { CsvOptions } from '../decoder.ts'

const defaults: CsvOptions = {
  delimiter: ',',
  quote: '"',
  header: true,
  null: '',
  encoding: 'utf-8',
  skipLines: 0,
  comment: '',
  ragged: 'error',
  trim: false,
  fieldBytesMax: 1024 * 1024,
}

/** The options with their defaults; tsv differs in the delimiter. */
export function csvOptions(given: Partial<CsvOptions> | undefined, format: 'csv' | 'tsv'): CsvOptions {
  const known = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined))
  return { ...defaults, delimiter: format === 'tsv' ? '\t' : ',', ...known }
}

/** The options as scanner and encoder take them. */
export function dialectOf(options: CsvOptions): CsvDialect {
  const delimiter = byteOf('delimiter', options.delimiter)
  const quote = byteOf('quote', options.quote)
  if (delimiter < 0) throw invalid('delimiter', 'must be one character')
  if (delimiter === quote) throw invalid('quote', 'must differ from the delimiter')
  return {
    delimiter,
    quote,
    escape: options.escape === undefined ? quote : byteOf('escape', options.escape),
    comment: byteOf('comment', options.comment),
    trim: options.trim,
    ragged: options.ragged,
    nullText: Buffer.from(options.null),
    fieldBytesMax: options.fieldBytesMax,
  }
}

function byteOf(option: string, text: string): number {
  if (text === '') return -1
  const code = text.charCodeAt(0)
  if (text.length !== 1 || code > 126 || code === 10 || code === 13)
    throw invalid(option, 'must be one ASCII character')
  return code
}

const invalid = (option: string, why: string): HeadraceError =>
  new HeadraceError('connector_option_invalid', `option "${option}" ${why}`, { hint: 'Give one character of ASCII.' })
