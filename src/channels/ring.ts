import { StreamingError } from './errors.ts'

/** `block`: a push waits. `drop_oldest`: the oldest item leaves. `reject`: a push fails. */
export type Overflow = 'block' | 'drop_oldest' | 'reject'

/** Pushes that wait at once; more of them fail. */
const WAITING_MAX = 65_536

/** What a push returns when it need not wait: one promise for all. */
export const DONE: Promise<void> = Promise.resolve()

/** Runs in the same step in which the item enters; the push resolves with what it gives. */
export type Accepted = () => Promise<void> | undefined

interface WaitingPush<T> {
  item: T
  readonly accepted: Accepted | undefined
  readonly resolve: (after: Promise<void> | undefined) => void
  readonly reject: (error: unknown) => void
}

/** There is nothing to take now. */
export const NONE = Symbol('none')

interface WaitingTake {
  readonly take: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * A bounded ring of items with one cursor per reader: every reader sees every item from where it joined, and an item
 * leaves when the slowest has taken it. Without a reader items wait for the first one.
 * Positions count items from 0 and are exact to 2⁵³.
 */
export class ItemRing<T> {
  readonly capacity: number
  readonly mask: number
  readonly slots: (T | undefined)[]
  /** Position of the next item. */
  head = 0
  /** Pushes that wait; while there are any, the ring is full. */
  waiting = 0
  /** Readers that wait for an item. */
  sleeping = 0
  /** Only one reader: a slot is cleared as soon as it is taken. With several it is when it is overwritten. */
  single = false
  /** Pushes that had to wait. */
  blocked = 0
  /** Items that left before every reader had them. */
  dropped = 0
  /** No reader is behind it. */
  #tail = 0
  #closed = false
  readonly #cursors: Cursor<T>[] = []
  readonly #pushes = new Set<WaitingPush<T>>()
  #last: WaitingPush<T> | undefined
  /** Told of an item that a reader will not see. */
  readonly #onSkip: ((item: T, cursor: Cursor<T>) => void) | undefined

  /** Holds `capacity` items exactly, in as many slots as the next power of two. */
  constructor(capacity: number, onSkip?: (item: T, cursor: Cursor<T>) => void) {
    const slots = 2 ** Math.ceil(Math.log2(capacity))
    this.capacity = capacity
    this.mask = slots - 1
    this.slots = new Array<T | undefined>(slots).fill(undefined)
    this.#onSkip = onSkip
  }

  get closed(): boolean {
    return this.#closed
  }

  get cursors(): readonly Cursor<T>[] {
    return this.#cursors
  }

  /** Position of the oldest item that some reader still wants. */
  get tail(): number {
    this.#advanceTail()
    return this.#tail
  }

  /** Items that the slowest reader has not taken. */
  get pending(): number {
    return this.head - this.tail
  }

  hasRoom(): boolean {
    if (this.head - this.#tail < this.capacity) return true
    this.#advanceTail()
    return this.head - this.#tail < this.capacity
  }

  /** Appends; only when there is room. */
  put(item: T): void {
    this.slots[this.head & this.mask] = item
    this.head++
    if (this.sleeping !== 0) this.#wake()
  }

  /** The oldest item leaves: readers that have not taken it skip it. */
  dropOldest(): void {
    this.#advanceTail()
    if (this.#tail === this.head) return
    const item = this.slots[this.#tail & this.mask]!
    for (const cursor of this.#cursors) {
      if (cursor.position !== this.#tail) continue
      cursor.position++
      cursor.skipped++
      this.#onSkip?.(item, cursor)
    }
    this.slots[this.#tail & this.mask] = undefined
    this.#tail++
    this.dropped++
  }

  /** Waits behind the pushes that wait already; rejects with the signal's reason, or when the ring is closed. */
  wait(item: T, signal?: AbortSignal, accepted?: Accepted): Promise<void> {
    if (this.#pushes.size >= WAITING_MAX) {
      return Promise.reject(new StreamingError('ChannelFull', { capacity: this.capacity, value: item }))
    }
    this.blocked++
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const push: WaitingPush<T> = { item, accepted, resolve, reject }
    this.#add(push)
    return signal === undefined ? promise : this.#abortable(promise, signal, () => this.#withdraw(push, signal))
  }

  /** Like `wait`, for an item that nobody waits for; `merge` may put one that waits last already in its place. */
  enqueue(item: T, merge: (waiting: T, item: T) => T | undefined): void {
    const last = this.#last !== undefined && this.#pushes.has(this.#last) ? this.#last : undefined
    const merged = last === undefined ? undefined : merge(last.item, item)
    if (merged !== undefined) last!.item = merged
    else this.#add({ item, accepted: undefined, resolve: IGNORE, reject: IGNORE })
  }

  /** Lets waiting pushes in, as far as there is room; runs after a reader has moved on or left. */
  admit(): void {
    for (const push of this.#pushes) {
      if (!this.hasRoom()) return
      this.#pushes.delete(push)
      this.waiting = this.#pushes.size
      this.put(push.item)
      push.resolve(push.accepted?.())
    }
    if (this.#closed) this.#endSleepers()
  }

  /** A reader at the oldest item held; behind other readers it begins with the next item. */
  join(): Cursor<T> {
    const cursor = new Cursor<T>(this, this.#cursors.length === 0 ? this.#tail : this.head)
    this.#cursors.push(cursor)
    this.single = this.#cursors.length === 1
    return cursor
  }

  leave(cursor: Cursor<T>): void {
    const at = this.#cursors.indexOf(cursor)
    if (at < 0) return
    this.#advanceTail()
    this.#cursors.splice(at, 1)
    this.single = this.#cursors.length === 1
    // What the last reader has not taken waits for the next one.
    if (this.#cursors.length === 0) this.#tail = Math.max(this.#tail, cursor.position)
    cursor.detach()
    if (this.waiting !== 0) this.admit()
  }

  /** No push any more, the waiting ones fail; readers get what is held. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const push of this.#pushes) {
      if (push.reject === IGNORE) continue
      this.#pushes.delete(push)
      push.reject(new StreamingError('ChannelClosed'))
    }
    this.waiting = this.#pushes.size
    this.#endSleepers()
  }

  /** Nothing will enter any more. */
  get ended(): boolean {
    return this.#closed && this.waiting === 0
  }

  #add(push: WaitingPush<T>): void {
    this.#pushes.add(push)
    this.#last = push
    this.waiting = this.#pushes.size
  }

  #endSleepers(): void {
    if (!this.ended || this.sleeping === 0) return
    for (const cursor of this.#cursors) {
      if (cursor.position === this.head) cursor.wakeAll(new StreamingError('Disconnected'))
    }
  }

  #advanceTail(): void {
    if (this.#cursors.length === 0) return
    let tail = this.head
    for (const { position } of this.#cursors) if (position < tail) tail = position
    this.#tail = tail
  }

  #wake(): void {
    for (const cursor of this.#cursors) cursor.serve()
  }

  #withdraw(push: WaitingPush<T>, signal: AbortSignal): void {
    if (!this.#pushes.delete(push)) return
    this.waiting = this.#pushes.size
    push.reject(signal.reason)
  }

  async #abortable(promise: Promise<void>, signal: AbortSignal, abort: () => void): Promise<void> {
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}

const IGNORE = (): void => {}

/** One reader of a ring. */
export class Cursor<T> {
  ring: ItemRing<T>
  /** Of the next item. */
  position: number
  readonly start: number
  /** Items that it never saw. */
  skipped = 0
  /** Polls that found nothing. */
  empty = 0
  readonly #sleepers = new Set<WaitingTake>()
  #serving = false

  constructor(ring: ItemRing<T>, position: number) {
    this.ring = ring
    this.position = position
    this.start = position
  }

  get taken(): number {
    return this.position - this.start - this.skipped
  }

  get pending(): number {
    return this.ring.head - this.position
  }

  /** Nothing is left and nothing will come. */
  get disconnected(): boolean {
    return this.position === this.ring.head && this.ring.ended
  }

  /** The next item, or undefined when there is none now. */
  take(): T | undefined {
    const { ring, position } = this
    if (position === ring.head) {
      this.empty++
      return undefined
    }
    const slot = position & ring.mask
    const item = ring.slots[slot]
    if (ring.single) ring.slots[slot] = undefined
    this.position = position + 1
    if (ring.waiting !== 0) ring.admit()
    return item
  }

  /** The next item, waiting for it; rejects with `Disconnected`, or the signal's reason. */
  next(signal?: AbortSignal): Promise<T> {
    return this.wait<T>(() => (this.position === this.ring.head ? NONE : (this.take() as T)), signal)
  }

  /**
   * What `take` gives, as soon as that is not `NONE`: it runs now and whenever an item enters. Those who wait get theirs
   * in the order in which they came, in the step in which the item enters.
   */
  wait<V>(take: () => V | typeof NONE, signal?: AbortSignal): Promise<V> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const value = take()
    if (value !== NONE) return Promise.resolve(value)
    if (this.ring.ended) return Promise.reject(new StreamingError('Disconnected'))
    const { promise, resolve, reject } = Promise.withResolvers<V>()
    const sleeper = { take, resolve: resolve as (value: unknown) => void, reject }
    this.#sleepers.add(sleeper)
    this.ring.sleeping++
    if (signal === undefined) return promise
    const abort = (): void => {
      if (!this.#sleepers.delete(sleeper)) return
      this.ring.sleeping--
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', abort))
  }

  /** Hands what there is to those that wait. */
  serve(): void {
    // A take may let a waiting push in, which comes back here: the loop that runs sees its item.
    if (this.#serving) return
    this.#serving = true
    for (const sleeper of this.#sleepers) {
      const value = sleeper.take()
      if (value === NONE) break
      this.#sleepers.delete(sleeper)
      this.ring.sleeping--
      sleeper.resolve(value)
    }
    this.#serving = false
  }

  /** It has left: nothing comes any more. */
  detach(): void {
    this.wakeAll(new StreamingError('Disconnected'))
    this.ring = new ItemRing(1)
    this.ring.close()
    this.position = 0
  }

  /** Ends the wait of all. */
  wakeAll(error: unknown): void {
    this.ring.sleeping -= this.#sleepers.size
    for (const sleeper of this.#sleepers) sleeper.reject(error)
    this.#sleepers.clear()
  }
}
