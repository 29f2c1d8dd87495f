import type { StateBytes } from '../core/state-bytes.ts'
import type { Interval, Value } from '../core/values.ts'
import { TAG } from './value-tags.ts'

const PAGE = 64 * 1024

/**
 * What an operator keeps, copied at a barrier (rulings 22): little-endian fields in pages of 64 KiB, so that the
 * operator goes on while they are stored. `StateReader` reads them back in the same order.
 */
export class StateWriter implements StateBytes {
  readonly #pages: Uint8Array[] = []
  #page = new Uint8Array(PAGE)
  #view = new DataView(this.#page.buffer)
  #text = Buffer.from(this.#page.buffer)
  #used = 0
  #full = 0

  get byteLength(): number {
    return this.#full + this.#used
  }

  *chunks(): Iterable<Uint8Array> {
    yield* this.#pages
    if (this.#used > 0) yield this.#page.subarray(0, this.#used)
  }

  u8(value: number): void {
    this.#room(1)
    this.#page[this.#used++] = value
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  u32(value: number): void {
    this.#room(4)
    this.#view.setUint32(this.#used, value, true)
    this.#used += 4
  }

  f64(value: number): void {
    this.#room(8)
    this.#view.setFloat64(this.#used, value, true)
    this.#used += 8
  }

  i64(value: bigint): void {
    this.#room(8)
    this.#view.setBigInt64(this.#used, value, true)
    this.#used += 8
  }

  /** A length and the bytes, copied. */
  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length)
    this.#copy(bytes)
  }

  /** The same without a copy: the bytes are the writer's from now on. */
  take(bytes: Uint8Array): void {
    this.u32(bytes.length)
    this.#adopt(bytes)
  }

  /** A length and the UTF-16 units: also text that is no valid Unicode comes back as it was. */
  text(text: string): void {
    const size = 2 * text.length
    this.u32(size)
    if (size > this.#page.length - this.#used) this.#turn(Math.max(PAGE, size))
    this.#text.write(text, this.#used, 'utf16le')
    this.#used += size
  }

  /** A count and the numbers, copied. */
  f64s(values: Float64Array): void {
    this.u32(values.length)
    this.#copy(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  /** A count and the numbers; the array is the writer's from now on. */
  takeU32s(values: Uint32Array): void {
    this.u32(values.length)
    this.#adopt(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  /** A count and the numbers; the array is the writer's from now on. */
  takeF64s(values: Float64Array): void {
    this.u32(values.length)
    this.#adopt(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  /** A count, and `each` for every item. */
  list<T>(items: Iterable<T> & ({ readonly length: number } | { readonly size: number }), each: (item: T) => void) {
    this.u32('length' in items ? items.length : items.size)
    for (const item of items) each(item)
  }

  /** A value with its kind. */
  value(value: Value): void {
    if (value === null) this.u8(TAG.null)
    else if (typeof value === 'boolean') this.u8(value ? TAG.true : TAG.false)
    else if (typeof value === 'number') {
      this.u8(TAG.number)
      this.f64(value)
    } else if (typeof value === 'bigint') {
      if (BigInt.asIntN(64, value) === value) {
        this.u8(TAG.long)
        this.i64(value)
      } else {
        this.u8(TAG.bigint)
        this.text(value.toString())
      }
    } else if (typeof value === 'string') {
      this.u8(TAG.text)
      this.text(value)
    } else if (value instanceof Uint8Array) {
      this.u8(TAG.bytes)
      this.bytes(value)
    } else if (value instanceof Map) {
      this.u8(TAG.map)
      this.list(value as ReadonlyMap<Value, Value>, ([key, item]) => {
        this.value(key)
        this.value(item)
      })
    } else if (Array.isArray(value)) {
      this.u8(TAG.list)
      this.values(value as readonly Value[])
    } else {
      const { months, days, micros } = value as Interval
      this.u8(TAG.interval)
      this.f64(months)
      this.f64(days)
      this.f64(micros)
    }
  }

  values(values: readonly Value[]): void {
    this.list(values, (value) => this.value(value))
  }

  #room(size: number): void {
    if (this.#used + size > this.#page.length) this.#turn(PAGE)
  }

  #turn(size: number): void {
    if (this.#used > 0) this.#pages.push(this.#page.subarray(0, this.#used))
    this.#full += this.#used
    this.#page = new Uint8Array(size)
    this.#view = new DataView(this.#page.buffer)
    this.#text = Buffer.from(this.#page.buffer)
    this.#used = 0
  }

  /** Bytes of a page and more are handed on as they are. */
  #adopt(bytes: Uint8Array): void {
    if (bytes.length < PAGE) {
      this.#copy(bytes)
      return
    }
    if (this.#used > 0) this.#turn(PAGE)
    this.#pages.push(bytes)
    this.#full += bytes.length
  }

  #copy(bytes: Uint8Array): void {
    if (bytes.length > this.#page.length - this.#used) this.#turn(Math.max(PAGE, bytes.length))
    this.#page.set(bytes, this.#used)
    this.#used += bytes.length
  }
}
