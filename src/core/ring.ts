/** `block`: a push waits. `drop_oldest`: the oldest item leaves. `reject`: a push fails. */
export type Overflow = 'block' | 'drop_oldest' | 'reject'

/** What a ring throws: its users have errors of their own. */
export interface RingErrors {
  /** `value` is what was refused. */
  full(capacity: number, value: unknown): unknown
  closed(): unknown
  /** Nothing is left for a reader, and nothing will come. */
  disconnected(): unknown
}

export interface RingForm<T> {
  readonly errors: RingErrors
  /** Told of an item that a reader will not see. */
  readonly onSkip?: ((item: T, cursor: Cursor<T>) => void) | undefined
  /** Items that stay readable after every reader has had them. */
  readonly retain?: number | undefined
  /** Slots at first, which grow by what `putAll` brings; by default there are enough of them from the start. */
  readonly slots?: number | undefined
}

/** Pushes that wait at once; more of them fail. */
const WAITING_MAX = 65_536

/** What a push returns when it need not wait: one promise for all. */
export const DONE: Promise<void> = Promise.resolve()

/** Runs in the same step in which the item enters; the push resolves with what it gives. */
export type Accepted = () => Promise<void> | undefined

interface WaitingPush<T> {
  item: T
  /** All of them enter in one step; `item` is the first. */
  readonly others: readonly T[] | undefined
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
 * leaves when the slowest has taken it. Without a reader items wait for the first one. The one ring of channels, streams,
 * broadcasts, the bus and `memory:` (rulings 70).
 * Positions count items from 0 and are exact to 2⁵³.
 */
export class ItemRing<T> {
  readonly capacity: number
  mask: number
  slots: (T | undefined)[]
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
  /** Items before it are gone; behind the tail by what is retained. */
  #floor = 0
  readonly #retain: number
  readonly #slotsMin: number
  #closed = false
  readonly #cursors: Cursor<T>[] = []
  readonly #pushes = new Set<WaitingPush<T>>()
  #last: WaitingPush<T> | undefined
  readonly #form: RingForm<T>

  /** Holds `capacity` items exactly; there is a power of two of slots. */
  constructor(capacity: number, form: RingForm<T>) {
    const { retain = 0, slots = capacity + retain } = form
    this.capacity = capacity
    this.#form = form
    this.#retain = retain
    this.#slotsMin = 2 ** Math.ceil(Math.log2(slots))
    this.mask = this.#slotsMin - 1
    this.slots = new Array<T | undefined>(this.#slotsMin).fill(undefined)
  }

  get errors(): RingErrors {
    return this.#form.errors
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

  /** Position of the oldest item that can still be read. */
  get floor(): number {
    this.#advanceTail()
    const keep = Math.min(this.#tail, this.head - this.#retain)
    for (; this.#floor < keep; this.#floor++) this.slots[this.#floor & this.mask] = undefined
    return this.#floor
  }

  /** Whether so many enter at once: they fit, or there is nothing before them (rulings 66). */
  hasRoomFor(count: number): boolean {
    const { pending } = this
    return pending === 0 || pending + count <= this.capacity
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

  /** Appends all; only when `hasRoomFor` them. */
  putAll(items: readonly T[]): void {
    this.#fit(items.length)
    for (const item of items) this.slots[this.head++ & this.mask] = item
    if (this.sleeping !== 0) this.#wake()
  }

  /** Items from a position that is not below the floor. */
  slice(position: number, max: number): T[] {
    const count = Math.max(0, Math.min(max, this.head - position))
    return Array.from({ length: count }, (_, i) => this.slots[(position + i) & this.mask] as T)
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
      this.#form.onSkip?.(item, cursor)
    }
    this.slots[this.#tail & this.mask] = undefined
    this.#tail++
    this.#floor = Math.max(this.#floor, this.#tail)
    this.dropped++
  }

  /** Waits behind the pushes that wait already; rejects with the signal's reason, or when the ring is closed. */
  wait(item: T, signal?: AbortSignal, accepted?: Accepted, others?: readonly T[]): Promise<void> {
    if (this.#pushes.size >= WAITING_MAX) return Promise.reject(this.errors.full(this.capacity, item))
    this.blocked++
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const push: WaitingPush<T> = { item, others, accepted, resolve, reject }
    this.#add(push)
    return signal === undefined ? promise : this.#abortable(promise, signal, () => this.#withdraw(push, signal))
  }

  /** Like `wait`, for an item that nobody waits for; `merge` may put one that waits last already in its place. */
  enqueue(item: T, merge: (waiting: T, item: T) => T | undefined): void {
    const last = this.#last !== undefined && this.#pushes.has(this.#last) ? this.#last : undefined
    const merged = last === undefined ? undefined : merge(last.item, item)
    if (merged !== undefined) last!.item = merged
    else this.#add({ item, others: undefined, accepted: undefined, resolve: IGNORE, reject: IGNORE })
  }

  /** Lets waiting pushes in, as far as there is room; runs after a reader has moved on or left. */
  admit(): void {
    for (const push of this.#pushes) {
      const { others } = push
      if (others === undefined ? !this.hasRoom() : !this.hasRoomFor(others.length + 1)) return
      this.#pushes.delete(push)
      this.waiting = this.#pushes.size
      if (others === undefined) this.put(push.item)
      else this.putAll([push.item, ...others])
      push.resolve(push.accepted?.())
    }
    if (this.#closed) this.#endSleepers()
  }

  /** A reader at the oldest item held; behind other readers it begins with the next item. */
  join(at: number = this.#cursors.length === 0 ? this.#tail : this.head): Cursor<T> {
    const cursor = new Cursor<T>(this, at)
    this.#cursors.push(cursor)
    this.#joined()
    // The first reader may begin behind what nobody wanted.
    if (this.waiting !== 0) this.admit()
    return cursor
  }

  leave(cursor: Cursor<T>): void {
    const at = this.#cursors.indexOf(cursor)
    if (at < 0) return
    this.#advanceTail()
    this.#cursors.splice(at, 1)
    this.#joined()
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
      push.reject(this.errors.closed())
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

  /** What is kept for others is not cleared when one has taken it. */
  #joined(): void {
    this.single = this.#cursors.length === 1 && this.#retain === 0
  }

  /** Slots for so many more; an empty ring that had grown much begins small again. */
  #fit(count: number): void {
    const { floor } = this
    const needed = this.head - floor + count
    const length = Math.max(this.#slotsMin, 2 ** Math.ceil(Math.log2(needed)))
    if (length <= this.slots.length && (floor < this.head || this.slots.length <= 8 * length)) return
    const slots = new Array<T | undefined>(length).fill(undefined)
    for (let at = floor; at < this.head; at++) slots[at & (length - 1)] = this.slots[at & this.mask]
    this.slots = slots
    this.mask = length - 1
  }

  #endSleepers(): void {
    if (!this.ended || this.sleeping === 0) return
    for (const cursor of this.#cursors) {
      if (cursor.position === this.head) cursor.wakeAll(this.errors.disconnected())
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
    if (this.ring.ended) return Promise.reject(this.ring.errors.disconnected())
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
    const { errors } = this.ring
    this.wakeAll(errors.disconnected())
    this.ring = new ItemRing(1, { errors })
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
