import type { OptionValues } from '../core/options.ts'
import type { CsvOptions } from '../formats/decoder.ts'

/** The CSV part of a connector's options; what was not given is left to the format. */
export function csvSpec(options: OptionValues): Partial<CsvOptions> {
  const given = {
    delimiter: options['delimiter'],
    quote: options['quote'],
    escape: options['escape'],
    header: options['header'],
    null: options['null'],
    encoding: options['encoding'],
    skipLines: options['skip_lines'],
    comment: options['comment'],
    ragged: options['ragged'],
    trim: options['trim'],
    fieldBytesMax: options['field_bytes_max'],
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<CsvOptions>
}
