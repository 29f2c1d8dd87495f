/** A seeded generator (sfc32). The same seed gives the same numbers everywhere. */
export class Random {
  readonly seed: number
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.seed = seed >>> 0
    this.#a = this.seed
    this.#b = (this.seed ^ 0x9e3779b9) | 0
    this.#c = 0x243f6a88
    for (let i = 0; i < 12; i++) this.uint32()
  }

  /** 0 … 2³² − 1. */
  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0
    return t >>> 0
  }

  /** 0 ≤ result < 1. */
  float(): number {
    return this.uint32() / 4294967296
  }

  /** 0 ≤ result < bound. */
  below(bound: number): number {
    return Math.floor(this.float() * bound)
  }

  /** low ≤ result ≤ high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  chance(share: number): boolean {
    return this.float() < share
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }
}

/** A seed that nobody chose; print it wherever it is used. */
export const freshSeed = (): number => Math.floor(Math.random() * 4294967296)
