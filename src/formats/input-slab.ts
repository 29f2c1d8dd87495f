import type { WorkerMemory } from '../core/memory.ts'

/** Bytes that a `reserve` gives at least room for. */
const ROOM = 256 * 1024
/** Behind the data: a line feed and quotes, where scans of unfinished lines and strings come to a stop. */
const SENTINEL = 128

/**
 * The input bytes of one split in the worker's memory: what is not consumed yet lies at `[start, end)`, followed by a
 * sentinel. Addresses change only in `reserve`.
 */
export class InputSlab implements Disposable {
  readonly #memory: WorkerMemory
  #address: number
  #size: number
  #atStart = true
  start: number
  end: number
  /** Offset in the split of the byte at `start`. */
  byte = 0

  constructor(memory: WorkerMemory) {
    this.#memory = memory
    this.#size = 2 * ROOM - 64
    this.#address = memory.allocate(this.#size)
    this.start = this.#address
    this.end = this.#address
  }

  /** Room for at least `min` bytes behind the pending ones, which may be moved. */
  reserve(min: number): Uint8Array {
    const { bytes } = this.#memory
    const pending = this.end - this.start
    const room = Math.max(min, ROOM)
    const needed = pending + room + SENTINEL
    if (needed > this.#size) {
      const size = 2 ** Math.ceil(Math.log2(needed + 64)) - 64
      const address = this.#memory.allocate(size)
      this.#memory.bytes.copyWithin(address, this.start, this.end)
      this.#memory.free(this.#address, this.#size)
      this.#address = address
      this.#size = size
    } else if (this.start > this.#address) bytes.copyWithin(this.#address, this.start, this.end)
    this.start = this.#address
    this.end = this.#address + pending
    return this.#memory.bytes.subarray(this.end, this.end + room)
  }

  /** `length` bytes were written where `reserve` said. */
  commit(length: number): void {
    this.end += length
    this.#memory.bytes.fill(0x22, this.end, this.end + SENTINEL)
    this.#memory.bytes[this.end] = 10
  }

  /**
   * Removes the byte order mark at the start of a split. False while too few bytes are there to tell (and more follow);
   * `skipped` is called with the address behind a mark that was found.
   */
  skipMark(last: boolean, skipped?: (address: number) => void): boolean {
    if (!this.#atStart) return true
    if (this.end - this.start < 3 && !last) return false
    this.#atStart = false
    const { bytes } = this.#memory
    const { start, end } = this
    if (end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
      if (skipped === undefined) this.consume(start + 3)
      else skipped(start + 3)
    }
    return true
  }

  /** The bytes that come next are not the start of a text. */
  startBehindMark(): void {
    this.#atStart = false
  }

  /** Everything before this address is done with. */
  consume(address: number): void {
    this.byte += address - this.start
    this.start = address
  }

  /** Drops what is pending; the next byte comes from offset `byte` of the split. */
  seek(byte: number): void {
    this.start = this.#address
    this.end = this.#address
    this.byte = byte
    this.#atStart = byte === 0
    this.commit(0)
  }

  [Symbol.dispose](): void {
    this.#memory.free(this.#address, this.#size)
  }
}
