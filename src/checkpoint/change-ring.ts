import { ENTRY_BYTES, readEntry, type StreamChangelogEntry, writeEntry } from './change-entry.ts'
import { CheckpointError } from './error.ts'

/** What a full ring does with a new entry: refuses it, or puts it in the place of the oldest. */
export type RingOverflow = 'drop_new' | 'overwrite_oldest'

/** Change entries in one block that is allocated once; the capacity is exact. */
export class StreamChangelogBuffer {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #capacity: number
  readonly #policy: RingOverflow
  /** Slot of the oldest entry. */
  #first = 0
  #length = 0
  #overflows = 0

  /** Throws `InvalidConfig` for a capacity that is not a whole number above 0. */
  constructor(capacity: number, policy: RingOverflow = 'drop_new') {
    if (!Number.isSafeInteger(capacity) || capacity <= 0) {
      throw new CheckpointError('InvalidConfig', 'changelog_capacity must be > 0')
    }
    this.#capacity = capacity
    this.#policy = policy
    this.#bytes = new Uint8Array(capacity * ENTRY_BYTES)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** False when it is full and refuses new entries. */
  push(entry: StreamChangelogEntry): boolean {
    if (this.#length === this.#capacity) {
      this.#overflows++
      if (this.#policy === 'drop_new') return false
      this.#first = this.#slot(1)
      this.#length--
    }
    writeEntry(this.#view, this.#slot(this.#length) * ENTRY_BYTES, entry)
    this.#length++
    return true
  }

  /** The oldest entry; undefined when there is none. */
  pop(): StreamChangelogEntry | undefined {
    if (this.#length === 0) return undefined
    const entry = readEntry(this.#view, this.#first * ENTRY_BYTES)
    this.#discard(1)
    return entry
  }

  /** Moves at most `max` of the oldest entries to the end of the array; returns how many. */
  drain(max: number, out: StreamChangelogEntry[]): number {
    let moved = 0
    for (; moved < max && this.#length > 0; moved++) out.push(this.pop()!)
    return moved
  }

  drainAll(out: StreamChangelogEntry[]): number {
    return this.drain(this.#length, out)
  }

  /** Moves all entries out as bytes. */
  takeBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length * ENTRY_BYTES)
    const head = Math.min(this.#length, this.#capacity - this.#first)
    bytes.set(this.#bytes.subarray(this.#first * ENTRY_BYTES, (this.#first + head) * ENTRY_BYTES))
    bytes.set(this.#bytes.subarray(0, (this.#length - head) * ENTRY_BYTES), head * ENTRY_BYTES)
    this.#discard(this.#length)
    return bytes
  }

  len(): number {
    return this.#length
  }

  isEmpty(): boolean {
    return this.#length === 0
  }

  isFull(): boolean {
    return this.#length === this.#capacity
  }

  capacity(): number {
    return this.#capacity
  }

  /** Entries that were refused or overwritten; never reset. */
  overflowCount(): number {
    return this.#overflows
  }

  #slot(offset: number): number {
    const slot = this.#first + offset
    return slot < this.#capacity ? slot : slot - this.#capacity
  }

  #discard(count: number): void {
    this.#first = this.#length === count ? 0 : this.#slot(count)
    this.#length -= count
  }
}
