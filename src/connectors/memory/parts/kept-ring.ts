import { HeadraceError } from '../../../core/errors.ts'
import { type Cursor, ItemRing, NONE, type RingErrors } from '../../../core/ring.ts'

export interface KeptOptions {
  /** Items held at most; one push larger than that is admitted when the ring is empty (rulings 66). */
  readonly capacity: number
  readonly overflow: 'block' | 'drop_oldest' | 'drop_newest' | 'reject'
  /** Items kept for re-reading after every reader has taken them. */
  readonly retain: number
}

const errors: RingErrors = {
  full: () => new HeadraceError('connector_capacity', 'the channel is full'),
  closed: () => new HeadraceError('streaming_channel_closed', 'the channel is closed'),
  disconnected: () => ENDED,
}
/** A reader is told by undefined. */
const ENDED = Symbol('ended')
const SLOTS = 64

/**
 * The ring of a channel: items enter many at a time, stay for readers that come back to an offset, and for those who
 * hold them. Sequences count from 1.
 */
export class KeptRing<T> {
  readonly options: KeptOptions
  readonly #ring: ItemRing<T>
  /** By name: items from here on are kept until whoever holds them moves on. */
  readonly #holds = new Map<string, Cursor<T>>()

  constructor(options: KeptOptions) {
    this.options = options
    const { capacity, retain } = options
    this.#ring = new ItemRing(capacity, { errors, retain, slots: Math.min(SLOTS, capacity) })
  }

  get closed(): boolean {
    return this.#ring.closed
  }

  /** Items that wait for a reader, or are held. */
  get length(): number {
    return this.#ring.pending
  }

  get dropped(): number {
    return this.#ring.dropped + this.#refused
  }
  #refused = 0

  get firstSequence(): number {
    return this.#ring.floor + 1
  }

  /** Sequence that the next item gets. */
  get nextSequence(): number {
    return this.#ring.head + 1
  }

  /** Appends all items or, by the overflow policy, waits, drops or throws `connector_capacity`. */
  async push(items: readonly T[]): Promise<void> {
    const ring = this.#ring
    if (ring.closed) throw errors.closed()
    const [first, ...others] = items
    if (first === undefined) return
    if (ring.waiting === 0 && ring.hasRoomFor(items.length)) {
      ring.putAll(items)
      return
    }
    switch (this.options.overflow) {
      case 'block':
        return await ring.wait(first, undefined, undefined, others)
      case 'reject':
        throw errors.full(ring.capacity, items)
      case 'drop_newest':
        this.#refused += items.length
        return
      case 'drop_oldest':
        while (!ring.hasRoomFor(items.length)) ring.dropOldest()
        ring.putAll(items)
    }
  }

  /** A reader that starts at `from`, or at the oldest item held. */
  reader(from: number = this.firstSequence): KeptReader<T> {
    if (from < this.firstSequence) {
      throw new HeadraceError('connector_offset_gone', `position ${from} is no longer held`)
    }
    return new KeptReader(this.#ring, this.#ring.join(from - 1))
  }

  /** Keeps the items from `sequence` on, also when all readers have left, until the same name holds later ones. */
  hold(name: string, sequence: number): void {
    const ring = this.#ring
    const position = Math.max(sequence - 1, ring.floor)
    const cursor = this.#holds.get(name)
    if (cursor === undefined) this.#holds.set(name, ring.join(position))
    else cursor.position = position
    if (ring.waiting !== 0) ring.admit()
  }

  /** No more items; readers still get what is held. */
  close(): void {
    this.#ring.close()
  }

  /** Up to `max` items from `sequence`; empty when there are none now. */
  slice(sequence: number, max: number): readonly T[] {
    return this.#ring.slice(sequence - 1, max)
  }
}

/** One reader of a channel. */
export class KeptReader<T> implements Disposable {
  readonly #ring: ItemRing<T>
  readonly #cursor: Cursor<T>

  constructor(ring: ItemRing<T>, cursor: Cursor<T>) {
    this.#ring = ring
    this.#cursor = cursor
  }

  /** Sequence of the item that is read next. */
  get next(): number {
    return this.#cursor.position + 1
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
    const cursor = this.#cursor
    const some = (): readonly T[] | typeof NONE => {
      if (cursor.pending === 0) return NONE
      const count = wanted(this.#ring.slice(cursor.position, max))
      return Array.from({ length: count }, () => cursor.take() as T)
    }
    try {
      return await cursor.wait(some, signal)
    } catch (error) {
      if (error === ENDED || (signal?.aborted === true && error === signal.reason)) return undefined
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#ring.leave(this.#cursor)
  }
}
