import { type Column, type ColumnKind, columnKind, type DictColumn } from './column.ts'
import { assert } from './errors.ts'
import type { WorkerMemory } from './memory.ts'
import { Scratch } from './scratch.ts'
import type { DataType } from './types.ts'
import { type ExactInteger, hasLanes, type Value, wide } from './values.ts'

/**
 * Builds one column value by value, for slow paths and edges. The arrays are allocated once for `capacity` rows and
 * used again after `reset`; the column that `finish` returns is valid until then.
 */
export class ColumnBuilder implements Disposable {
  readonly type: DataType
  readonly capacity: number
  readonly #kind: ColumnKind
  readonly #memory: WorkerMemory
  readonly #scratch: Scratch
  readonly #data: number
  readonly #width: number
  readonly #validity: Uint8Array
  readonly #validityAddress: number
  readonly #children: readonly ColumnBuilder[]
  readonly #f64: Float64Array
  readonly #i32: Int32Array
  readonly #spans: Uint32Array
  readonly #u8: Uint8Array
  #wide: bigint[] | undefined
  #boxed: Value[] = []
  #nulls = false
  rows = 0

  constructor(type: DataType, capacity: number, memory: WorkerMemory) {
    this.type = type
    this.capacity = capacity
    this.#kind = columnKind(type)
    this.#memory = memory
    this.#scratch = new Scratch(memory)
    this.#width = widthOf(type)
    this.#data = memory.allocate(this.#width * capacity)
    this.#validityAddress = memory.allocate(capacity)
    this.#validity = new Uint8Array(memory.buffer, this.#validityAddress, capacity)
    const { buffer } = memory
    const eight = this.#width === 8 ? capacity : 0
    this.#f64 = new Float64Array(buffer, this.#data, eight)
    this.#spans = new Uint32Array(buffer, this.#data, 2 * eight)
    this.#i32 = new Int32Array(buffer, this.#data, this.#width === 4 ? capacity : 0)
    this.#u8 = new Uint8Array(buffer, this.#data, this.#width === 1 ? capacity : 0)
    this.#children = type.kind === 'struct' ? type.fields.map((f) => new ColumnBuilder(f.type, capacity, memory)) : []
  }

  append(value: Value): void {
    const row = this.rows++
    assert(row < this.capacity, 'a column builder is full')
    if (value === null) {
      this.#appendNull(row)
      return
    }
    this.#validity[row] = 1
    if (hasLanes(this.type)) this.#appendExact(row, value as ExactInteger)
    else this.#appendPlain(row, value)
  }

  /** A number that is not NULL: DOUBLE, or a safe integer of a type with lanes. */
  appendNumber(value: number): void {
    if (this.#wide !== undefined || this.#kind === 'i32') {
      this.append(value)
      return
    }
    const row = this.rows++
    assert(row < this.capacity, 'a column builder is full')
    this.#validity[row] = 1
    this.#f64[row] = value
  }

  /** The same for `source[from … to)`; `validity[i]` 0 gives NULL. */
  appendNumbers(source: Float64Array, validity: Uint8Array | undefined, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      if (validity !== undefined && validity[i] === 0) this.append(null)
      else this.appendNumber(source[i]!)
    }
  }

  #appendNull(row: number): void {
    this.#nulls = true
    this.#validity[row] = 0
    for (const child of this.#children) child.append(null)
    if (this.#wide !== undefined) this.#wide[row] = 0n
    else if (this.#kind === 'boxed') this.#boxed[row] = null
    else if (this.#width === 8) this.#f64[row] = 0
    else if (this.#width === 4) this.#i32[row] = 0
    else if (this.#width === 1) this.#u8[row] = 0
  }

  #appendExact(row: number, value: ExactInteger): void {
    if (this.#wide === undefined && typeof value === 'number') {
      this.#f64[row] = value
      return
    }
    if (this.#wide === undefined) {
      this.#wide = Array.from(this.#f64.subarray(0, row), BigInt)
    }
    this.#wide[row] = wide(value)
  }

  #appendPlain(row: number, value: Exclude<Value, null>): void {
    switch (this.#kind) {
      case 'f64':
        this.#f64[row] = value as number
        return
      case 'i32':
        this.#i32[row] = value as number
        return
      case 'bool':
        this.#u8[row] = value === true ? 1 : 0
        return
      case 'utf8': {
        const isText = typeof value === 'string'
        const address = isText ? this.#scratch.text(value) : this.#scratch.copy(value as Uint8Array)
        const length = isText ? this.#scratch.lastLength : (value as Uint8Array).length
        this.#spans[2 * row] = address
        this.#spans[2 * row + 1] = length
        return
      }
      case 'struct':
        this.#children.forEach((child, i) => {
          child.append((value as readonly Value[])[i]!)
        })
        return
      default:
        this.#boxed[row] = value
    }
  }

  /** The column of the rows so far. */
  finish(): Exclude<Column, DictColumn> {
    const { type } = this
    const validity = this.#nulls ? this.#validity : undefined
    const kind = this.#kind
    switch (kind) {
      case 'f64':
        return { kind, type, validity, data: this.#f64 }
      case 'i32':
        return { kind, type, validity, data: this.#i32 }
      case 'i64':
        if (this.#wide === undefined) return { kind, lane: 'safe', type, validity, data: this.#f64 }
        return { kind, lane: 'wide', type, validity, data: BigInt64Array.from(this.#wide) }
      case 'decimal':
        if (this.#wide === undefined) return { kind, lane: 'safe', type, validity, data: this.#f64 }
        return { kind, lane: 'wide', type, validity, data: this.#wide }
      case 'bool':
        return { kind, type, validity, data: this.#u8 }
      case 'utf8':
        return { kind, type, validity, spans: this.#spans, bytes: this.#memory.bytes }
      case 'struct':
        return { kind, type, validity, fields: this.#children.map((child) => child.finish()) }
      default:
        return { kind: 'boxed', type, validity, data: this.#boxed }
    }
  }

  reset(): void {
    this.rows = 0
    this.#nulls = false
    this.#wide = undefined
    this.#boxed = []
    this.#scratch.reset()
    for (const child of this.#children) child.reset()
  }

  [Symbol.dispose](): void {
    this.#memory.free(this.#data, this.#width * this.capacity)
    this.#memory.free(this.#validityAddress, this.capacity)
    this.#scratch[Symbol.dispose]()
    for (const child of this.#children) child[Symbol.dispose]()
  }
}

function widthOf(type: DataType): number {
  switch (columnKind(type)) {
    case 'f64':
    case 'i64':
    case 'decimal':
    case 'utf8':
      return 8
    case 'i32':
      return 4
    case 'bool':
      return 1
    default:
      return 0
  }
}
