import { type Clock, systemClock } from '../core/clock.ts'
import type { OptionNames } from '../core/option-names.ts'
import { type Cursor, DONE, ItemRing, type Overflow } from '../core/ring.ts'
import { oneOf, refuseUnknown, ringCapacity } from './capacity.ts'
import { ringErrors, StreamingError } from './errors.ts'
import { drain, within } from './waits.ts'

export interface ChannelOptions {
  /** Items held: clamped to 4 … 1,048,576, rounded up to a power of two. */
  readonly capacity?: number | undefined
  readonly overflow?: Overflow | undefined
  readonly trackStats?: boolean | undefined
  readonly clock?: Clock | undefined
}

/** Exact counts since the channel was made; all 0 without `trackStats`. */
export interface ChannelStats {
  readonly itemsPushed: number
  readonly itemsPopped: number
  /** Pushes that had to wait. */
  readonly pushBlocked: number
  /** Items that `drop_oldest` removed. */
  readonly itemsDropped: number
  /** Polls that found nothing. */
  readonly popEmpty: number
  /** Pushed, and neither popped nor dropped. */
  readonly inFlight: number
  /** Dropped ÷ pushed, 0 to 1. */
  readonly dropRate: number
}

/** A bounded channel: any number of senders, one receiver. */
export function channel<T>(options: ChannelOptions = {}): {
  readonly sender: Sender<T>
  readonly receiver: Receiver<T>
} {
  refuseUnknown('a channel', options, OPTIONS)
  const core = new ChannelCore<T>(options)
  return { sender: new Sender(core), receiver: new Receiver(core) }
}

const OPTIONS: OptionNames<ChannelOptions> = { capacity: true, overflow: true, trackStats: true, clock: true }

class ChannelCore<T> {
  readonly ring: ItemRing<T>
  readonly cursor: Cursor<T>
  readonly overflow: Overflow
  readonly clock: Clock
  readonly #trackStats: boolean
  senders = 0

  constructor({ capacity = 2048, overflow = 'block', trackStats = false, clock = systemClock }: ChannelOptions) {
    this.ring = new ItemRing(ringCapacity(capacity), { errors: ringErrors })
    this.cursor = this.ring.join()
    this.overflow = oneOf('overflow', overflow, ['block', 'drop_oldest', 'reject'])
    this.#trackStats = trackStats
    this.clock = clock
  }

  stats(): ChannelStats {
    const { ring, cursor } = this
    const track = this.#trackStats
    const pushed = track ? ring.head : 0
    const popped = track ? cursor.taken : 0
    const dropped = track ? ring.dropped : 0
    return {
      itemsPushed: pushed,
      itemsPopped: popped,
      pushBlocked: track ? ring.blocked : 0,
      itemsDropped: dropped,
      popEmpty: track ? cursor.empty : 0,
      inFlight: Math.max(0, pushed - popped - dropped),
      dropRate: pushed === 0 ? 0 : dropped / pushed,
    }
  }
}

/** Writes a channel; `clone` makes another writer. The channel ends when every one of them is closed. */
export class Sender<T> implements AsyncDisposable {
  readonly #core: ChannelCore<T>
  readonly #ring: ItemRing<T>
  #closed = false

  constructor(core: ChannelCore<T>) {
    this.#core = core
    this.#ring = core.ring
    core.senders++
  }

  /**
   * Resolves when the item is in; by `overflow` it waits for room, takes the place of the oldest, or rejects with
   * `ChannelFull`. A closed channel rejects with `ChannelClosed`.
   */
  push(value: T, { signal }: { readonly signal?: AbortSignal | undefined } = NO_OPTIONS): Promise<void> {
    const ring = this.#ring
    if (this.#closed || ring.closed) return Promise.reject(new StreamingError('ChannelClosed'))
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (ring.hasRoom()) {
      ring.put(value)
      return DONE
    }
    const { overflow } = this.#core
    if (overflow === 'block') return ring.wait(value, signal)
    if (overflow === 'reject') {
      return Promise.reject(new StreamingError('ChannelFull', { capacity: ring.capacity, value }))
    }
    ring.dropOldest()
    ring.put(value)
    return DONE
  }

  /** Undefined when the item is in, else the refused item. Throws `ChannelClosed`. */
  tryPush(value: T): T | undefined {
    const ring = this.#ring
    if (this.#closed || ring.closed) throw new StreamingError('ChannelClosed')
    if (!ring.hasRoom()) {
      if (this.#core.overflow !== 'drop_oldest') return value
      ring.dropOldest()
    }
    ring.put(value)
    return undefined
  }

  /** Items that wait for the receiver. */
  get pending(): number {
    return this.#ring.pending
  }

  get capacity(): number {
    return this.#ring.capacity
  }

  get isClosed(): boolean {
    return this.#closed || this.#ring.closed
  }

  stats(): ChannelStats {
    return this.#core.stats()
  }

  clone(): Sender<T> {
    if (this.#closed) throw new StreamingError('ChannelClosed')
    return new Sender(this.#core)
  }

  /** The last sender's `close` ends the channel; pushes that still wait fail. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      if (--this.#core.senders === 0) this.#ring.close()
    }
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Reads a channel. */
export class Receiver<T> implements AsyncDisposable, AsyncIterable<T> {
  readonly #core: ChannelCore<T>
  readonly #cursor: Cursor<T>

  constructor(core: ChannelCore<T>) {
    this.#core = core
    this.#cursor = core.cursor
  }

  /** The next item; undefined when there is none now. */
  poll(): T | undefined {
    return this.#cursor.take()
  }

  /** The next item, waiting for it; `Disconnected` when the channel has ended. */
  recv({ signal }: { readonly signal?: AbortSignal | undefined } = NO_OPTIONS): Promise<T> {
    return this.#cursor.next(signal)
  }

  /** Like `recv`, at most `ms` milliseconds (or a text such as `5s`): then `Timeout`. */
  recvTimeout(ms: number | string, options: { readonly signal?: AbortSignal | undefined } = NO_OPTIONS): Promise<T> {
    return within((signal) => this.#cursor.next(signal), ms, { clock: this.#core.clock, ...options })
  }

  /** At most `max` items that are there. */
  pollBatch(max: number): T[] {
    const items: T[] = []
    while (items.length < max && this.#cursor.pending > 0) items.push(this.#cursor.take() as T)
    return items
  }

  get pending(): number {
    return this.#cursor.pending
  }

  get capacity(): number {
    return this.#core.ring.capacity
  }

  /** The channel has ended and is empty. */
  get isDisconnected(): boolean {
    return this.#cursor.disconnected
  }

  stats(): ChannelStats {
    return this.#core.stats()
  }

  /** Pushes fail from now on; what is held can still be read. */
  close(): Promise<void> {
    this.#core.ring.close()
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return drain(this.#cursor)
  }
}

const NO_OPTIONS = {} as const
