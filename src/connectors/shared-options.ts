import { bool, byteCount, character, choice, duration, integer, list, text } from '../core/options.ts'
import { isCustomFormat } from '../formats/custom-formats.ts'

/** Formats that are built; the others of connectors.md §5 follow. */
export const FORMATS = ['auto', 'csv', 'tsv', 'json', 'jsonl', 'raw', 'text'] as const

/** Options of every byte source (connectors.md §5). */
export const sourceOptions = {
  format: choice(FORMATS, 'Format of the records; auto goes by extension, magic bytes and content.', {
    default: 'auto',
    side: 'source',
    also: isCustomFormat,
  }),
  batch_rows: integer('Most rows of a batch.', { default: 8192, min: 1, max: 16_384, side: 'source' }),
  max_records: integer('Ends the source after this many rows.', { min: 0, side: 'source' }),
  event_time: text('Column that is the event time.', { side: 'source' }),
  watermark_delay: duration('How far the watermark stays behind the largest event time.', {
    default: 5000,
    side: 'source',
  }),
  idle_timeout: duration('A split proved empty for this long does not hold the watermark.', {
    default: 30_000,
    side: 'source',
  }),
  max_future_skew: duration('Rows further ahead of the clock are quarantined; off: none are. Endless sources only.', {
    default: 300_000,
    side: 'source',
    off: true,
  }),
  sample_rows: integer('Rows read to find the schema.', { default: 1000, min: 1, side: 'source' }),
  sample_bytes: byteCount('Bytes read to find the schema.', { default: 4_194_304, min: 1024, side: 'source' }),
  on_error: choice(['dlq', 'skip', 'fail', 'retry'], 'What happens to a bad row.', { default: 'dlq' }),
  attempts: integer('on_error = retry: tries of what may pass.', { default: 5, min: 1 }),
  retry_then: choice(['dlq', 'fail'], 'on_error = retry: what happens after the last try, to bad rows at once.', {
    default: 'dlq',
    aliases: ['then'],
  }),
} as const

/** Options of the text formats, for sources and sinks. */
export const formatOptions = {
  compression: choice(['auto', 'none', 'gzip', 'zstd'], 'Compression; auto goes by extension and magic bytes.', {
    default: 'auto',
  }),
  delimiter: character('CSV: what separates fields; default a comma, for tsv a tab.'),
  quote: character('CSV: what encloses fields.', { default: '"' }),
  escape: character('CSV: what makes the next character literal inside quotes; default the quote.'),
  header: bool('CSV: the first record names the columns.', { default: true }),
  null: text('CSV: the unquoted text that means NULL.', { default: '' }),
  encoding: choice(['utf-8', 'utf-16le', 'utf-16be', 'latin1'], 'CSV: text encoding.', {
    default: 'utf-8',
    side: 'source',
  }),
  skip_lines: integer('CSV: lines to leave out before the header.', { default: 0, min: 0, side: 'source' }),
  comment: character('CSV: lines that begin with it are left out.', { side: 'source' }),
  ragged: choice(['error', 'pad'], 'CSV: what happens to a record with too few fields.', {
    default: 'error',
    side: 'source',
  }),
  trim: bool('CSV: blanks around unquoted fields are removed.', { default: false, side: 'source' }),
  field_bytes_max: byteCount('CSV: longest field.', { default: 1_048_576, side: 'source' }),
  strict: bool('JSON: check every byte of a record as JSON.parse does.', { default: false, side: 'source' }),
  records: text('JSON: pointer to the array that holds the records.', { side: 'source' }),
  depth_max: integer('JSON: deepest nesting.', { default: 64, min: 1, max: 1000, side: 'source' }),
  line_bytes_max: byteCount('Longest line or record; a longer one is a bad row.', {
    default: 16 * 1024 * 1024,
    side: 'source',
  }),
} as const

/** Options of every sink. */
export const sinkOptions = {
  changelog: choice(['columns'], 'Write every change as a row with `_op`.', { side: 'sink' }),
  key: list('Columns that identify a row.', { side: 'sink' }),
  decimal_as: choice(['number', 'string'], 'JSON form of decimals.', { default: 'number', side: 'sink' }),
} as const

/** A sink's own format choice. */
export const sinkFormat = choice(FORMATS, 'Format of the rows; auto goes by extension, else jsonl.', {
  default: 'auto',
  side: 'sink',
  also: isCustomFormat,
})
