import { assert } from './errors.ts'
import { limits } from './limits.ts'

const PAGE = 65_536
const SMALLEST = 64
/** SIMD loads of the kernels may read this far past the end of any region; it is part of every allocation. */
export const PADDING = 64

/**
 * The one WebAssembly memory of a worker and its only owner: nobody else grows it. It is shared memory, so views taken
 * before a growth stay valid (they only do not reach the new part). Addresses are byte offsets and fit an int32.
 *
 * Regions are rounded up to powers of two and kept in free lists by size: a pipeline gives back what it took.
 */
export class WorkerMemory {
  /** @internal */
  readonly wasm: WebAssembly.Memory
  #top = PAGE
  #bytes: Uint8Array
  #text: Buffer
  readonly #free = new Map<number, number[]>()
  /** Addresses in the free lists: a region given back twice would have two owners. */
  readonly #freed = new Set<number>()

  constructor(initialBytes: number = limits.memoryInitialBytes) {
    this.wasm = new WebAssembly.Memory({
      initial: Math.ceil(initialBytes / PAGE),
      maximum: limits.memoryPagesMax,
      shared: true,
    })
    this.#bytes = new Uint8Array(this.wasm.buffer)
    this.#text = Buffer.from(this.wasm.buffer as ArrayBuffer)
  }

  /** All of the memory as it is now; take it anew for every batch. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** @internal The same bytes, for reading and writing text by address. */
  get text(): Buffer {
    return this.#text
  }

  get buffer(): SharedArrayBuffer {
    return this.#bytes.buffer as SharedArrayBuffer
  }

  /** Bytes handed out and not given back, padding included. */
  get usedBytes(): number {
    let free = 0
    for (const [size, list] of this.#free) free += size * list.length
    return this.#top - PAGE - free
  }

  /** A region of at least `size` bytes, 64-byte aligned, with `PADDING` readable bytes behind it. Not cleared. */
  allocate(size: number): number {
    const rounded = roundedSize(size)
    const reuse = this.#free.get(rounded)?.pop()
    if (reuse !== undefined) {
      this.#freed.delete(reuse)
      return reuse
    }
    const address = this.#top
    const end = address + rounded
    if (end > this.#bytes.length) this.#grow(end)
    this.#top = end
    return address
  }

  /** Gives back a region; `size` is what was asked for. */
  free(address: number, size: number): void {
    const rounded = roundedSize(size)
    assert(!this.#freed.has(address), 'a region of the worker memory was given back twice')
    this.#freed.add(address)
    const list = this.#free.get(rounded)
    if (list === undefined) this.#free.set(rounded, [address])
    else list.push(address)
  }

  #grow(end: number): void {
    const wanted = Math.max(end, Math.min(this.#bytes.length * 1.5, this.#bytes.length + 64 * 1024 * 1024))
    const pages = Math.ceil((wanted - this.#bytes.length) / PAGE)
    assert(this.#bytes.length / PAGE + pages <= limits.memoryPagesMax, 'worker memory is over its limit')
    this.wasm.grow(pages)
    this.#bytes = new Uint8Array(this.wasm.buffer)
    this.#text = Buffer.from(this.wasm.buffer as ArrayBuffer)
  }
}

function roundedSize(size: number): number {
  const wanted = size + PADDING
  return wanted <= SMALLEST ? SMALLEST : 2 ** Math.ceil(Math.log2(wanted))
}
