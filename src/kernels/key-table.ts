import { PADDING, type WorkerMemory } from '../core/memory.ts'
import type { Kernels } from './kernels.ts'
import { copyTwin, lookupTwin } from './key-table-twin.ts'

const ENTRY_BYTES = 32
const HEADER_BYTES = 64
const SMALLEST = 64
const ARENA_FIRST = 16 * 1024
const ARENA_MOST = 4 * 1024 * 1024
const ARENA_SLACK = 64

/** Keys that are brought out at once. */
const COPY_BYTES = 256 * 1024
/** Keys that are brought in at once. */
const IMPORT_ROWS = 4096
const IMPORT_BYTES = 256 * 1024

/** The keys of a table in the order of their slots: `keys` holds them without gaps, `lengths` their sizes in bytes. */
export interface KeyList {
  readonly lengths: Uint32Array
  readonly keys: Uint8Array
}

/** Words of the header that the kernel reads and writes. */
const H = { entries: 0, mask: 1, size: 2, full: 3, spans: 4, entryOf: 5, position: 6, end: 7, reason: 8 } as const

/**
 * Keys (any bytes) → slots 0, 1, 2 …, in order of first sight. The keys are copied; it grows by itself without other
 * bound than the memory. About 32 bytes per key at 31–62 % load plus 12 bytes and the copy; a look-up costs one cache
 * line for keys of up to 16 bytes.
 */
export class KeyTable implements Disposable {
  readonly #kernels: Kernels
  readonly #memory: WorkerMemory
  readonly #header: number
  readonly #twin: Map<string, number> | undefined
  #words: Uint32Array
  #spans: Uint32Array
  #capacity: number
  /** Keys that spans and entryOf have room for. */
  #room: number
  readonly #chunks: { readonly address: number; readonly size: number }[] = []
  #chunk = -1

  /** `expected` keys fit without growing. */
  constructor(kernels: Kernels, options: { readonly expected: number }) {
    this.#kernels = kernels
    this.#memory = kernels.memory
    this.#twin = kernels.mode === 'off' ? new Map() : undefined
    this.#header = this.#memory.allocate(HEADER_BYTES)
    this.#words = new Uint32Array(this.#memory.buffer, this.#header, HEADER_BYTES / 4).fill(0)
    this.#capacity = capacityFor(options.expected)
    this.#room = roomOf(this.#capacity)
    this.#words[H.entries] = this.#allocateEntries(this.#capacity)
    this.#words[H.mask] = this.#capacity - 1
    this.#words[H.full] = this.#room
    this.#words[H.spans] = this.#memory.allocate(this.#room * 8)
    this.#words[H.entryOf] = this.#memory.allocate(this.#room * 4)
    this.#spans = new Uint32Array(this.#memory.buffer, this.#words[H.spans]!, this.#room * 2)
    this.#nextChunk(0)
  }

  /** Number of keys; the next new key gets this slot. */
  get size(): number {
    return this.#words[H.size]!
  }

  /**
   * slots[i] for the key bytes at spans[2i] (address), spans[2i + 1] (length), i in [from, to); new keys get the next
   * slot. Both addresses are of 32-bit arrays in the memory. Up to 64 bytes behind a key are read.
   */
  lookup(spansAddress: number, from: number, to: number, slotsAddress: number): void {
    let at = from
    while (at < to) {
      at = this.#run(spansAddress, at, to, slotsAddress)
      if (at === to) return
      if (this.#words[H.reason] === 1) this.#grow()
      else this.#nextChunk(new Uint32Array(this.#memory.buffer, spansAddress + 8 * at, 2)[1]!)
    }
  }

  /** Address of the key's own copy, valid until `clear`; slots outside 0 … size − 1 are an error of the caller. */
  keyAddress(slot: number): number {
    return this.#spans[2 * slot]!
  }

  /** Its length in bytes. */
  keyLength(slot: number): number {
    return this.#spans[2 * slot + 1]!
  }

  /** Address and length pairs of all keys, by slot: the spans of a `Utf8Column`. Take it anew after a `lookup`. */
  get keySpans(): Uint32Array {
    return this.#spans
  }

  /** Bytes of all keys together. */
  get keyBytes(): number {
    const { size } = this
    let total = 0
    for (let slot = 0; slot < size; slot++) total += this.#spans[2 * slot + 1]!
    return total
  }

  /** Writes the length of every key, by slot. */
  copyLengths(to: Uint32Array): void {
    const { size } = this
    for (let slot = 0; slot < size; slot++) to[slot] = this.#spans[2 * slot + 1]!
  }

  /** Writes all keys by slot, one behind the other. */
  copyKeys(to: Uint8Array): void {
    const { size } = this
    const memory = this.#memory
    const region = memory.allocate(COPY_BYTES)
    let at = 0
    for (let slot = 0; slot < size; ) {
      const next = this.#copyRun(slot, region)
      const longer = next.slot === slot
      // One that does not fit the region is copied from where it lies.
      const from = longer ? this.keyAddress(slot) : region
      const end = longer ? from + this.keyLength(slot) : next.end
      to.set(memory.bytes.subarray(from, end), at)
      at += end - from
      slot = longer ? slot + 1 : next.slot
    }
    memory.free(region, COPY_BYTES)
  }

  /** Keys from `slot` on that fit the region: the slot behind the last one, and where it ends. */
  #copyRun(slot: number, region: number): { readonly slot: number; readonly end: number } {
    const end = region + COPY_BYTES
    if (this.#twin !== undefined) return copyTwin({ memory: this.#memory, words: this.#words }, slot, region, end)
    const { exports } = this.#kernels
    return { slot: exports.keyCopy(this.#header, slot, region, end), end: exports.keyCopyEnd.value }
  }

  /** Fills an empty table with the keys of another one, in their order. False: that is no list of different keys. */
  importKeys({ lengths, keys }: KeyList): boolean {
    let total = 0
    for (const length of lengths) total += length
    if (this.size > 0 || total !== keys.length) return false
    while (this.#room < lengths.length) this.#grow()
    let offset = 0
    for (let from = 0; from < lengths.length; ) {
      let to = from
      let size = 0
      do size += lengths[to++]!
      while (to < lengths.length && to - from < IMPORT_ROWS && size + lengths[to]! <= IMPORT_BYTES)
      if (!this.#importBlock(lengths.subarray(from, to), keys.subarray(offset, offset + size), from)) return false
      offset += size
      from = to
    }
    return true
  }

  /** Looks keys up that must get the slots from `first` on. */
  #importBlock(lengths: Uint32Array, keys: Uint8Array, first: number): boolean {
    const memory = this.#memory
    const rows = lengths.length
    const size = 12 * rows + keys.length
    const region = memory.allocate(size)
    const slotsAddress = region + 8 * rows
    let address = region + 12 * rows
    memory.bytes.set(keys, address)
    const spans = new Uint32Array(memory.buffer, region, 2 * rows)
    for (let row = 0; row < rows; row++) {
      spans[2 * row] = address
      spans[2 * row + 1] = lengths[row]!
      address += lengths[row]!
    }
    this.lookup(region, 0, rows, slotsAddress)
    const isNew = new Int32Array(memory.buffer, slotsAddress, rows).every((slot, row) => slot === first + row)
    memory.free(region, size)
    return isNew
  }

  /** Bytes of the memory that it holds. */
  get bytes(): number {
    const arena = this.#chunks.reduce((sum, chunk) => sum + chunk.size, 0)
    return arena + this.#capacity * ENTRY_BYTES + this.#room * 12
  }

  /** Forgets all keys and keeps the memory; costs what the keys in it cost, not what once was. */
  clear(): void {
    if (this.#twin !== undefined) this.#twin.clear()
    else if (this.size * 8 < this.#capacity) this.#kernels.exports.keyForget(this.#header)
    else this.#kernels.exports.fillZero(this.#words[H.entries]!, this.#capacity * ENTRY_BYTES)
    this.#words[H.size] = 0
    this.#chunk = -1
    this.#nextChunk(0)
  }

  [Symbol.dispose](): void {
    for (const chunk of this.#chunks) this.#memory.free(chunk.address, chunk.size)
    this.#chunks.length = 0
    this.#memory.free(this.#words[H.entries]!, this.#capacity * ENTRY_BYTES - PADDING)
    this.#memory.free(this.#words[H.spans]!, this.#room * 8)
    this.#memory.free(this.#words[H.entryOf]!, this.#room * 4)
    this.#memory.free(this.#header, HEADER_BYTES)
  }

  #run(spansAddress: number, from: number, to: number, slotsAddress: number): number {
    if (this.#twin === undefined) {
      return this.#kernels.exports.keyLookup(this.#header, spansAddress, from, to, slotsAddress)
    }
    return lookupTwin(
      { memory: this.#memory, words: this.#words, slots: this.#twin, spansAddress, slotsAddress },
      from,
      to,
    )
  }

  /** The padding of a region is its own too, so a power of two of entries takes just that. */
  #allocateEntries(capacity: number): number {
    const address = this.#memory.allocate(capacity * ENTRY_BYTES - PADDING)
    if (this.#twin === undefined) this.#kernels.exports.fillZero(address, capacity * ENTRY_BYTES)
    return address
  }

  #grow(): void {
    const words = this.#words
    const memory = this.#memory
    const size = this.size
    const old = { entries: words[H.entries]!, spans: words[H.spans]!, entryOf: words[H.entryOf]! }
    const oldCapacity = this.#capacity
    const oldRoom = this.#room
    this.#capacity *= 2
    this.#room = roomOf(this.#capacity)
    words[H.entries] = this.#allocateEntries(this.#capacity)
    words[H.mask] = this.#capacity - 1
    words[H.full] = this.#room
    words[H.spans] = memory.allocate(this.#room * 8)
    words[H.entryOf] = memory.allocate(this.#room * 4)
    memory.bytes.copyWithin(words[H.spans]!, old.spans, old.spans + size * 8)
    if (this.#twin === undefined) this.#kernels.exports.keyRehash(this.#header, old.entries, oldCapacity)
    memory.free(old.entries, oldCapacity * ENTRY_BYTES - PADDING)
    memory.free(old.spans, oldRoom * 8)
    memory.free(old.entryOf, oldRoom * 4)
    this.#spans = new Uint32Array(memory.buffer, words[H.spans]!, this.#room * 2)
  }

  /** Goes on in the next arena chunk that holds a key of `length` bytes. */
  #nextChunk(length: number): void {
    const needed = length + ARENA_SLACK
    this.#chunk++
    let chunk = this.#chunks[this.#chunk]
    if (chunk === undefined || chunk.size < needed) {
      if (chunk !== undefined) this.#memory.free(chunk.address, chunk.size)
      const wanted = Math.min(ARENA_MOST, ARENA_FIRST << Math.min(this.#chunk, 8)) - PADDING
      const size = Math.max(wanted, needed)
      chunk = { address: this.#memory.allocate(size), size }
      this.#chunks[this.#chunk] = chunk
    }
    this.#words[H.position] = chunk.address
    this.#words[H.end] = chunk.address + chunk.size
  }
}

/** Full at 5/8: linear probing stays short, and 32 bytes of entry per key stay bearable. */
const roomOf = (capacity: number): number => (capacity * 5) >> 3

function capacityFor(expected: number): number {
  let capacity = SMALLEST
  while (roomOf(capacity) < expected) capacity *= 2
  return capacity
}
