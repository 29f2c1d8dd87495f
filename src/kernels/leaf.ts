import { type Column, columnKind } from '../core/column.ts'
import type { WorkerMemory } from '../core/memory.ts'
import { Scratch } from '../core/scratch.ts'
import type { DataType } from '../core/types.ts'
import type { ExactInteger, Value } from '../core/values.ts'

/** Kinds of values in a scanner's step; the numbers are those of asm/json-scan.ts and asm/csv-scan.ts. */
export const VALUE = {
  f64: 7,
  i64: 8,
  time: 9,
  string: 10,
  bool: 11,
  i32: 12,
  date: 13,
  decimal: 14,
  json: 15,
  bytes: 16,
  host: 17,
} as const

export type TimeUnit = 'auto' | 's' | 'ms' | 'us' | 'ns'

export interface LeafSpec {
  /** As messages name it. */
  readonly name: string
  readonly type: DataType
  readonly required: boolean
  readonly timeUnit: TimeUnit
  /** A STRING column that takes any JSON value, as its text. */
  readonly mixed: boolean
}

const UNITS: readonly TimeUnit[] = ['auto', 's', 'ms', 'us', 'ns']
/** Room before the wide lane: its first word is the flag that a kernel sets. */
const WIDE_HEADER = 64

/**
 * The storage of one scalar column while records are decoded: one array in the memory that kernels and twins write by
 * row, and the lanes that only the host fills. `finish` makes a column of the first rows; it is valid until `begin`.
 */
export class Leaf implements Disposable {
  readonly spec: LeafSpec
  readonly index: number
  /** One of `VALUE`. */
  readonly kind: number
  /** What the kernel's step gets beside the addresses. */
  readonly parameter: number
  readonly dataAddress: number
  readonly validityAddress: number
  readonly wideAddress: number
  readonly validity: Uint8Array
  readonly f64: Float64Array
  readonly i32: Int32Array
  readonly u8: Uint8Array
  readonly spans: Uint32Array
  readonly #memory: WorkerMemory
  readonly #capacity: number
  readonly #width: number
  readonly #wide: BigInt64Array
  readonly #wideFlag: Uint32Array
  /** The same bytes: shared memory is filled element by element, and by eights that takes an eighth of the time. */
  readonly #eightValidities: Float64Array
  #bigints: Map<number, bigint> | undefined
  #boxed: Value[] = []
  readonly #text: Scratch

  constructor(spec: LeafSpec, index: number, options: { readonly memory: WorkerMemory; readonly capacity: number }) {
    const { memory, capacity } = options
    this.spec = spec
    this.index = index
    this.kind = valueKind(spec.type)
    this.parameter = parameterOf(spec)
    this.#memory = memory
    this.#capacity = capacity
    this.#width = widthOf(spec.type)
    this.#text = new Scratch(memory)
    this.dataAddress = memory.allocate(this.#width * capacity)
    this.validityAddress = memory.allocate((capacity + 7) & ~7)
    const lanes = this.kind === VALUE.i64 || this.kind === VALUE.time
    const wide = lanes ? memory.allocate(WIDE_HEADER + 8 * capacity) : 0
    this.wideAddress = lanes ? wide + WIDE_HEADER : 0
    const { buffer } = memory
    memory.bytes.fill(0, this.dataAddress, this.dataAddress + this.#width * capacity)
    this.validity = new Uint8Array(buffer, this.validityAddress, capacity)
    this.#eightValidities = new Float64Array(buffer, this.validityAddress, (capacity + 7) >> 3)
    const eight = this.#width === 8 ? capacity : 0
    this.f64 = new Float64Array(buffer, this.dataAddress, eight)
    this.spans = new Uint32Array(buffer, this.dataAddress, 2 * eight)
    this.i32 = new Int32Array(buffer, this.dataAddress, this.#width === 4 ? capacity : 0)
    this.u8 = new Uint8Array(buffer, this.dataAddress, this.#width === 1 ? capacity : 0)
    this.#wide = new BigInt64Array(buffer, this.wideAddress, lanes ? capacity : 0)
    this.#wideFlag = new Uint32Array(buffer, wide, lanes ? 1 : 0).fill(0)
  }

  /** Before the first row of a batch: no values, no text. */
  begin(rows: number): void {
    this.#eightValidities.fill(0, 0, (rows + 7) >> 3)
    this.#text.reset()
    if (this.#bigints !== undefined) this.#bigints = undefined
    if (this.kind === VALUE.host) this.#boxed = new Array(rows).fill(null)
  }

  setNull(row: number): void {
    this.validity[row] = 0
    if (this.kind === VALUE.host) this.#boxed[row] = null
    else this.#bigints?.delete(row)
  }

  /** An integer of a column with two lanes. */
  setExact(row: number, value: ExactInteger): void {
    this.validity[row] = 1
    if (typeof value === 'number') {
      this.f64[row] = value
      return
    }
    if (this.kind === VALUE.decimal) {
      this.f64[row] = 0
      this.#bigints ??= new Map()
      this.#bigints.set(row, value)
      return
    }
    this.f64[row] = Number.NaN
    this.#wide[row] = value
    this.#wideFlag[0] = 1
  }

  /** A DOUBLE. */
  setDouble(row: number, value: number): void {
    this.validity[row] = 1
    this.f64[row] = value
  }

  /** SMALLINT, INT, DATE. */
  setInt(row: number, value: number): void {
    this.validity[row] = 1
    this.i32[row] = value
  }

  setBoolean(row: number, value: boolean): void {
    this.validity[row] = 1
    this.u8[row] = value ? 1 : 0
  }

  /** Text or octets that lie in the memory. */
  setSpan(row: number, address: number, length: number): void {
    this.validity[row] = 1
    this.spans[2 * row] = address
    this.spans[2 * row + 1] = length
  }

  /** Text that is kept until the batch has gone through; lone surrogates become U+FFFD. */
  setText(row: number, text: string): void {
    const address = this.#text.text(text)
    this.setSpan(row, address, this.#text.lastLength)
  }

  setBytes(row: number, bytes: Uint8Array): void {
    this.setSpan(row, this.#text.copy(bytes), bytes.length)
  }

  /** ARRAY, MAP, INTERVAL. */
  setBoxed(row: number, value: Value): void {
    this.validity[row] = 1
    this.#boxed[row] = value
  }

  /** The column of the first `rows` rows; `nulls` tells whether one of them is NULL. */
  finish(rows: number, nulls: boolean, widen: (leaf: Leaf, rows: number) => void): Column {
    const { type } = this.spec
    const validity = nulls ? this.validity : undefined
    switch (this.kind) {
      case VALUE.f64:
        return { kind: 'f64', type, validity, data: this.f64 }
      case VALUE.i32:
      case VALUE.date:
        return { kind: 'i32', type, validity, data: this.i32 }
      case VALUE.i64:
      case VALUE.time:
        if (this.#wideFlag[0] === 0) return { kind: 'i64', lane: 'safe', type, validity, data: this.f64 }
        this.#wideFlag[0] = 0
        widen(this, rows)
        return { kind: 'i64', lane: 'wide', type, validity, data: this.#wide }
      case VALUE.decimal: {
        const wide = this.#bigints
        if (wide === undefined || wide.size === 0)
          return { kind: 'decimal', lane: 'safe', type, validity, data: this.f64 }
        const data = Array.from({ length: rows }, (_, row) => wide.get(row) ?? BigInt(this.f64[row]!))
        return { kind: 'decimal', lane: 'wide', type, validity, data }
      }
      case VALUE.bool:
        return { kind: 'bool', type, validity, data: this.u8 }
      case VALUE.host:
        return { kind: 'boxed', type, validity, data: this.#boxed }
      default:
        return { kind: 'utf8', type, validity, spans: this.spans, bytes: this.#memory.bytes }
    }
  }

  [Symbol.dispose](): void {
    this.#memory.free(this.dataAddress, this.#width * this.#capacity)
    this.#memory.free(this.validityAddress, this.#capacity)
    if (this.wideAddress !== 0) this.#memory.free(this.wideAddress - WIDE_HEADER, WIDE_HEADER + 8 * this.#capacity)
    this.#text[Symbol.dispose]()
  }
}

/** Fills the wide lane of a leaf without the kernel. */
export function widenTwin(leaf: Leaf, rows: number): void {
  const wide = new BigInt64Array(leaf.f64.buffer, leaf.wideAddress, rows)
  for (let row = 0; row < rows; row++) {
    const value = leaf.f64[row]!
    if (Number.isNaN(value)) leaf.f64[row] = 0
    else wide[row] = BigInt(value)
  }
}

function valueKind(type: DataType): number {
  switch (type.kind) {
    case 'double':
      return VALUE.f64
    case 'bigint':
      return VALUE.i64
    case 'timestamp':
    case 'timestamptz':
      return VALUE.time
    case 'string':
      return VALUE.string
    case 'boolean':
      return VALUE.bool
    case 'smallint':
    case 'int':
      return VALUE.i32
    case 'date':
      return VALUE.date
    case 'decimal':
      return VALUE.decimal
    case 'json':
      return VALUE.json
    case 'bytes':
      return VALUE.bytes
    default:
      return VALUE.host
  }
}

function parameterOf(spec: LeafSpec): number {
  const { type } = spec
  switch (type.kind) {
    case 'smallint':
      return 32_767
    case 'int':
      return 2_147_483_647
    case 'timestamp':
    case 'timestamptz':
      return UNITS.indexOf(spec.timeUnit)
    case 'string':
      return type.length ?? 0xffff_ffff
    case 'decimal':
      return type.scale | (Math.min(type.precision, 16) << 8)
    case 'json':
      return 0xffff_ffff
    default:
      return 0
  }
}

function widthOf(type: DataType): number {
  switch (columnKind(type)) {
    case 'i32':
      return 4
    case 'bool':
      return 1
    case 'boxed':
      return 0
    default:
      return 8
  }
}
