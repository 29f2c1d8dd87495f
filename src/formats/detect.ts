import { HeadraceError } from '../core/errors.ts'

/** Formats that `createDecoder` knows by name, and those that are only recognised. */
const BY_EXTENSION: Readonly<Record<string, string>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  jsonlines: 'jsonl',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  txt: 'text',
  log: 'text',
  parquet: 'parquet',
  avro: 'avro',
  orc: 'orc',
}

/** The format that a path's extension names, a compression suffix left out. */
export function formatOfPath(path: string): string | undefined {
  const name = path.replace(/\.(gz|gzip|zst|zstd)$/i, '')
  const dot = name.lastIndexOf('.')
  return dot < 0 ? undefined : BY_EXTENSION[name.slice(dot + 1).toLowerCase()]
}

/** The format that the (uncompressed) first bytes tell: magic bytes, then what the text looks like. */
export function formatOfBytes(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 64 * 1024))
  if (head.length >= 4 && head.toString('latin1', 0, 4) === 'PAR1') return 'parquet'
  if (head.length >= 4 && head.toString('latin1', 0, 4) === 'Obj\u0001') return 'avro'
  if (head.length >= 3 && head.toString('latin1', 0, 3) === 'ORC') return 'orc'
  const text = head.toString().replace(/^\ufeff/, '')
  const first = text.trimStart()
  if (first.startsWith('[')) return 'json'
  if (first.startsWith('{')) return formatOfObjects(first)
  return formatOfLines(text)
}

/** One object per line is jsonl; an object that goes over lines is json. */
function formatOfObjects(text: string): string {
  const line = text.split('\n', 1)[0]!.trim()
  try {
    JSON.parse(line)
    return 'jsonl'
  } catch {
    return line.length < text.length && !line.endsWith('}') ? 'json' : 'jsonl'
  }
}

/** Delimited text has the same number (at least one) of some delimiter in its first lines. */
function formatOfLines(text: string): string | undefined {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line !== '')
  if (text.includes('\u0000')) return undefined
  const sample = lines.slice(0, 10)
  if (sample.length === 0) return undefined
  const count = (line: string, delimiter: string): number =>
    line.replace(/"(?:[^"]|"")*"/g, '').split(delimiter).length - 1
  for (const [delimiter, format] of [
    ['\t', 'tsv'],
    [',', 'csv'],
  ] as const) {
    const wanted = count(sample[0]!, delimiter)
    if (wanted > 0 && sample.slice(0, -1).every((line) => count(line, delimiter) === wanted)) return format
  }
  return undefined
}

/** Extension, then content; undetectable is an error. */
export function detectFormat(path: string, bytes: Uint8Array): string {
  const format = formatOfPath(path) ?? formatOfBytes(bytes)
  if (format !== undefined) return format
  throw new HeadraceError(
    'connector_option_missing',
    `the format of "${path}" cannot be told from its name or its content`,
    {
      hint: 'Set format = csv, tsv, json, jsonl, text or raw.',
    },
  )
}
