/** Parts of the window that are counted together. */
const PARTS = 60

/** Sees when too many of the rows become dead letters, so that a wrong schema does not turn a topic into them. */
export class RateBreaker {
  readonly #limits: { readonly min: number | undefined; readonly share: number; readonly windowMs: number }
  readonly #rows = new Float64Array(PARTS)
  readonly #entries = new Float64Array(PARTS)
  /** Number of the part at hand since the clock's start. */
  #part = Number.NEGATIVE_INFINITY
  rows = 0
  entries = 0

  /** `min` undefined: it never trips. */
  constructor(limits: { readonly min: number | undefined; readonly share: number; readonly windowMs: number }) {
    this.#limits = limits
  }

  /** True when the entries of the last window are at least `min`, and that share of its rows. */
  note(nowMs: number, rows: number, entries: number): boolean {
    const { min, share, windowMs } = this.#limits
    if (min === undefined) return false
    this.#move(Math.floor((nowMs * PARTS) / windowMs))
    const at = this.#part % PARTS
    this.#rows[at]! += rows
    this.#entries[at]! += entries
    this.rows += rows
    this.entries += entries
    return entries > 0 && this.entries >= min && this.entries >= share * this.rows
  }

  #move(part: number): void {
    if (part <= this.#part) return
    if (part - this.#part >= PARTS) this.reset()
    else {
      for (let gone = this.#part + 1; gone <= part; gone++) {
        this.rows -= this.#rows[gone % PARTS]!
        this.entries -= this.#entries[gone % PARTS]!
        this.#rows[gone % PARTS] = 0
        this.#entries[gone % PARTS] = 0
      }
    }
    this.#part = part
  }

  /** Somebody has looked: what was counted no longer counts. */
  reset(): void {
    this.#rows.fill(0)
    this.#entries.fill(0)
    this.rows = 0
    this.entries = 0
  }
}
