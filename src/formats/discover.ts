import { HeadraceError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { WorkerMemory } from '../core/memory.ts'
import { type DataType, sameType, typeName, types } from '../core/types.ts'
import { CsvRecordReader } from '../kernels/csv-scan-twin.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { csvOptions, dialectOf } from './csv/csv-options.ts'
import { headerNames, positionNames } from './csv/header.ts'
import { type CustomFormat, customFormat, sampleRecords } from './custom-formats.ts'
import type { CsvOptions } from './decoder.ts'
import { parseJsonNumbers, Seen } from './infer.ts'
import { InputSlab } from './input-slab.ts'
import { nestedEndTwin, ValueSplitter } from './json/value-splitter.ts'
import { Transcoder } from './transcoder.ts'

/** The first bytes of one file or answer, uncompressed. */
export interface Sample {
  readonly path: string
  readonly bytes: Uint8Array
  /** The bytes are all there are: the last record counts even without its end. */
  readonly complete: boolean
}

export interface SampledColumn {
  readonly name: string
  readonly type: DataType
  readonly nullable: boolean
  readonly nullShare: number
  readonly examples: readonly string[]
  /** Share of the values of the commonest kind. */
  readonly confidence: number
  /** Values of several kinds: the decoder must take any of them as text (`DecoderColumn.mixed`). */
  readonly mixed: boolean
}

export interface SampledSchema {
  readonly columns: readonly SampledColumn[]
  readonly eventTimeCandidates: readonly string[]
  readonly rowsSeen: number
  readonly bytesSeen: number
  readonly warnings: readonly string[]
  /** The samples end before the input does: values that come later may not fit. */
  readonly sampleCut: boolean
}

export interface DiscoverOptions {
  /** Rows looked at, over all samples; `limits.schemaSampleRows` when absent. */
  readonly rows?: number | undefined
  readonly csv?: Partial<CsvOptions> | undefined
  readonly records?: string | undefined
  /** Longer records are rejects of the decoder and tell nothing; `limits.lineBytesMax` when absent. */
  readonly lineBytesMax?: number | undefined
}

/** Columns out of samples of csv, tsv, json or jsonl (connectors.md §4). The same samples give the same answer. */
export function discover(
  format: string,
  samples: readonly Sample[],
  options: DiscoverOptions,
  deps: { readonly memory: WorkerMemory; readonly kernels: Kernels },
): SampledSchema {
  if (format === 'text' || format === 'raw') return fixedSchema(format, samples)
  const custom = customFormat(format)
  if (custom !== undefined) return customSchema(custom, samples, options)
  const table = new SampleTable(options.lineBytesMax ?? limits.lineBytesMax)
  const rows = Math.ceil((options.rows ?? limits.schemaSampleRows) / Math.max(1, samples.length))
  for (const sample of samples) {
    table.begin(sample.path)
    using slab = new InputSlab(deps.memory)
    const utf8 = inUtf8(sample.bytes, format, options)
    slab.reserve(utf8.length).set(utf8)
    slab.commit(utf8.length)
    if (format === 'csv' || format === 'tsv')
      sampleCsv(format, { sample, slab, rows, options, memory: deps.memory }, table)
    else if (format === 'json' || format === 'jsonl')
      sampleJson(format, { sample, slab, rows, options, memory: deps.memory }, table)
    else
      throw new HeadraceError('not_implemented', `the schema of format "${format}" is not discovered yet`, {
        hint: 'Declare the columns.',
      })
  }
  const bytesSeen = samples.reduce((sum, sample) => sum + sample.bytes.length, 0)
  return table.finish(
    bytesSeen,
    samples.map((sample) => sample.path),
  )
}

interface Reading {
  readonly sample: Sample
  readonly slab: InputSlab
  readonly rows: number
  readonly options: DiscoverOptions
  readonly memory: WorkerMemory
}

function fixedSchema(format: 'text' | 'raw', samples: readonly Sample[]): SampledSchema {
  const [name, type] = format === 'text' ? ['line', types.string] : ['value', types.bytes]
  const only = {
    name: name as string,
    type: type as DataType,
    nullable: false,
    nullShare: 0,
    examples: [],
    confidence: 1,
    mixed: false,
  }
  const bytesSeen = samples.reduce((sum, sample) => sum + sample.bytes.length, 0)
  return { columns: [only], eventTimeCandidates: [], rowsSeen: 0, bytesSeen, warnings: [], sampleCut: false }
}

function customSchema(format: CustomFormat, samples: readonly Sample[], options: DiscoverOptions): SampledSchema {
  const most = Math.ceil((options.rows ?? limits.schemaSampleRows) / Math.max(1, samples.length))
  const records = samples.flatMap((sample) => sampleRecords(format, sample, most))
  const { fields } = format.columns?.(records) ?? { fields: [] }
  const bytesSeen = samples.reduce((sum, sample) => sum + sample.bytes.length, 0)
  if (fields.length === 0) {
    throw new HeadraceError(
      'connector_schema_mismatch',
      `no record to tell the columns from in "${samples[0]?.path}"`,
      {
        hint: 'Declare the columns, or register the format with a schema.',
      },
    )
  }
  const facts = { nullShare: 0, examples: [], confidence: 1, mixed: false }
  return {
    columns: fields.map((column) => ({ ...column, ...facts })),
    eventTimeCandidates: fields.filter(({ type }) => type.kind === 'timestamp').map(({ name }) => name),
    rowsSeen: records.length,
    bytesSeen,
    warnings: [],
    sampleCut: samples.some(({ complete }) => !complete),
  }
}

function inUtf8(bytes: Uint8Array, format: string, options: DiscoverOptions): Uint8Array {
  const encoding = format === 'csv' || format === 'tsv' ? (options.csv?.encoding ?? 'utf-8') : 'utf-8'
  const utf8 = encoding === 'utf-8' ? bytes : new Transcoder(encoding).write(bytes)
  return utf8[0] === 0xef && utf8[1] === 0xbb && utf8[2] === 0xbf ? utf8.subarray(3) : utf8
}

function sampleCsv(format: 'csv' | 'tsv', reading: Reading, table: SampleTable): void {
  const { slab, memory, sample } = reading
  const options = csvOptions(reading.options.csv, format)
  const dialect = dialectOf(options)
  const reader = new CsvRecordReader(memory, dialect)
  const limit = sample.complete ? slab.end + 1 : slab.end
  let at = slab.start
  for (let skip = options.skipLines; skip > 0 && at < limit; skip--) {
    const lineEnd = memory.text.indexOf(10, at)
    at = lineEnd < 0 ? limit : lineEnd + 1
  }
  let names = options.names
  let headerTaken = !options.header
  for (let rows = 0; rows < reading.rows && at < slab.end; ) {
    const read = reader.read(at, limit, names?.length === 1)
    if (read.kind === 'incomplete') break
    const from = at
    at = read.next
    if (read.kind === 'nothing' || table.isLong(from, read.end)) continue
    if (read.kind === 'malformed') {
      table.badRecords++
      continue
    }
    if (!headerTaken) {
      names ??= headerNames(read.fields)
      headerTaken = true
      table.columns(names)
      continue
    }
    names ??= positionNames(read.fields.length)
    if (read.fields.length !== names.length) table.ragged++
    table.textRow(
      names,
      names.map((_, i) => {
        const one = read.fields[i]
        if (one === undefined || (!one.quoted && Buffer.compare(one.bytes, dialect.nullText) === 0)) return null
        return Buffer.from(one.bytes).toString()
      }),
    )
    rows++
  }
  if (!sample.complete || at < slab.end) table.cut = true
}

function sampleJson(format: 'json' | 'jsonl', reading: Reading, table: SampleTable): void {
  const { slab, memory, sample } = reading
  const take = (start: number, end: number): void => {
    if (table.isLong(start, end)) return
    const text = memory.text.utf8Slice(start, end)
    if (text.trim() === '') return
    try {
      const value = parseJsonNumbers(text)
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        table.jsonRow(value as Record<string, unknown>)
      else table.badRecords++
    } catch {
      table.badRecords++
    }
  }
  if (!sample.complete) table.cut = true
  if (format === 'jsonl') {
    let at = slab.start
    for (let rows = 0; at < slab.end && rows < reading.rows; rows++) {
      const lineEnd = memory.text.indexOf(10, at)
      if (lineEnd >= slab.end && !sample.complete) break
      take(at, Math.min(lineEnd, slab.end))
      at = lineEnd + 1
    }
    if (at < slab.end) table.cut = true
    return
  }
  const splitter = new ValueSplitter(memory, nestedEndTwin(memory), reading.options.records)
  splitter.position = slab.start
  for (let rows = 0; rows < reading.rows; rows++) {
    const piece = splitter.next(slab.end, sample.complete)
    if (piece.kind === 'more') break
    if (piece.kind === 'broken') table.badRecords++
    else take(piece.start, piece.end)
  }
  if (splitter.next(slab.end, sample.complete).kind !== 'more') table.cut = true
}

/** Gathers what was seen, over all samples and per sample. */
class SampleTable {
  readonly #lineBytesMax: number
  #longRecords = 0
  badRecords = 0
  cut = false
  ragged = 0
  #rows = 0
  readonly #all = new Map<string, Seen>()
  readonly #perPath = new Map<string, Map<string, Seen>>()
  #own = new Map<string, Seen>()

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  /** A record over the limit; it is counted. */
  isLong(start: number, end: number): boolean {
    if (end - start <= this.#lineBytesMax) return false
    this.#longRecords++
    return true
  }

  begin(path: string): void {
    this.#own = new Map()
    this.#perPath.set(path, this.#own)
  }

  /** Names that a header gives, also without rows. */
  columns(names: readonly string[]): void {
    for (const name of names) this.#place(name)
  }

  textRow(names: readonly string[], values: readonly (string | null)[]): void {
    names.forEach((name, i) => {
      for (const seen of this.#place(name)) seen.addText(values[i]!)
    })
    this.#rows++
  }

  jsonRow(value: Record<string, unknown>): void {
    for (const [name, item] of Object.entries(value)) for (const seen of this.#place(name)) seen.addJson(item)
    this.#rows++
    for (const seen of this.#all.values()) if (seen.total < this.#rows) seen.addMissing(this.#rows - seen.total)
  }

  finish(bytesSeen: number, paths: readonly string[]): SampledSchema {
    if (this.#all.size === 0) throw this.#nothingFound(bytesSeen, paths[0] ?? '')
    const warnings: string[] = []
    const columns = [...this.#all].map(([name, seen]) => this.#column(name, seen, warnings))
    if (this.badRecords > 0) warnings.push(`${this.badRecords} sampled records are not valid`)
    if (this.#longRecords > 0)
      warnings.push(`${this.#longRecords} sampled records are longer than line_bytes_max, ${this.#lineBytesMax} bytes`)
    if (this.ragged > 0) warnings.push(`${this.ragged} sampled records have another number of fields than the header`)
    const eventTimeCandidates = columns
      .filter((column) => isEventTime(column, this.#all.get(column.name)!))
      .map((column) => column.name)
    return { columns, eventTimeCandidates, rowsSeen: this.#rows, bytesSeen, warnings, sampleCut: this.cut }
  }

  #nothingFound(bytesSeen: number, path: string): HeadraceError {
    const [why, option] =
      this.#longRecords > 0
        ? [`all are longer than line_bytes_max, ${this.#lineBytesMax} bytes`, 'Raise line_bytes_max, or declare']
        : this.cut && this.badRecords === 0 && bytesSeen > 0
          ? [`the first is longer than the sample of ${bytesSeen} bytes`, 'Raise sample_bytes, or declare']
          : [undefined, 'Declare']
    return new HeadraceError(
      'connector_schema_mismatch',
      `no record to tell the columns from in "${path}"${why === undefined ? '' : `: ${why}`}`,
      {
        hint: `${option} the columns: CREATE STREAM s (id BIGINT, at TIMESTAMP) FROM …; options may name the format.`,
      },
    )
  }

  #place(name: string): readonly [Seen, Seen] {
    const all = this.#all.get(name) ?? new Seen()
    const own = this.#own.get(name) ?? new Seen()
    this.#all.set(name, all)
    this.#own.set(name, own)
    return [all, own]
  }

  #column(name: string, seen: Seen, warnings: string[]): SampledColumn {
    if (seen.mixed) warnings.push(`column "${name}" holds values of several kinds: STRING`)
    else if (seen.total === seen.nulls) warnings.push(`column "${name}" is NULL in all samples: STRING`)
    this.#compareFiles(name, warnings)
    const nullShare = seen.total === 0 ? 1 : seen.nulls / seen.total
    const { type, examples, confidence, mixed } = seen
    return { name, type, nullable: seen.total === 0 || seen.nulls > 0, nullShare, examples, confidence, mixed }
  }

  /** Files that disagree about a column's type are named, both. */
  #compareFiles(name: string, warnings: string[]): void {
    let first: { readonly path: string; readonly type: DataType } | undefined
    for (const [path, own] of this.#perPath) {
      const seen = own.get(name)
      if (seen === undefined || seen.total === seen.nulls) continue
      const { type } = seen
      if (first !== undefined && !sameType(first.type, type)) {
        warnings.push(
          `column "${name}" is ${typeName(first.type)} in "${first.path}" and ${typeName(type)} in "${path}"`,
        )
        return
      }
      first ??= { path, type }
    }
  }
}

function isEventTime(column: SampledColumn, seen: Seen): boolean {
  if (column.type.kind === 'timestamp') return true
  return (
    column.type.kind === 'bigint' &&
    /time|date|(?:^|_)(?:ts|at)$|timestamp|created|occurred/i.test(column.name) &&
    seen.isEpochLike
  )
}
