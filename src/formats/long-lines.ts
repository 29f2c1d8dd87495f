import type { WorkerMemory } from '../core/memory.ts'
import { indexOfByte } from '../kernels/lines.ts'
import type { Reject } from './decoder.ts'

/** Bytes of a record over its limit that its reject keeps. */
const KEPT_BYTES = 64 * 1024

/** A record over `line_bytes_max`, while it is passed over: however it is cut into reads, its reject is the same. */
export class LongRecord {
  readonly #at: { readonly ordinal: number; readonly byte: number }
  readonly #lineBytesMax: number
  readonly #kept: Uint8Array[] = []
  #length = 0

  /** `byte`: offset in the split of its first byte. */
  constructor(at: { readonly ordinal: number; readonly byte: number }, lineBytesMax: number) {
    this.#at = at
    this.#lineBytesMax = lineBytesMax
  }

  /** The next bytes of the record; copied. */
  take(bytes: Uint8Array): void {
    if (this.#length < KEPT_BYTES) this.#kept.push(bytes.slice(0, KEPT_BYTES - this.#length))
    this.#length += bytes.length
  }

  /** What to say once its end was seen. A carriage return before the line feed is not part of it. */
  reject(): Reject {
    const all = Buffer.concat(this.#kept)
    const cut = this.#length > KEPT_BYTES
    const bytes = !cut && all.at(-1) === 13 ? all.subarray(0, -1) : all
    const detail = `the record is longer than line_bytes_max, ${this.#lineBytesMax} bytes`
    return {
      ...this.#at,
      bytes,
      code: 'connector_record_too_large',
      detail: cut ? `${detail}; its first ${KEPT_BYTES} are kept` : detail,
    }
  }
}

/** Finds whole lines over a limit; looks at no byte of one slab twice. */
export class LongLines {
  readonly #memory: WorkerMemory
  readonly #lineBytesMax: number
  /** A line begins here, and those before it are within the limit. */
  #clean = 0

  constructor(memory: WorkerMemory, lineBytesMax: number) {
    this.#memory = memory
    this.#lineBytesMax = lineBytesMax
  }

  /** Bytes were moved: what was found before means nothing. */
  reset(): void {
    this.#clean = 0
  }

  /** Start of the first line over the limit whose line feed lies in `[start, end)`, or −1; `start` begins a line. */
  first(start: number, end: number): number {
    if (end - start <= this.#lineBytesMax) return -1
    let at = Math.max(start, this.#clean)
    for (;;) {
      const feed = indexOfByte(this.#memory, 10, { start: at, end })
      this.#clean = at
      if (feed < 0) return -1
      const stop = feed > at && this.#memory.bytes[feed - 1] === 13 ? feed - 1 : feed
      if (stop - at > this.#lineBytesMax) return at
      at = feed + 1
    }
  }
}
