import { type Column, type ColumnKind, columnKind } from '../core/column.ts'
import { ColumnBuilder } from '../core/column-builder.ts'
import type { WorkerMemory } from '../core/memory.ts'
import { Scratch } from '../core/scratch.ts'
import type { DataType } from '../core/types.ts'
import { hasLanes, type Value, wide } from '../core/values.ts'

/**
 * One computed column of a row program. Generated loops store into its arrays by position; the interpreter calls `set`.
 * Values of the wide lane are kept beside the array until `finish`. Arrays are replaced by `reserve`.
 */
export class OutputColumn implements Disposable {
  readonly type: DataType
  readonly kind: ColumnKind
  data: Float64Array | Int32Array | Uint8Array = new Uint8Array(0)
  validity: Uint8Array = new Uint8Array(0)
  spans: Uint32Array = new Uint32Array(0)
  boxed: Value[] = []
  /** A NULL was stored since `reset`; generated loops set it, too. */
  nulls = false
  readonly #memory: WorkerMemory
  readonly #scratch: Scratch
  /** Values beyond the safe lane, by position; undefined while there is none. */
  #wide: bigint[] | undefined
  #capacity = 0
  #address = 0
  #validityAddress = 0
  #builder: ColumnBuilder | undefined

  constructor(type: DataType, memory: WorkerMemory) {
    this.type = type
    this.kind = columnKind(type)
    this.#memory = memory
    this.#scratch = new Scratch(memory)
  }

  /** Makes room for `rows` rows and forgets what was stored. */
  reserve(rows: number): void {
    this.nulls = false
    this.#wide = undefined
    this.#scratch.reset()
    this.boxed = []
    if (rows <= this.#capacity) return
    this.#free()
    this.#capacity = rows
    this.#address = this.#memory.allocate(rows * 8)
    this.#validityAddress = this.#memory.allocate(rows)
    const { buffer } = this.#memory
    this.validity = new Uint8Array(buffer, this.#validityAddress, rows)
    if (this.kind === 'utf8') this.spans = new Uint32Array(buffer, this.#address, rows * 2)
    else if (this.kind === 'i32') this.data = new Int32Array(buffer, this.#address, rows)
    else if (this.kind === 'bool') this.data = new Uint8Array(buffer, this.#address, rows)
    else this.data = new Float64Array(buffer, this.#address, rows)
  }

  set(at: number, value: Value): void {
    if (value === null) {
      this.setNull(at)
      return
    }
    this.validity[at] = 1
    if (typeof value === 'bigint' && hasLanes(this.type)) {
      this.data[at] = 0
      this.#wide ??= []
      this.#wide[at] = value
      return
    }
    switch (this.kind) {
      case 'utf8':
        if (typeof value === 'string') this.setText(at, value)
        else this.setBytes(at, value as Uint8Array)
        return
      case 'bool':
        this.data[at] = value === true ? 1 : 0
        return
      case 'struct':
      case 'boxed':
        this.boxed[at] = value
        return
      default:
        this.data[at] = value as number
    }
  }

  /** NULL, with a harmless value below. */
  setNull(at: number): void {
    this.nulls = true
    this.validity[at] = 0
    if (this.kind === 'utf8') {
      this.spans[2 * at] = 0
      this.spans[2 * at + 1] = 0
    } else if (this.kind === 'struct' || this.kind === 'boxed') this.boxed[at] = null
    else this.data[at] = 0
  }

  setText(at: number, value: string): void {
    this.spans[2 * at] = this.#scratch.text(value)
    this.spans[2 * at + 1] = this.#scratch.lastLength
  }

  setBytes(at: number, value: Uint8Array): void {
    this.spans[2 * at] = this.#scratch.copy(value)
    this.spans[2 * at + 1] = value.length
  }

  /** The column of the first `rows` rows, valid until the next `reserve`. */
  finish(rows: number): Column {
    const { type, kind } = this
    const validity = this.nulls ? this.validity : undefined
    switch (kind) {
      case 'f64':
        return { kind, type, validity, data: this.data as Float64Array }
      case 'i32':
        return { kind, type, validity, data: this.data as Int32Array }
      case 'bool':
        return { kind, type, validity, data: this.data as Uint8Array }
      case 'utf8':
        return { kind, type, validity, spans: this.spans, bytes: this.#memory.bytes }
      case 'struct':
        return this.#structColumn(rows)
      case 'i64':
      case 'decimal':
        return this.#laneColumn(rows, kind, validity)
      case 'boxed':
      case 'dict':
        return { kind: 'boxed', type, validity, data: this.boxed }
    }
  }

  #laneColumn(rows: number, kind: 'i64' | 'decimal', validity: Uint8Array | undefined): Column {
    const { type } = this
    const data = this.data as Float64Array
    const found = this.#wide
    if (found === undefined) return { kind, lane: 'safe', type, validity, data }
    const all = kind === 'decimal' ? new Array<bigint>(rows) : new BigInt64Array(rows)
    for (let i = 0; i < rows; i++) all[i] = found[i] ?? wide(data[i]!)
    return kind === 'decimal'
      ? { kind, lane: 'wide', type, validity, data: all as bigint[] }
      : { kind, lane: 'wide', type, validity, data: all as BigInt64Array }
  }

  #structColumn(rows: number): Column {
    if (this.#builder === undefined || this.#builder.capacity < rows) {
      this.#builder?.[Symbol.dispose]()
      this.#builder = new ColumnBuilder(this.type, rows, this.#memory)
    }
    this.#builder.reset()
    for (let i = 0; i < rows; i++) this.#builder.append(this.boxed[i]!)
    return this.#builder.finish()
  }

  #free(): void {
    if (this.#capacity === 0) return
    this.#memory.free(this.#address, this.#capacity * 8)
    this.#memory.free(this.#validityAddress, this.#capacity)
  }

  [Symbol.dispose](): void {
    this.#free()
    this.#capacity = 0
    this.#scratch[Symbol.dispose]()
    this.#builder?.[Symbol.dispose]()
  }
}
