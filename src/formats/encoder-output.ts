import type { WorkerMemory } from '../core/memory.ts'

const FIRST_BYTES = 256 * 1024

/** The output region of an encoder: one run of bytes that grows, and the ends of its rows. */
export class EncoderOutput implements Disposable {
  readonly #memory: WorkerMemory
  address: number
  size = FIRST_BYTES
  rowEndsAddress: number
  rowEnds: Uint32Array
  #rowEndsSize = 0

  constructor(memory: WorkerMemory) {
    this.#memory = memory
    this.address = memory.allocate(this.size)
    this.rowEndsAddress = 0
    this.rowEnds = new Uint32Array(0)
  }

  /** Room for the ends of `rows` rows. */
  begin(rows: number): void {
    if (rows > this.#rowEndsSize) {
      if (this.#rowEndsSize > 0) this.#memory.free(this.rowEndsAddress, 4 * this.#rowEndsSize)
      this.#rowEndsSize = rows
      this.rowEndsAddress = this.#memory.allocate(4 * rows)
    }
    this.rowEnds = new Uint32Array(this.#memory.buffer, this.rowEndsAddress, rows)
  }

  /** At least twice the room; the first `used` bytes are kept. */
  grow(used: number, least = 0): void {
    const size = Math.max(2 * this.size, least)
    const address = this.#memory.allocate(size)
    this.#memory.bytes.copyWithin(address, this.address, this.address + used)
    this.#memory.free(this.address, this.size)
    this.address = address
    this.size = size
  }

  /** Writes one text per row, for encoders in TypeScript; the bytes of all rows. */
  lines(rows: number, textOf: (row: number) => string): Uint8Array {
    this.begin(rows)
    let used = 0
    for (let row = 0; row < rows; row++) {
      const text = textOf(row)
      if (used + text.length * 3 > this.size) this.grow(used, used + text.length * 3)
      used += this.#memory.text.utf8Write(text, this.address + used)
      this.rowEnds[row] = used
    }
    return this.#memory.bytes.subarray(this.address, this.address + used)
  }

  [Symbol.dispose](): void {
    this.#memory.free(this.address, this.size)
    if (this.#rowEndsSize > 0) this.#memory.free(this.rowEndsAddress, 4 * this.#rowEndsSize)
  }
}
