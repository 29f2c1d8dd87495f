import { assert } from './errors.ts'

/** Steps are counted in a number that stays exact, and for as long as it is small is changed in place. */
const STEPS_MAX = 2 ** 53
const STEPS_SMALL = 2 ** 30
const LIMIT = 2n ** 64n

/** Records that a source has given: exact to 2⁶⁴−1, and a step allocates nothing. */
export class SequenceCounter {
  // A bigint would be allocated for each step.
  #base = 0n
  #steps = 0

  constructor(value = 0n) {
    this.set(value)
  }

  get value(): bigint {
    if (this.#steps >= STEPS_SMALL) this.set(this.#base + BigInt(this.#steps))
    return this.#base + BigInt(this.#steps)
  }

  increment(): void {
    this.#steps++
  }

  /** Adds a whole number ≥ 0. */
  add(n: number | bigint): void {
    const sum = this.value + BigInt(n)
    assert(n >= 0 && sum < LIMIT, 'a sequence left its 64 bits')
    this.set(sum)
  }

  set(value: bigint): void {
    assert(value >= 0n && value < LIMIT, 'a sequence left its 64 bits')
    this.#base = value
    this.#steps = 0
    // So far from the end that no count of steps gets there, a step looks at nothing.
    const isNearEnd = value > LIMIT - BigInt(STEPS_MAX)
    if (isNearEnd) this.increment = () => this.add(1)
    else if (Object.hasOwn(this, 'increment')) Reflect.deleteProperty(this, 'increment')
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
