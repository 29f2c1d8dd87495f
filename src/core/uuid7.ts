/** Random bytes into the array; for tests a seeded one. */
export type Fill = (bytes: Uint8Array) => void

const systemFill: Fill = (bytes) => void crypto.getRandomValues(bytes)

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** UUIDs version 7 (RFC 9562): they rise in one process, also within a millisecond and when the clock goes back. */
export class Uuid7 {
  readonly #nowMs: () => number
  readonly #fill: Fill
  #last = 0
  #count = 0

  constructor(nowMs: () => number, fill: Fill = systemFill) {
    this.#nowMs = nowMs
    this.#fill = fill
  }

  next(): string {
    const now = Math.floor(this.#nowMs())
    if (now > this.#last) {
      this.#last = now
      this.#count = 0
    } else if (++this.#count > 0xfff) {
      // 4,096 in one millisecond: the next one is borrowed.
      this.#last++
      this.#count = 0
    }
    const bytes = new Uint8Array(16)
    this.#fill(bytes)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, Math.floor(this.#last / 65_536))
    view.setUint16(4, this.#last % 65_536)
    view.setUint16(6, 0x7000 | this.#count)
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const digits = Array.from(bytes, (byte) => hex[byte]!).join('')
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`
  }
}
