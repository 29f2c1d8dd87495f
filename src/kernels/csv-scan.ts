import type { Column } from '../core/column.ts'
import type { CsvDialect } from './csv-dialect.ts'
import { CsvRecordReader } from './csv-scan-twin.ts'
import type { ScannerCounters } from './json-scan.ts'
import { stepBytes, writeValueStep } from './json-template.ts'
import type { Kernels } from './kernels.ts'
import { Leaf, type LeafSpec, widenTwin } from './leaf.ts'
import type { Misfit } from './store-json.ts'
import { storeNull, storeText } from './store-text.ts'

/** Words of the context, as asm/csv-scan.ts reads them. */
const C = {
  position: 0,
  limit: 1,
  most: 2,
  idx: 3,
  row: 4,
  steps: 5,
  wanted: 6,
  width: 7,
  starts: 8,
  ends: 9,
  rowRecord: 10,
  side: 11,
  delimiter: 12,
  quote: 13,
  escape: 14,
  comment: 15,
  flags: 16,
  nullText: 17,
  nullLength: 18,
  fieldMost: 19,
  host: 20,
  places: 21,
} as const
const CONTEXT_BYTES = 96
const NO_BYTE = 256
/** A word for each of the bytes that asm/csv-plain.ts looks at at once, and for those it may write behind them. */
const PLACES_BYTES = 4 * (4096 + 128)

/** Where fields go: by column of the scanner, the position of its field, −1 for none. */
export interface CsvLayout {
  readonly positions: readonly number[]
  /** Fields of a record. */
  readonly width: number
}

/** Records of delimited text → columns. */
export class CsvScanner implements Disposable {
  readonly leaves: readonly Leaf[]
  readonly counters: ScannerCounters = { kernelValues: 0, fallbackValues: 0, fallbackRecords: 0 }
  /** Start and end address of the records of the last scan. */
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly rowRecord: Uint32Array
  /** Records of the last scan, rejected ones counted. */
  records = 0
  /** Where the first record that was not taken begins. */
  next = 0
  readonly reader: CsvRecordReader
  readonly #kernels: Kernels
  readonly #dialect: CsvDialect
  readonly #compiled: boolean
  readonly #capacity: number
  readonly #context: number
  readonly #words: Uint32Array
  readonly #index: number
  readonly #nullText: number
  readonly #places: number
  #layout: CsvLayout = { positions: [], width: 0 }
  /** The kernel reads one column per field, and does not know columns that have no field. */
  #plain = true
  /** By field position, the leaf that reads it. */
  #fields: (Leaf | undefined)[] = []
  #steps = 0
  #stepsSize = 0
  #side = 0
  #sideSize = 0

  constructor(
    specs: readonly LeafSpec[],
    kernels: Kernels,
    options: { readonly capacity: number; readonly compiled: boolean; readonly dialect: CsvDialect },
  ) {
    const { memory } = kernels
    const { capacity, dialect } = options
    this.#kernels = kernels
    this.#dialect = dialect
    this.#capacity = capacity
    this.#compiled = options.compiled && kernels.mode === 'on'
    this.leaves = specs.map((spec, index) => new Leaf(spec, index, { memory, capacity }))
    this.reader = new CsvRecordReader(memory, dialect)
    this.#index = memory.allocate(12 * capacity)
    this.starts = new Uint32Array(memory.buffer, this.#index, capacity)
    this.ends = new Uint32Array(memory.buffer, this.#index + 4 * capacity, capacity)
    this.rowRecord = new Uint32Array(memory.buffer, this.#index + 8 * capacity, capacity)
    this.#nullText = memory.allocate(dialect.nullText.length + 16)
    memory.bytes.set(dialect.nullText, this.#nullText)
    this.#places = memory.allocate(PLACES_BYTES)
    this.#context = memory.allocate(CONTEXT_BYTES)
    this.#words = new Uint32Array(memory.buffer, this.#context, CONTEXT_BYTES / 4).fill(0)
    this.#writeDialect()
  }

  /** Must be said before the first scan, and again when the header changes. */
  setLayout(layout: CsvLayout): void {
    const { memory } = this.#kernels
    this.#layout = layout
    const found = layout.positions.filter((at) => at >= 0)
    const missed = this.leaves.some((leaf) => leaf.spec.required && layout.positions[leaf.index]! < 0)
    this.#plain = new Set(found).size === found.length && !missed
    const last = Math.max(-1, ...layout.positions)
    this.#fields = Array.from({ length: last + 1 }, (_, at) => this.leaves[layout.positions.indexOf(at)])
    if (this.#stepsSize > 0) memory.free(this.#steps, this.#stepsSize)
    this.#stepsSize = Math.max(1, last + 1) * stepBytes
    this.#steps = memory.allocate(this.#stepsSize)
    memory.bytes.fill(0, this.#steps, this.#steps + this.#stepsSize)
    let run = 0
    for (let at = last; at >= 0; at--) {
      const step = this.#steps + at * stepBytes
      const leaf = this.#fields[at]
      run = leaf === undefined ? run + 1 : 0
      // Fields that no column reads: how many in a row, so that they are passed over at once.
      if (leaf === undefined) new Uint32Array(memory.buffer, step, 8)[7] = run
      else writeValueStep(memory, step, leaf)
    }
    this.#words[C.steps] = this.#steps
    this.#words[C.wanted] = last + 1
    this.#words[C.width] = layout.width
  }

  /** Takes the whole records of `[start, limit)`, at most `most`; returns the rows. */
  scan(
    range: { readonly start: number; readonly limit: number; readonly most: number },
    onReject: (record: number, misfit: Misfit) => void,
  ): number {
    const most = Math.min(range.most, this.#capacity)
    for (const leaf of this.leaves) leaf.begin(most)
    return this.#compiled && this.#plain
      ? this.#scanCompiled(range, most, onReject)
      : this.#scanTwin(range, most, onReject)
  }

  finish(rows: number): Column[] {
    const { exports } = this.#kernels
    const compiled = this.#compiled
    const widen = compiled ? (leaf: Leaf, n: number) => exports.widen(leaf.dataAddress, leaf.wideAddress, n) : widenTwin
    return this.leaves.map((leaf) => {
      const nulls = compiled
        ? exports.anyZero(leaf.validityAddress, rows) !== 0
        : leaf.validity.subarray(0, rows).includes(0)
      return leaf.finish(rows, nulls, widen)
    })
  }

  [Symbol.dispose](): void {
    const { memory } = this.#kernels
    for (const leaf of this.leaves) leaf[Symbol.dispose]()
    memory.free(this.#index, 12 * this.#capacity)
    memory.free(this.#nullText, this.#dialect.nullText.length + 16)
    memory.free(this.#places, PLACES_BYTES)
    memory.free(this.#context, CONTEXT_BYTES)
    if (this.#stepsSize > 0) memory.free(this.#steps, this.#stepsSize)
    if (this.#sideSize > 0) memory.free(this.#side, this.#sideSize)
    this.#stepsSize = 0
    this.#sideSize = 0
  }

  #writeDialect(): void {
    const words = this.#words
    const dialect = this.#dialect
    const byte = (value: number): number => (value < 0 ? NO_BYTE : value)
    words[C.starts] = this.#index
    words[C.ends] = this.#index + 4 * this.#capacity
    words[C.rowRecord] = this.#index + 8 * this.#capacity
    words[C.delimiter] = dialect.delimiter
    words[C.quote] = byte(dialect.quote)
    words[C.escape] = byte(dialect.escape)
    words[C.comment] = byte(dialect.comment)
    words[C.flags] = (dialect.ragged === 'pad' ? 1 : 0) | (dialect.trim ? 2 : 0)
    words[C.nullText] = this.#nullText
    words[C.nullLength] = dialect.nullText.length
    words[C.fieldMost] = dialect.fieldBytesMax
    words[C.places] = this.#places
  }

  #scanCompiled(
    range: { readonly start: number; readonly limit: number },
    most: number,
    onReject: (record: number, misfit: Misfit) => void,
  ): number {
    const kernels = this.#kernels
    const words = this.#words
    this.#reserveSide(range.limit - range.start)
    words[C.position] = range.start
    words[C.limit] = range.limit
    words[C.most] = most
    words[C.idx] = 0
    words[C.row] = 0
    words[C.side] = this.#side
    words[C.host] = 0
    const { memory } = kernels
    kernels.hostValue = (index, row, start, end) => {
      const field = { bytes: memory.bytes.subarray(start, end), address: start }
      return storeText(this.leaves[index]!, row, field) === undefined ? 1 : 0
    }
    let fallbackRows = 0
    while (kernels.exports.scanCsv(this.#context) === 2) {
      const taken = this.#take(
        words[C.row]!,
        words[C.idx]!,
        { start: words[C.position]!, limit: range.limit },
        onReject,
      )
      if (taken === undefined) break
      words[C.position] = taken.next
      words[C.idx] = words[C.idx]! + (taken.row === undefined ? 0 : 1)
      if (taken.row === true) {
        words[C.row] = words[C.row]! + 1
        fallbackRows++
      }
    }
    const rows = words[C.row]!
    const host = words[C.host]!
    this.counters.kernelValues += (rows - fallbackRows) * this.leaves.length - host
    this.counters.fallbackValues += host
    this.records = words[C.idx]!
    this.next = words[C.position]!
    return rows
  }

  #scanTwin(
    range: { readonly start: number; readonly limit: number },
    most: number,
    onReject: (record: number, misfit: Misfit) => void,
  ): number {
    let row = 0
    this.records = 0
    this.next = range.start
    while (this.next < range.limit && this.records < most) {
      const taken = this.#take(row, this.records, { start: this.next, limit: range.limit }, onReject)
      if (taken === undefined) break
      this.next = taken.next
      if (taken.row !== undefined) this.records++
      if (taken.row === true) row++
    }
    return row
  }

  /** Takes the record at `start` without the kernel; undefined when it is not whole. `row` undefined: it is none. */
  #take(
    row: number,
    record: number,
    range: { readonly start: number; readonly limit: number },
    onReject: (record: number, misfit: Misfit) => void,
  ): { readonly next: number; readonly row: boolean | undefined } | undefined {
    const read = this.reader.read(range.start, range.limit, this.#layout.width === 1)
    if (read.kind === 'incomplete') return undefined
    if (read.kind === 'nothing') return { next: read.next, row: undefined }
    this.counters.fallbackRecords++
    this.starts[record] = range.start
    this.ends[record] = read.end
    for (const leaf of this.leaves) leaf.setNull(row)
    const misfit =
      read.kind === 'malformed'
        ? ({ code: 'connector_record_invalid', detail: 'text follows the closing quote of a field' } as const)
        : this.#store(row, read.fields)
    if (misfit !== undefined) {
      onReject(record, misfit)
      for (const leaf of this.leaves) leaf.setNull(row)
      return { next: read.next, row: false }
    }
    this.counters.fallbackValues += this.leaves.length
    this.rowRecord[row] = record
    return { next: read.next, row: true }
  }

  #store(
    row: number,
    fields: readonly { readonly quoted: boolean; readonly bytes: Uint8Array; readonly address: number | undefined }[],
  ): Misfit | undefined {
    const { width } = this.#layout
    const { nullText, fieldBytesMax, ragged } = this.#dialect
    if (fields.length !== width && ragged === 'error') {
      return { code: 'connector_record_invalid', detail: `the record has ${fields.length} fields, not ${width}` }
    }
    for (const leaf of this.leaves) {
      const field = fields[this.#layout.positions[leaf.index]!]
      const isNull = field === undefined || (!field.quoted && Buffer.compare(field.bytes, nullText) === 0)
      if (!isNull && field.bytes.length > fieldBytesMax) {
        const detail = `column ${JSON.stringify(leaf.spec.name)}: longer than field_bytes_max, ${fieldBytesMax} bytes`
        return { code: 'connector_record_too_large', detail }
      }
      const misfit = isNull ? storeNull(leaf, row) : storeText(leaf, row, field)
      if (misfit !== undefined) return misfit
    }
    return undefined
  }

  #reserveSide(inputBytes: number): void {
    const needed = inputBytes + 4096
    if (needed <= this.#sideSize) return
    const { memory } = this.#kernels
    if (this.#sideSize > 0) memory.free(this.#side, this.#sideSize)
    this.#side = memory.allocate(needed)
    this.#sideSize = needed
  }
}
