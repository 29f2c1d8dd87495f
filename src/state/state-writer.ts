import type { StateBytes } from '../core/state-bytes.ts'
import type { Interval, Value } from '../core/values.ts'
import { PAGE, StatePages } from './state-pages.ts'
import { TAG } from './value-tags.ts'

/**
 * What an operator keeps, copied at a barrier (rulings 22): little-endian fields in pages of 64 KiB, so that the
 * operator goes on while they are stored. `StateReader` reads them back in the same order. Whoever has stored the state
 * disposes of it: its pages are then used again.
 */
export class StateWriter implements StateBytes, Disposable {
  readonly #pool: StatePages
  readonly #full: { readonly page: Uint8Array<ArrayBuffer>; readonly used: number }[] = []
  #fullBytes = 0
  #page: Uint8Array<ArrayBuffer>
  #view: DataView
  #text: Buffer
  #used = 0

  constructor(pool: StatePages = new StatePages()) {
    this.#pool = pool
    this.#page = pool.take(PAGE)
    this.#view = new DataView(this.#page.buffer)
    this.#text = Buffer.from(this.#page.buffer)
  }

  get byteLength(): number {
    return this.#fullBytes + this.#used
  }

  *chunks(): Iterable<Uint8Array> {
    for (const { page, used } of this.#full) yield page.subarray(0, used)
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

  /** A length and the UTF-16 units: also text that is no valid Unicode comes back as it was. */
  text(text: string): void {
    const size = 2 * text.length
    this.u32(size)
    if (size > this.#page.length - this.#used) this.#turn(size)
    this.#text.write(text, this.#used, 'utf16le')
    this.#used += size
  }

  /** A count and the numbers, copied. */
  f64s(values: Float64Array): void {
    this.u32(values.length)
    this.#copy(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  /** A count, and what `write` puts into the bytes that it is given: `count` items of `width` bytes, 8-byte aligned. */
  fill(count: number, width: number, write: (bytes: Uint8Array<ArrayBuffer>) => void): void {
    this.u32(count)
    const size = count * width
    if (size < PAGE) {
      const bytes = new Uint8Array(size)
      write(bytes)
      this.#copy(bytes)
      return
    }
    this.#turn(size)
    write(this.#page.subarray(0, size))
    this.#used = size
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
    this.#full.push({ page: this.#page, used: this.#used })
    this.#fullBytes += this.#used
    this.#page = this.#pool.take(size)
    this.#view = new DataView(this.#page.buffer)
    this.#text = Buffer.from(this.#page.buffer)
    this.#used = 0
  }

  #copy(bytes: Uint8Array): void {
    if (bytes.length > this.#page.length - this.#used) this.#turn(bytes.length)
    this.#page.set(bytes, this.#used)
    this.#used += bytes.length
  }

  [Symbol.dispose](): void {
    this.#pool.give([...this.#full.map(({ page }) => page), this.#page])
    this.#full.length = 0
    this.#used = 0
  }
}
