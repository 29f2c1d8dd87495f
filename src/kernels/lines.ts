import type { WorkerMemory } from '../core/memory.ts'
import type { Kernels } from './kernels.ts'

/**
 * Start and end addresses of lines, in two arrays in the memory. Line feeds and a carriage return before them are left
 * out, lines of blanks are skipped.
 */
export class LineIndex implements Disposable {
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly startsAddress: number
  readonly endsAddress: number
  /** Lines that the last `run` found. */
  count = 0
  /** Where the first line that is not in the index begins. */
  next = 0
  readonly #kernels: Kernels
  readonly #compiled: boolean
  readonly #capacity: number

  constructor(kernels: Kernels, options: { readonly capacity: number; readonly compiled: boolean }) {
    const { memory } = kernels
    this.#kernels = kernels
    this.#compiled = options.compiled && kernels.mode === 'on'
    this.#capacity = options.capacity
    this.startsAddress = memory.allocate(4 * options.capacity)
    this.endsAddress = memory.allocate(4 * options.capacity)
    this.starts = new Uint32Array(memory.buffer, this.startsAddress, options.capacity)
    this.ends = new Uint32Array(memory.buffer, this.endsAddress, options.capacity)
  }

  /** Indexes the lines of `[start, limit)`, at most `most` of them; 64 bytes behind `limit` are read. */
  run(start: number, limit: number, most: number): void {
    const n = Math.min(most, this.#capacity)
    if (!this.#compiled) {
      this.#runTwin(start, limit, n)
      return
    }
    const { exports } = this.#kernels
    this.count = exports.indexLines(start, limit, this.startsAddress, this.endsAddress, n)
    this.next = exports.linesNext.value >>> 0
  }

  #runTwin(start: number, limit: number, most: number): void {
    const { text, bytes } = this.#kernels.memory
    this.count = 0
    this.next = start
    for (;;) {
      const at = text.indexOf(10, this.next)
      if (at < 0 || at >= limit) return
      const end = at > this.next && bytes[at - 1] === 13 ? at - 1 : at
      if (!isBlank(bytes, this.next, end)) {
        if (this.count === most) return
        this.starts[this.count] = this.next
        this.ends[this.count] = end
        this.count++
      }
      this.next = at + 1
    }
  }

  [Symbol.dispose](): void {
    const { memory } = this.#kernels
    memory.free(this.startsAddress, 4 * this.#capacity)
    memory.free(this.endsAddress, 4 * this.#capacity)
  }
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let p = start; p < end; p++) {
    const c = bytes[p]
    if (c !== 32 && c !== 9 && c !== 13) return false
  }
  return true
}

/** Position of the first byte `value` of `[start, end)`, or −1. */
export function indexOfByte(
  memory: WorkerMemory,
  value: number,
  range: { readonly start: number; readonly end: number },
): number {
  const at = memory.text.subarray(range.start, range.end).indexOf(value)
  return at < 0 ? -1 : range.start + at
}
