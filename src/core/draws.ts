/** Finalizer of MurmurHash3, on unsigned 32-bit words (nexmark.md §3). */
export function mix(x: number): number {
  let h = x ^ (x >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const LANES = 64

/** Numbers that depend only on (seed, index, lane) and repeat everywhere (the scheme of nexmark.md §3). 64 lanes. */
export class Draws {
  readonly lanes: Uint32Array

  constructor(seed: number) {
    this.lanes = Uint32Array.from({ length: LANES }, (_, i) => mix(seed + Math.imul(i + 1, 0x9e3779b9)))
  }

  /** 0 … 2³² − 1. */
  draw(n: number, lane: number): number {
    const high = n < 4294967296 ? 0 : Math.floor(n / 4294967296)
    return mix(mix((n ^ this.lanes[lane]!) | 0) + high)
  }

  /** 0 ≤ result < m; the product is taken first, in float64. */
  below(n: number, lane: number, m: number): number {
    return Math.floor((this.draw(n, lane) * m) / 4294967296)
  }
}
