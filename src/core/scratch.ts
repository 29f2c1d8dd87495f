import type { WorkerMemory } from './memory.ts'

const CHUNK_BYTES = 1024 * 1024

/**
 * Bump memory for what lives as long as one batch: computed strings, unescaped text. Its owner resets it when the
 * batch has gone through. Bounded by what one batch needs; chunks are kept for the next one and freed on dispose.
 */
export class Scratch implements Disposable {
  readonly memory: WorkerMemory
  readonly #chunks: { address: number; size: number }[] = []
  #chunk = -1
  #position = 0
  #end = 0

  constructor(memory: WorkerMemory) {
    this.memory = memory
  }

  /** Address of `size` bytes, 8-byte aligned; valid until `reset`. */
  take(size: number): number {
    const address = (this.#position + 7) & ~7
    if (address + size <= this.#end && this.#chunk >= 0) {
      this.#position = address + size
      return address
    }
    this.#nextChunk(size)
    this.#position += size
    return this.#position - size
  }

  /** Writes a string as UTF-8 (lone surrogates become U+FFFD); returns its address, `length` in `lastLength`. */
  text(text: string): number {
    const address = this.take(text.length * 3)
    const bytes = this.memory.bytes
    let length = 0
    const short = text.length < 24
    if (short) {
      for (; length < text.length; length++) {
        const unit = text.charCodeAt(length)
        if (unit > 127) break
        bytes[address + length] = unit
      }
    }
    if (!short || length < text.length) {
      length = this.memory.text.utf8Write(text, address)
    }
    this.#position = address + length
    this.lastLength = length
    return address
  }

  /** Copies bytes in; returns their address. */
  copy(source: Uint8Array): number {
    const address = this.take(source.length)
    this.memory.bytes.set(source, address)
    return address
  }

  lastLength = 0

  reset(): void {
    this.#chunk = -1
    this.#position = 0
    this.#end = 0
  }

  [Symbol.dispose](): void {
    for (const chunk of this.#chunks) this.memory.free(chunk.address, chunk.size)
    this.#chunks.length = 0
    this.reset()
  }

  #nextChunk(size: number): void {
    this.#chunk++
    let chunk = this.#chunks[this.#chunk]
    if (chunk === undefined || chunk.size < size) {
      if (chunk !== undefined) this.memory.free(chunk.address, chunk.size)
      const wanted = Math.max(CHUNK_BYTES, size)
      chunk = { address: this.memory.allocate(wanted), size: wanted }
      this.#chunks[this.#chunk] = chunk
    }
    this.#position = chunk.address
    this.#end = chunk.address + chunk.size
  }
}
