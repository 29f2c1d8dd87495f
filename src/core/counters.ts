import { assert } from './errors.ts'

/** The low part of a counter has this many bits: it stays a small integer, which a step changes in place. */
const LOW_BITS = 30n
const LOW_LIMIT = 2 ** 30
const HIGH_LIMIT = 2 ** 34

/** Records that a source has given: exact to 2⁶⁴−1, and a step allocates nothing. */
export class SequenceCounter {
  // A bigint would be allocated for each step.
  #low = 0
  #high = 0

  constructor(value = 0n) {
    this.set(value)
  }

  get value(): bigint {
    return (BigInt(this.#high) << LOW_BITS) | BigInt(this.#low)
  }

  increment(): void {
    const low = this.#low + 1
    if (low === LOW_LIMIT) this.#carry()
    else this.#low = low
  }

  /** Adds a whole number ≥ 0. */
  add(n: number | bigint): void {
    const sum = this.value + BigInt(n)
    assert(n >= 0 && sum < 2n ** 64n, 'a sequence left its 64 bits')
    this.set(sum)
  }

  set(value: bigint): void {
    assert(value >= 0n && value < 2n ** 64n, 'a sequence left its 64 bits')
    this.#low = Number(value & (BigInt(LOW_LIMIT) - 1n))
    this.#high = Number(value >> LOW_BITS)
  }

  #carry(): void {
    assert(this.#high + 1 < HIGH_LIMIT, 'a sequence left its 64 bits')
    this.#high++
    this.#low = 0
  }
}

/** A watermark that nothing has set yet: −2⁶³. */
export const WATERMARK_UNSET = -(2n ** 63n)

/** The watermark of a source in microseconds since 1970-01-01T00:00:00Z; it never falls. */
export class WatermarkCell {
  #value: bigint

  constructor(value: bigint = WATERMARK_UNSET) {
    this.#value = value
  }

  get value(): bigint {
    return this.#value
  }

  /** False when the watermark is there or beyond already. */
  advance(micros: bigint): boolean {
    if (micros <= this.#value) return false
    this.#value = micros
    return true
  }
}
