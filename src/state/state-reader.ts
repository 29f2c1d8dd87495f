import { HeadraceError } from '../core/errors.ts'
import type { Value } from '../core/values.ts'
import { TAG } from './value-tags.ts'

/** Reads what a `StateWriter` wrote. Whatever does not fit is refused: no count or length is believed. */
export class StateReader {
  readonly #name: string
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  /** `name` is that of the state, for messages. */
  constructor(bytes: Uint8Array, name: string) {
    this.#name = name
    // Not as a Buffer, whose slices are no copies.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  bool(): boolean {
    return this.u8() === 1
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }

  /** A view of the state's bytes. */
  bytes(): Uint8Array {
    const length = this.u32()
    const from = this.#take(length)
    return this.#bytes.subarray(from, from + length)
  }

  text(): string {
    const bytes = this.bytes()
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf16le')
  }

  /** A copy. */
  f64s(): Float64Array {
    const count = this.u32()
    const from = this.#take(8 * count)
    return new Float64Array(this.#bytes.slice(from, from + 8 * count).buffer)
  }

  /** The bytes of `count` numbers that `f64s` wrote, as a view; another count is refused. */
  f64Bytes(count: number): Uint8Array {
    const found = this.u32()
    if (found !== count) this.refuse(`has ${found} numbers where ${count} should be`)
    const from = this.#take(8 * count)
    return this.#bytes.subarray(from, from + 8 * count)
  }

  /** A copy. */
  u32s(): Uint32Array {
    const count = this.u32()
    const from = this.#take(4 * count)
    return new Uint32Array(this.#bytes.slice(from, from + 4 * count).buffer)
  }

  list<T>(each: () => T): T[] {
    const items: T[] = []
    for (let count = this.u32(); count > 0; count--) items.push(each())
    return items
  }

  value(): Value {
    const tag = this.u8()
    switch (tag) {
      case TAG.null:
        return null
      case TAG.false:
        return false
      case TAG.true:
        return true
      case TAG.number:
        return this.f64()
      case TAG.bigint:
        return BigInt(this.text())
      case TAG.long:
        return this.i64()
      case TAG.text:
        return this.text()
      case TAG.bytes:
        return this.bytes().slice()
      case TAG.list:
        return this.values()
      case TAG.map:
        return new Map(this.list(() => [this.value(), this.value()] as const))
      case TAG.interval:
        return { months: this.f64(), days: this.f64(), micros: this.f64() }
      default:
        return this.refuse(`has a value of the unknown kind ${tag}`)
    }
  }

  bigint(): bigint {
    const value = this.value()
    return typeof value === 'bigint' ? value : this.refuse('has another value where a wide integer should be')
  }

  values(): Value[] {
    return this.list(() => this.value())
  }

  /** All of the state must have been read. */
  end(): void {
    if (this.left > 0) this.refuse(`has ${this.left} bytes more than this version reads`)
  }

  /** Expects the version that the reader knows. */
  version(known: number): void {
    const found = this.u8()
    if (found !== known) this.refuse(`has version ${found}, this program reads ${known}`)
  }

  #take(size: number): number {
    const from = this.#at
    if (size > this.left) this.refuse(`ends at byte ${this.#bytes.length}, where more should follow`)
    this.#at += size
    return from
  }

  /** `what` follows the name of the state: "has …". */
  refuse(what: string): never {
    throw new HeadraceError('checkpoint_io_error', `operator state '${this.#name}' ${what}`, {
      hint: 'it was written by another version, or for another query',
    })
  }
}
