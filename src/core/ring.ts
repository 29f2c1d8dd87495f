import { assert, HeadraceError } from './errors.ts'

export interface RingOptions {
  /** Items held at most; one push larger than that is admitted when the ring is empty (rulings 66). */
  readonly capacity: number
  readonly overflow: 'block' | 'drop_oldest' | 'drop_newest' | 'reject'
  /** Items kept for re-reading after every reader has taken them. */
  readonly retain: number
}

/**
 * A bounded in-process log: every reader has its own cursor and sees every item from where it joined. An item is freed
 * when the slowest reader has taken it (and `retain` newer ones are there). Sequences count from 1.
 */
export class Ring<T> {
  readonly options: RingOptions
  #items: T[] = []
  /** Sequence of `#items[0]`. */
  #first = 1
  #closed = false
  #dropped = 0
  readonly #readers = new Set<RingReader<T>>()
  /** By name: items from here on are kept until whoever holds them moves on. */
  readonly #holds = new Map<string, number>()
  #changed: PromiseWithResolvers<void> | undefined

  constructor(options: RingOptions) {
    this.options = options
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Items that wait for a reader. */
  get length(): number {
    return this.nextSequence - Math.min(this.#slowest(), this.nextSequence)
  }

  get dropped(): number {
    return this.#dropped
  }

  get firstSequence(): number {
    return this.#first
  }

  /** Sequence that the next item gets. */
  get nextSequence(): number {
    return this.#first + this.#items.length
  }

  /** Appends all items or, by the overflow policy, waits, drops or throws `connector_capacity`. */
  async push(items: readonly T[], signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw new HeadraceError('connector_capacity', 'the channel is closed')
    while (this.#kept > 0 && this.#kept + items.length > this.options.capacity) {
      if (this.options.overflow === 'reject') throw new HeadraceError('connector_capacity', 'the channel is full')
      if (this.options.overflow === 'drop_newest') {
        this.#dropped += items.length
        return
      }
      if (this.options.overflow === 'drop_oldest') {
        this.#dropOldest(items.length)
        break
      }
      signal?.throwIfAborted()
      await this.#change(signal)
    }
    for (const item of items) this.#items.push(item)
    this.#notify()
  }

  /** A reader that starts at `from`, or at the oldest item held. */
  reader(from: number = this.#first): RingReader<T> {
    if (from < this.#first) throw new HeadraceError('connector_offset_gone', `position ${from} is no longer held`)
    const reader = new RingReader(this, from)
    this.#readers.add(reader)
    return reader
  }

  /** Keeps the items from `sequence` on, also when all readers have left, until the same name holds later ones. */
  hold(name: string, sequence: number): void {
    this.#holds.set(name, sequence)
    this.release()
  }

  /** No more items; readers still get what is held. */
  close(): void {
    this.#closed = true
    this.#notify()
  }

  /** For readers: up to `max` items from `sequence`; empty when there are none now. */
  slice(sequence: number, max: number): readonly T[] {
    const start = sequence - this.#first
    assert(start >= 0, 'a reader is behind the ring')
    return this.#items.slice(start, start + max)
  }

  /** For readers: the cursor has moved. */
  release(): void {
    const keep = Math.min(this.#oldestHeld(), this.nextSequence - this.options.retain)
    if (keep > this.#first) {
      this.#items.splice(0, keep - this.#first)
      this.#first = keep
    }
    this.#notify()
  }

  leave(reader: RingReader<T>): void {
    this.#readers.delete(reader)
    this.release()
  }

  /** Resolves at the next push, release or close, or when `signal` aborts. */
  change(signal?: AbortSignal): Promise<void> {
    return this.#change(signal)
  }

  /** Items that may not be dropped. */
  get #kept(): number {
    return this.nextSequence - Math.min(this.#oldestHeld(), this.nextSequence)
  }

  #oldestHeld(): number {
    return Math.min(this.#slowest(), ...this.#holds.values())
  }

  #slowest(): number {
    if (this.#readers.size === 0) return this.#first
    let slowest = this.nextSequence
    for (const reader of this.#readers) slowest = Math.min(slowest, reader.next)
    return slowest
  }

  #dropOldest(room: number): void {
    const keepFrom = Math.max(this.#first, this.nextSequence - Math.max(0, this.options.capacity - room))
    this.#dropped += keepFrom - this.#first
    this.#items.splice(0, keepFrom - this.#first)
    this.#first = keepFrom
    for (const reader of this.#readers) reader.skipTo(keepFrom)
  }

  #notify(): void {
    this.#changed?.resolve()
    this.#changed = undefined
  }

  async #change(signal?: AbortSignal): Promise<void> {
    this.#changed ??= Promise.withResolvers<void>()
    const changed = this.#changed.promise
    if (signal === undefined) return changed
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => resolve()
    signal.addEventListener('abort', wake, { once: true })
    await Promise.race([changed, promise])
    signal.removeEventListener('abort', wake)
  }
}

export class RingReader<T> implements Disposable {
  readonly #ring: Ring<T>
  #next: number

  constructor(ring: Ring<T>, from: number) {
    this.#ring = ring
    this.#next = from
  }

  /** Sequence of the item that is read next. */
  get next(): number {
    return this.#next
  }

  /**
   * Up to `max` items, waiting for the first; undefined when the ring is closed and empty, or `signal` aborts.
   * `wanted` may leave the last of those that are there for the next call; at least one is taken.
   */
  async take(
    max: number,
    signal?: AbortSignal,
    wanted: (held: readonly T[]) => number = (held) => held.length,
  ): Promise<readonly T[] | undefined> {
    for (;;) {
      const held = this.#ring.slice(this.#next, max)
      if (held.length > 0) {
        const items = held.slice(0, wanted(held))
        this.#next += items.length
        this.#ring.release()
        return items
      }
      if (this.#ring.closed || signal?.aborted === true) return undefined
      await this.#ring.change(signal)
    }
  }

  skipTo(sequence: number): void {
    this.#next = Math.max(this.#next, sequence)
  }

  [Symbol.dispose](): void {
    this.#ring.leave(this)
  }
}
