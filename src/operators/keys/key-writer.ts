import { assert } from '../../core/errors.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import { Scratch } from '../../core/scratch.ts'
import { type ExactInteger, wide } from '../../core/values.ts'

/**
 * Writes canonical key bytes (rulings 41) for the rows of one run into the worker's memory and their spans into an
 * array for the key table. Words are 8 bytes, little-endian: 64-bit integers whatever the integer type, float64 with
 * −0 as 0 and one NaN; text is its UTF-8 length, then its bytes, padded with zeros.
 */
export class KeyWriter implements Disposable {
  readonly spans: Uint32Array
  readonly spansAddress: number
  readonly #memory: WorkerMemory
  readonly #scratch: Scratch
  readonly #capacity: number
  readonly #nullAddress: number
  #bytes: Uint8Array
  #words: Uint32Array
  #doubles: Float64Array
  #start = 0
  #at = 0
  #end = 0

  constructor(memory: WorkerMemory, capacity: number) {
    this.#memory = memory
    this.#capacity = capacity
    this.#scratch = new Scratch(memory)
    this.spansAddress = memory.allocate(8 * capacity)
    this.spans = new Uint32Array(memory.buffer, this.spansAddress, 2 * capacity)
    this.#nullAddress = memory.allocate(8)
    this.#bytes = memory.bytes
    this.#words = new Uint32Array(memory.buffer)
    this.#doubles = new Float64Array(memory.buffer)
    // 0xFF is no UTF-8, so no text key equals the NULL key.
    this.#bytes[this.#nullAddress] = 0xff
  }

  /** Forgets the bytes of the run before. */
  reset(): void {
    this.#scratch.reset()
    this.#start = 0
    this.#at = 0
    this.#end = 0
  }

  /** The key of row `position` is these bytes of the memory. */
  span(position: number, start: number, length: number): void {
    this.spans[2 * position] = start
    this.spans[2 * position + 1] = length
  }

  /** The key of row `position` is NULL (keys of one column). */
  nullKey(position: number): void {
    this.span(position, this.#nullAddress, 1)
  }

  /** Begins a key that needs about `bytes`; parts follow, then `end`. */
  begin(bytes: number): void {
    this.#start = this.#at
    this.#room(bytes)
  }

  integer(value: ExactInteger): void {
    this.#room(8)
    const at = this.#at >> 2
    if (typeof value === 'number') {
      this.#words[at] = value >>> 0
      this.#words[at + 1] = Math.floor(value / 4294967296)
    } else {
      const bits = BigInt.asUintN(64, value)
      this.#words[at] = Number(bits & 0xffffffffn)
      this.#words[at + 1] = Number(bits >> 32n)
    }
    this.#at += 8
  }

  /** A decimal of any size: 128 bits. */
  wideInteger(value: ExactInteger): void {
    const bits = BigInt.asUintN(128, wide(value))
    this.integer(BigInt.asIntN(64, bits))
    this.integer(BigInt.asIntN(64, bits >> 64n))
  }

  double(value: number): void {
    this.#room(8)
    this.#doubles[this.#at >> 3] = Number.isNaN(value) ? Number.NaN : value + 0
    this.#at += 8
  }

  /** Text that lies in the memory. */
  text(start: number, length: number): void {
    const padded = (length + 7) & ~7
    this.#room(8 + padded)
    this.#words[this.#at >> 2] = length
    this.#words[(this.#at >> 2) + 1] = 0
    this.#at += 8
    if (padded > 0) {
      this.#words[(this.#at + padded - 8) >> 2] = 0
      this.#words[(this.#at + padded - 4) >> 2] = 0
    }
    this.#bytes.copyWithin(this.#at, start, start + length)
    this.#at += padded
  }

  string(value: string): void {
    const encoded = encoder.encode(value)
    this.bytes(encoded)
  }

  bytes(value: Uint8Array): void {
    const padded = (value.length + 7) & ~7
    this.#room(8 + padded)
    this.#words[this.#at >> 2] = value.length
    this.#words[(this.#at >> 2) + 1] = 0
    this.#at += 8
    this.#bytes.fill(0, this.#at, this.#at + padded)
    this.#bytes.set(value, this.#at)
    this.#at += padded
  }

  /** Raw bytes without length, as the whole key of a row. */
  whole(position: number, value: Uint8Array): void {
    this.#start = this.#at
    this.#room(value.length + 8)
    this.#bytes.set(value, this.#at)
    this.span(position, this.#at, value.length)
    this.#at += (value.length + 7) & ~7
  }

  wholeString(position: number, value: string): void {
    this.whole(position, encoder.encode(value))
  }

  /** Ends the key of row `position`. */
  end(position: number): void {
    this.span(position, this.#start, this.#at - this.#start)
  }

  /** Room for `size` more bytes of the key at hand; a key that outgrows its region moves to a larger one. */
  #room(size: number): void {
    if (this.#at + size <= this.#end) return
    const begun = this.#at - this.#start
    const wanted = Math.max(REGION_BYTES, 2 * (begun + size))
    const region = this.#scratch.take(wanted)
    assert(this.#scratch.memory === this.#memory, 'a key writer has one memory')
    this.#bytes = this.#memory.bytes
    this.#words = new Uint32Array(this.#memory.buffer)
    this.#doubles = new Float64Array(this.#memory.buffer)
    if (this.#end > 0 && begun > 0) this.#bytes.copyWithin(region, this.#start, this.#at)
    this.#start = region
    this.#at = region + begun
    this.#end = region + wanted
  }

  [Symbol.dispose](): void {
    this.#memory.free(this.spansAddress, 8 * this.#capacity)
    this.#memory.free(this.#nullAddress, 8)
    this.#scratch[Symbol.dispose]()
  }
}

const REGION_BYTES = 128 * 1024
const encoder = new TextEncoder()
