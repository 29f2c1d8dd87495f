/** Random bytes into the array; for tests a seeded one. */
export type Fill = (bytes: Uint8Array) => void

const systemFill: Fill = (bytes) => void crypto.getRandomValues(bytes)

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Random bytes of one identifier, and how many identifiers one filling is for: asking costs more than the bytes. */
const RANDOM_BYTES = 8
const DRAWN = 256

/** UUIDs version 7 (RFC 9562): they rise in one process, also within a millisecond and when the clock goes back. */
export class Uuid7 {
  readonly #nowMs: () => number
  readonly #fill: Fill
  readonly #random = new Uint8Array(RANDOM_BYTES * DRAWN)
  #used = this.#random.length
  #last = 0
  #count = 0
  /** The time of `#last` as its first two groups. */
  #timeText = ''

  constructor(nowMs: () => number, fill: Fill = systemFill) {
    this.#nowMs = nowMs
    this.#fill = fill
  }

  next(): string {
    const now = Math.floor(this.#nowMs())
    if (now > this.#last) this.#begin(now)
    // 4,096 in one millisecond: the next one is borrowed.
    else if (++this.#count > 0xfff) this.#begin(this.#last + 1)
    if (this.#used === this.#random.length) {
      this.#fill(this.#random)
      this.#used = 0
    }
    const r = this.#random
    const at = this.#used
    this.#used += RANDOM_BYTES
    const count = `7${hex[this.#count >> 8]![1]}${hex[this.#count & 0xff]}`
    const variant = `${hex[(r[at]! & 0x3f) | 0x80]}${hex[r[at + 1]!]}`
    const rest = `${hex[r[at + 2]!]}${hex[r[at + 3]!]}${hex[r[at + 4]!]}${hex[r[at + 5]!]}${hex[r[at + 6]!]}${hex[r[at + 7]!]}`
    return `${this.#timeText}-${count}-${variant}-${rest}`
  }

  #begin(ms: number): void {
    this.#last = ms
    this.#count = 0
    const digits = ms.toString(16).padStart(12, '0')
    this.#timeText = `${digits.slice(0, 8)}-${digits.slice(8)}`
  }
}
