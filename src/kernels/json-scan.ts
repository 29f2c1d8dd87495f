import type { Column } from '../core/column.ts'
import { limits } from '../core/limits.ts'
import { JsonNodes } from './json-nodes.ts'
import { type PathColumn, PathColumns } from './json-paths.ts'
import { JsonRecordReader } from './json-scan-twin.ts'
import { TemplateWriter } from './json-template.ts'
import type { Kernels } from './kernels.ts'
import { type Leaf, widenTwin } from './leaf.ts'
import { type Misfit, storeJson } from './store-json.ts'

const CONTEXT_BYTES = 256
/** Words of the context, as asm/json-scan.ts reads them. */
const C = {
  starts: 0,
  ends: 1,
  idx: 2,
  count: 3,
  row: 4,
  table: 5,
  templates: 6,
  hits: 7,
  rowRecord: 8,
  side: 9,
  strict: 10,
  host: 11,
  walks: 12,
  root: 13,
  required: 14,
  requiredCount: 15,
  validities: 17,
  validitiesCount: 18,
} as const
/** Where the table of templates and their hits lie in the context. */
const TABLE_BYTES = 128
const HITS_BYTES = 192
/** Records without template between two shapes that are learned once all places are taken. */
const WALKS_PER_SHAPE = 64

interface Template {
  readonly address: number
  readonly size: number
  hits: number
}

export interface ScannerCounters {
  kernelValues: number
  fallbackValues: number
  fallbackRecords: number
}

/**
 * Records → columns. Shapes of records are learned from the records (at most `limits.jsonTemplates`, the hottest is
 * tried first); a record that fits none goes through the reader in TypeScript, so the answer never depends on what was
 * learned. With kernels off the reader takes all of them.
 */
export class JsonScanner implements Disposable {
  readonly columns: PathColumns
  readonly counters: ScannerCounters = { kernelValues: 0, fallbackValues: 0, fallbackRecords: 0 }
  /** Index of the records of a scan: row i came from record rowRecord[i]. */
  readonly rowRecord: Uint32Array
  readonly #kernels: Kernels
  readonly #reader: JsonRecordReader
  readonly #writer: TemplateWriter
  readonly #capacity: number
  readonly #context: number
  readonly #words: Uint32Array
  readonly #table: Uint32Array
  readonly #hits: Uint32Array
  readonly #rowRecordAddress: number
  #templates: Template[] = []
  /** The record that was learned last: its template must fit it, so it is not learned twice in a row. */
  #learnedAt = -1
  #side = 0
  #sideSize = 0
  readonly #compiled: boolean
  readonly #nodes: JsonNodes

  constructor(
    columns: readonly PathColumn[],
    kernels: Kernels,
    options: { readonly capacity: number; readonly strict: boolean; readonly compiled: boolean },
  ) {
    const { memory } = kernels
    const { capacity, strict } = options
    this.#kernels = kernels
    this.#capacity = capacity
    this.#compiled = options.compiled && kernels.mode === 'on'
    this.columns = new PathColumns(columns, memory, capacity)
    this.#reader = new JsonRecordReader(this.columns, memory, strict)
    this.#writer = new TemplateWriter(this.columns, memory, strict)
    this.#context = memory.allocate(CONTEXT_BYTES)
    const words = new Uint32Array(memory.buffer, this.#context, CONTEXT_BYTES / 4).fill(0)
    this.#words = words
    this.#table = words.subarray(TABLE_BYTES / 4, HITS_BYTES / 4)
    this.#hits = words.subarray(HITS_BYTES / 4)
    this.#rowRecordAddress = memory.allocate(4 * (capacity + 1))
    this.rowRecord = new Uint32Array(memory.buffer, this.#rowRecordAddress, capacity)
    this.#words[C.table] = this.#context + TABLE_BYTES
    this.#words[C.hits] = this.#context + HITS_BYTES
    this.#words[C.rowRecord] = this.#rowRecordAddress
    this.#words[C.strict] = strict ? 1 : 0
    this.#nodes = new JsonNodes(this.columns, memory)
    this.#words[C.root] = this.#nodes.root
    this.#words[C.required] = this.#nodes.required.address
    this.#words[C.requiredCount] = this.#nodes.required.count
    this.#words[C.validities] = this.#nodes.validities.address
    this.#words[C.validitiesCount] = this.#nodes.validities.count
  }

  /**
   * Reads `count` records ([starts[i], ends[i]), arrays at those addresses; at most the capacity) into rows; returns
   * their number. `inputBytes` bounds the records' bytes together. Rejected records are told in order.
   */
  scan(
    input: { readonly starts: number; readonly ends: number; readonly count: number; readonly inputBytes: number },
    onReject: (record: number, misfit: Misfit) => void,
  ): number {
    this.columns.begin(input.count)
    const { buffer } = this.#kernels.memory
    const starts = new Uint32Array(buffer, input.starts, input.count)
    const ends = new Uint32Array(buffer, input.ends, input.count)
    const rows = this.#compiled
      ? this.#scanCompiled(input, starts, ends, onReject)
      : this.#scanTwin(starts, ends, onReject)
    return rows
  }

  /** The columns of the first `rows` rows of the last scan. */
  finish(rows: number): Column[] {
    const { exports } = this.#kernels
    const compiled = this.#compiled
    const anyZero = (address: number, bytes: Uint8Array): boolean =>
      compiled ? exports.anyZero(address, rows) !== 0 : bytes.subarray(0, rows).includes(0)
    const widen = compiled ? (leaf: Leaf, n: number) => exports.widen(leaf.dataAddress, leaf.wideAddress, n) : widenTwin
    return this.columns.finish(
      rows,
      (leaf) => leaf.finish(rows, anyZero(leaf.validityAddress, leaf.validity), widen),
      (slot) => anyZero(slot.validityAddress, slot.validity),
    )
  }

  [Symbol.dispose](): void {
    const { memory } = this.#kernels
    this.columns[Symbol.dispose]()
    this.#nodes[Symbol.dispose]()
    for (const template of this.#templates) memory.free(template.address, template.size)
    this.#templates = []
    memory.free(this.#context, CONTEXT_BYTES)
    memory.free(this.#rowRecordAddress, 4 * (this.#capacity + 1))
    if (this.#sideSize > 0) memory.free(this.#side, this.#sideSize)
    this.#sideSize = 0
  }

  #scanTwin(starts: Uint32Array, ends: Uint32Array, onReject: (record: number, misfit: Misfit) => void): number {
    let row = 0
    for (let record = 0; record < starts.length; record++) {
      if (this.#read(row, record, starts, ends, onReject)) row++
    }
    return row
  }

  #scanCompiled(
    input: { readonly starts: number; readonly ends: number; readonly count: number; readonly inputBytes: number },
    starts: Uint32Array,
    ends: Uint32Array,
    onReject: (record: number, misfit: Misfit) => void,
  ): number {
    const kernels = this.#kernels
    const words = this.#words
    this.#reserveSide(input.inputBytes)
    words[C.starts] = input.starts
    words[C.ends] = input.ends
    words[C.count] = input.count
    words[C.side] = this.#side
    words[C.idx] = 0
    words[C.row] = 0
    words[C.host] = 0
    this.#learnedAt = -1
    kernels.hostValue = (column, row, start, end) =>
      storeJson(this.columns.leaves[column]!, row, kernels.memory, start, end) === undefined ? 1 : 0
    let fallbackRows = 0
    for (;;) {
      const status = kernels.exports.scanJson(this.#context)
      if (status === 0) break
      const record = words[C.idx]!
      // A new shape: learn it, and let the kernel read the record key by key when that cannot be.
      if (status === 1 && (this.#learn(starts[record]!, ends[record]!) || this.#walkOn())) continue
      const row = words[C.row]!
      if (this.#read(row, record, starts, ends, onReject)) {
        words[C.row] = row + 1
        fallbackRows++
      }
      words[C.idx] = record + 1
    }
    const rows = words[C.row]!
    const host = words[C.host]!
    this.counters.kernelValues += (rows - fallbackRows) * this.columns.leaves.length - host
    this.counters.fallbackValues += host
    this.#reorder()
    return rows
  }

  #read(
    row: number,
    record: number,
    starts: Uint32Array,
    ends: Uint32Array,
    onReject: (record: number, misfit: Misfit) => void,
  ): boolean {
    this.counters.fallbackRecords++
    const misfit = this.#reader.read(row, starts[record]!, ends[record]!)
    if (misfit !== undefined) {
      onReject(record, misfit)
      return false
    }
    this.counters.fallbackValues += this.columns.leaves.length
    this.rowRecord[row] = record
    return true
  }

  /** Learns the shape of a record that no template fits; false when it has none that a template could hold. */
  #learn(start: number, end: number): boolean {
    if (this.#learnedAt === start) return false
    const written = this.#writer.write(start, end)
    if (written === undefined) return false
    this.#learnedAt = start
    if (this.#templates.length >= limits.jsonTemplates) this.#dropColdest()
    this.#templates.push({ ...written, hits: 0 })
    this.#writeTable()
    if (this.#templates.length >= limits.jsonTemplates) this.#walkOn()
    return true
  }

  /** Until the next shape is learned, records without template are read key by key; false: they cannot be. */
  #walkOn(): boolean {
    if (this.#nodes.root === 0) return false
    this.#words[C.walks] = this.#templates.length < limits.jsonTemplates ? 1 : WALKS_PER_SHAPE
    return true
  }

  #dropColdest(): void {
    this.#takeHits()
    this.#templates.sort((a, b) => b.hits - a.hits)
    const coldest = this.#templates.pop()!
    this.#kernels.memory.free(coldest.address, coldest.size)
    // hits fade, so that a shape that was hot long ago can lose its place
    for (const template of this.#templates) template.hits = Math.floor(template.hits / 2)
  }

  #takeHits(): void {
    this.#templates.forEach((template, i) => {
      template.hits += this.#hits[i]!
      this.#hits[i] = 0
    })
  }

  /** Hottest first. */
  #reorder(): void {
    if (this.#templates.length < 2) return
    this.#takeHits()
    const sorted = this.#templates.every((template, i) => i === 0 || this.#templates[i - 1]!.hits >= template.hits)
    if (sorted) return
    this.#templates.sort((a, b) => b.hits - a.hits)
    this.#writeTable()
  }

  #writeTable(): void {
    this.#templates.forEach((template, i) => {
      this.#table[i] = template.address
    })
    this.#words[C.templates] = this.#templates.length
  }

  /** Unescaped text and octets are never longer than their input, and a template reads no value twice. */
  #reserveSide(inputBytes: number): void {
    const needed = inputBytes + 4096
    if (needed <= this.#sideSize) return
    const { memory } = this.#kernels
    if (this.#sideSize > 0) memory.free(this.#side, this.#sideSize)
    this.#side = memory.allocate(needed)
    this.#sideSize = needed
  }
}
