import { assert } from './errors.ts'

/** Records that a source has given: exact to 2⁶⁴−1, and a step allocates nothing. */
export class SequenceCounter {
  // Low and high 32 bits: a bigint would be allocated for each step.
  readonly #words = new Uint32Array(2)

  constructor(value = 0n) {
    this.set(value)
  }

  get value(): bigint {
    return (BigInt(this.#words[1]!) << 32n) | BigInt(this.#words[0]!)
  }

  increment(): void {
    const words = this.#words
    words[0]!++
    if (words[0] !== 0) return
    words[1]!++
    if (words[1] === 0) this.#overflow()
  }

  /** Adds a whole number ≥ 0. */
  add(n: number | bigint): void {
    const sum = this.value + BigInt(n)
    assert(n >= 0 && sum < 2n ** 64n, 'a sequence left its 64 bits')
    this.set(sum)
  }

  set(value: bigint): void {
    assert(value >= 0n && value < 2n ** 64n, 'a sequence left its 64 bits')
    this.#words[0] = Number(value & 0xffffffffn)
    this.#words[1] = Number(value >> 32n)
  }

  #overflow(): never {
    this.#words.fill(0xffffffff)
    assert(false, 'a sequence left its 64 bits')
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
