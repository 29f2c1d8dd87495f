import { type Clock, systemClock } from '../core/clock.ts'
import type { OptionNames } from '../core/option-names.ts'
import { type Cursor, DONE, ItemRing } from '../core/ring.ts'
import { duration, oneOf, refuseUnknown, ringCapacity, wholeNumber } from './capacity.ts'
import { BroadcastError, ringErrors, StreamingError } from './errors.ts'

/** `block`: the publisher waits, then fails. `drop_slow`: then the slow one is cut off. `skip_for_slow`: it skips items. */
export type SlowPolicy = 'block' | 'drop_slow' | 'skip_for_slow'

export interface BroadcastOptions {
  /** Items held: clamped to 4 … 1,048,576, rounded up to a power of two. */
  readonly capacity?: number | undefined
  /** 0: no limit. */
  readonly maxSubscribers?: number | undefined
  readonly policy?: SlowPolicy | undefined
  /** Milliseconds, or a text such as `250ms`. */
  readonly slowTimeoutMs?: number | string | undefined
  /** Items behind at which a subscriber counts as lagging. */
  readonly lagWarning?: number | undefined
  readonly clock?: Clock | undefined
}

/** An item, and how many before it this subscriber did not get. */
export interface BroadcastItem<T> {
  readonly value: T
  readonly skipped: number
}

export interface SubscriberFacts {
  readonly id: number
  readonly name: string
  readonly lag: number
  readonly isLagging: boolean
}

const OPTIONS: OptionNames<BroadcastOptions> = {
  capacity: true,
  maxSubscribers: true,
  policy: true,
  slowTimeoutMs: true,
  lagWarning: true,
  clock: true,
}

/** Everything that is published goes to every subscriber from the moment at which it joined. */
export class Broadcast<T> implements AsyncDisposable {
  readonly #ring: ItemRing<T>
  readonly #maxSubscribers: number
  readonly #policy: SlowPolicy
  readonly #slowTimeoutMs: number
  readonly #lagWarning: number
  readonly #clock: Clock
  readonly #subscribers = new Map<number, BroadcastSubscriber<T>>()
  #nextId = 1
  #publishing: Promise<unknown> | undefined
  /** Ends the wait of the publisher whose turn it is. */
  #giveUp: AbortController | undefined

  constructor(options: BroadcastOptions = {}) {
    refuseUnknown('a broadcast', options, OPTIONS)
    const { capacity = 1024, maxSubscribers = 64, policy = 'block', slowTimeoutMs = 100, lagWarning = 1000 } = options
    this.#ring = new ItemRing(ringCapacity(capacity), { errors: ringErrors })
    this.#maxSubscribers = wholeNumber('maxSubscribers', maxSubscribers, 0)
    this.#policy = oneOf('policy', policy, ['block', 'drop_slow', 'skip_for_slow'])
    this.#slowTimeoutMs = duration('slowTimeoutMs', slowTimeoutMs)
    this.#lagWarning = wholeNumber('lagWarning', lagWarning, 1)
    this.#clock = options.clock ?? systemClock
  }

  /**
   * Resolves when the item is published. Full: by the policy it waits up to `slowTimeoutMs` and then rejects with
   * `SlowSubscriberTimeout` (`block`: the item is not published) or cuts the slow ones off, or it makes them skip.
   * Rejects with `NoSubscribers` or `Closed`.
   */
  broadcast(value: T): Promise<void> {
    const fault = this.#refusal()
    if (fault !== undefined) return Promise.reject(fault)
    if (this.#publishedNow(value)) return DONE
    return this.#inTurn(() => this.#publishSlowly(value))
  }

  /** The same without waiting: throws `BufferFull` where `broadcast` would wait. */
  tryBroadcast(value: T): void {
    const fault = this.#refusal()
    if (fault !== undefined) throw fault
    if (!this.#publishedNow(value)) throw new BroadcastError('BufferFull', { capacity: this.#ring.capacity, value })
  }

  /** Joins; gets what is published from now on. Throws `MaxSubscribersReached` or `Closed`. */
  subscribe(name?: string): BroadcastSubscriber<T> {
    if (this.#ring.closed) throw new BroadcastError('Closed')
    if (this.#maxSubscribers > 0 && this.#subscribers.size >= this.#maxSubscribers) {
      throw new BroadcastError('MaxSubscribersReached', { maximum: this.#maxSubscribers })
    }
    const id = this.#nextId++
    const cursor = this.#ring.join()
    // Alone it would begin with what others have left unread.
    cursor.position = this.#ring.head
    const subscriber = new BroadcastSubscriber(this, { id, name: name ?? `subscriber-${id}`, cursor })
    this.#subscribers.set(id, subscriber)
    return subscriber
  }

  /** The next item of a subscriber, waiting for it. Rejects with `Closed` when there will be none. */
  read(
    subscriber: SubscriberRef<T>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<BroadcastItem<T>> {
    try {
      return this.#of(subscriber).read(options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The next item of a subscriber; undefined when there is none now. */
  tryRead(subscriber: SubscriberRef<T>): BroadcastItem<T> | undefined {
    return this.#of(subscriber).tryRead()
  }

  /** Position of the subscriber that is furthest behind: the items that it has had, counted from the first of all. */
  slowestCursor(): number {
    return this.#ring.tail
  }

  /** Items that the subscriber has not read. */
  subscriberLag(subscriber: SubscriberRef<T>): number {
    return this.#of(subscriber).lag
  }

  isLagging(subscriber: SubscriberRef<T>): boolean {
    return this.subscriberLag(subscriber) >= this.#lagWarning
  }

  subscribers(): readonly SubscriberFacts[] {
    return [...this.#subscribers.values()].map(({ id, name, lag }) => ({
      id,
      name,
      lag,
      isLagging: lag >= this.#lagWarning,
    }))
  }

  /** Leaves. Throws `SubscriberNotFound`. */
  unsubscribe(subscriber: SubscriberRef<T>): void {
    const found = this.#of(subscriber)
    this.#remove(found, new BroadcastError('SubscriberNotFound', { subscriber: found.name }))
  }

  get subscriberCount(): number {
    return this.#subscribers.size
  }

  get capacity(): number {
    return this.#ring.capacity
  }

  get isClosed(): boolean {
    return this.#ring.closed
  }

  /** Nothing can be published any more; subscribers read what is held. */
  close(): Promise<void> {
    this.#ring.close()
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #refusal(): BroadcastError | undefined {
    if (this.#ring.closed) return new BroadcastError('Closed')
    if (this.#subscribers.size === 0) return new BroadcastError('NoSubscribers')
    return undefined
  }

  /** False: it would have to wait. */
  #publishedNow(value: T): boolean {
    if (this.#publishing !== undefined) return false
    if (!this.#ring.hasRoom()) {
      if (this.#policy !== 'skip_for_slow') return false
      this.#ring.dropOldest()
    }
    this.#ring.put(value)
    return true
  }

  /** One publisher waits at a time, the others behind it: items keep the order of the calls. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = (this.#publishing ?? DONE).then(task)
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#publishing === settled) this.#publishing = undefined
      })
    this.#publishing = settled
    return turn
  }

  async #publishSlowly(value: T): Promise<void> {
    const fault = this.#refusal()
    if (fault !== undefined) throw fault
    const ring = this.#ring
    if (ring.hasRoom()) {
      ring.put(value)
      return
    }
    if (await this.#waited(value)) return
    const slow = this.#slow()
    if (this.#policy === 'block' && slow[0] !== undefined) throw this.#tooSlow(slow[0])
    for (const subscriber of slow) this.#remove(subscriber, this.#tooSlow(subscriber))
    if (this.#subscribers.size === 0) throw new BroadcastError('NoSubscribers')
    ring.put(value)
  }

  /** Whether the item went in within the time limit. */
  async #waited(value: T): Promise<boolean> {
    const entered = new AbortController()
    const late = new AbortController()
    this.#giveUp = late
    void this.#clock.sleep(this.#slowTimeoutMs, entered.signal).then(() => {
      if (!entered.signal.aborted) late.abort()
    })
    try {
      await this.#ring.wait(value, late.signal)
      return true
    } catch (error) {
      if (late.signal.aborted && this.#subscribers.size === 0) throw new BroadcastError('NoSubscribers')
      if (late.signal.aborted) return false
      if (error instanceof StreamingError && error.kind === 'ChannelClosed') throw new BroadcastError('Closed')
      throw error
    } finally {
      entered.abort()
    }
  }

  #slow(): BroadcastSubscriber<T>[] {
    const { tail } = this.#ring
    return [...this.#subscribers.values()].filter((subscriber) => subscriber.position === tail)
  }

  #tooSlow({ name, lag }: BroadcastSubscriber<T>): BroadcastError {
    return new BroadcastError('SlowSubscriberTimeout', { subscriber: name, lag, timeoutMs: this.#slowTimeoutMs })
  }

  #remove(subscriber: BroadcastSubscriber<T>, why: BroadcastError): void {
    this.#subscribers.delete(subscriber.id)
    subscriber.end(why)
    if (this.#subscribers.size === 0) this.#giveUp?.abort()
  }

  #of(subscriber: SubscriberRef<T>): BroadcastSubscriber<T> {
    if (subscriber instanceof BroadcastSubscriber) return subscriber
    const found =
      typeof subscriber === 'number'
        ? this.#subscribers.get(subscriber)
        : [...this.#subscribers.values()].find(({ name }) => name === subscriber)
    if (found === undefined) throw new BroadcastError('SubscriberNotFound', { subscriber: String(subscriber) })
    return found
  }
}

/** A subscriber, its id, or its name (the oldest of that name). */
export type SubscriberRef<T> = BroadcastSubscriber<T> | number | string

/** One reader of a broadcast. */
export class BroadcastSubscriber<T> implements AsyncDisposable {
  readonly id: number
  readonly name: string
  readonly #broadcast: Broadcast<T>
  readonly #cursor: Cursor<T>
  /** Skipped items that a read has told of. */
  #told = 0
  /** Why it gets nothing any more. */
  #ended: BroadcastError | undefined

  constructor(
    broadcast: Broadcast<T>,
    { id, name, cursor }: { readonly id: number; readonly name: string; readonly cursor: Cursor<T> },
  ) {
    this.#broadcast = broadcast
    this.id = id
    this.name = name
    this.#cursor = cursor
  }

  /** The next item, waiting for it. Rejects with `Closed`, or with why this subscriber was cut off. */
  async read({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<BroadcastItem<T>> {
    if (this.#ended !== undefined) throw this.#ended
    try {
      return this.#item(await this.#cursor.next(signal))
    } catch (error) {
      if (!(error instanceof StreamingError)) throw error
      throw this.#ended ?? new BroadcastError('Closed')
    }
  }

  /** The next item; undefined when there is none now. Throws why this subscriber was cut off. */
  tryRead(): BroadcastItem<T> | undefined {
    if (this.#ended !== undefined) throw this.#ended
    const cursor = this.#cursor
    return cursor.pending === 0 ? undefined : this.#item(cursor.take() as T)
  }

  /** Items that it has not read. */
  get lag(): number {
    return this.#cursor.pending
  }

  get position(): number {
    return this.#cursor.position
  }

  /** Items that it skipped in all. */
  get skipped(): number {
    return this.#cursor.skipped
  }

  /** It was cut off or has left, or the broadcast is closed and read to its end. */
  get isDisconnected(): boolean {
    return this.#ended !== undefined || this.#cursor.disconnected
  }

  /** Takes it off the ring; for its broadcast. */
  end(why: BroadcastError): void {
    this.#ended = why
    this.#cursor.ring.leave(this.#cursor)
  }

  close(): Promise<void> {
    if (this.#ended === undefined) this.#broadcast.unsubscribe(this)
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<BroadcastItem<T>> {
    while (!this.isDisconnected) {
      let item: BroadcastItem<T>
      try {
        item = await this.read()
      } catch (error) {
        if (error instanceof BroadcastError && (error.kind === 'Closed' || error.kind === 'SubscriberNotFound')) return
        throw error
      }
      yield item
    }
    if (this.#ended?.kind === 'SlowSubscriberTimeout') throw this.#ended
  }

  #item(value: T): BroadcastItem<T> {
    const { skipped } = this.#cursor
    if (skipped === this.#told) return { value, skipped: 0 }
    const item = { value, skipped: skipped - this.#told }
    this.#told = skipped
    return item
  }
}
