import type { Schema } from '../core/types.ts'
import { type Cursor, DONE } from './ring.ts'
import type { StreamCore } from './stream-core.ts'
import { type Held, HeldBatch, HeldWatermark, type StreamBatch, type StreamItem } from './stream-items.ts'
import { drain, receiveWithin } from './waits.ts'

interface Waits {
  readonly signal?: AbortSignal | undefined
}

/** There is no record now. */
const NONE = Symbol('none')

/**
 * One reader of a stream. The `poll` family gives what is there, the `recv` family waits. Records come one by one, those
 * of a batch too; `pollMessage`, `recvMessage` and `messages` give batches whole, and watermarks.
 */
export class Subscription<T> implements AsyncDisposable, AsyncIterable<T> {
  readonly #core: StreamCore<T>
  readonly #cursor: Cursor<Held<T>>
  readonly #id: number
  /** The batch whose rows are given one by one. */
  #rows: readonly T[] = []
  #row = 0

  constructor(core: StreamCore<T>, cursor: Cursor<Held<T>>, id: number) {
    this.#core = core
    this.#cursor = cursor
    this.#id = id
  }

  /** The next record; undefined when there is none now. Watermarks are passed over. */
  poll(): T | undefined {
    const record = this.#next()
    if (record !== NONE) return record
    this.#cursor.empty++
    return undefined
  }

  /** The next item of any kind; undefined when there is none now. */
  pollMessage(): StreamItem<T> | undefined {
    const ready = this.#carriedOrRow()
    if (ready !== undefined) return ready
    if (this.#cursor.pending > 0) return itemOf(this.#cursor.take() as Held<T>)
    this.#cursor.empty++
    return undefined
  }

  /** The next record, waiting for it; `Disconnected` when the stream has ended. */
  async recv(options: Waits = NO_OPTIONS): Promise<T> {
    for (;;) {
      if (this.#hasRow()) return this.#rows[this.#row++]!
      const item = await this.#cursor.next(options.signal)
      if (item instanceof HeldBatch) this.#open(item.batch)
      else if (!(item instanceof HeldWatermark)) return item
    }
  }

  /** Like `recv`, at most `ms` milliseconds in all: then `Timeout`. */
  async recvTimeout(ms: number, options: Waits = NO_OPTIONS): Promise<T> {
    const { clock } = this.#core
    const started = clock.elapsedMs()
    for (;;) {
      if (this.#hasRow()) return this.#rows[this.#row++]!
      const left = Math.max(0, ms - (clock.elapsedMs() - started))
      const item = await receiveWithin(this.#cursor, left, { clock, ...options })
      if (item instanceof HeldBatch) this.#open(item.batch)
      else if (!(item instanceof HeldWatermark)) return item
    }
  }

  /** The next item of any kind, waiting for it. */
  async recvMessage(options: Waits = NO_OPTIONS): Promise<StreamItem<T>> {
    return this.#carriedOrRow() ?? itemOf(await this.#cursor.next(options.signal))
  }

  /** At most `max` records that are there. */
  pollBatch(max: number): T[] {
    const records: T[] = []
    this.pollBatchInto(records, max)
    return records
  }

  /** Puts at most `max` records at the end of the array; returns how many. */
  pollBatchInto(records: T[], max: number): number {
    let count = 0
    for (; count < max; count++) {
      const record = this.#next()
      if (record === NONE) break
      records.push(record)
    }
    return count
  }

  /** Gives at most `max` records to `fn` until it returns false; returns how many it was given. */
  pollEach(max: number, fn: (value: T) => boolean | undefined): number {
    let count = 0
    while (count < max) {
      const record = this.#next()
      if (record === NONE) break
      count++
      if (fn(record) === false) break
    }
    return count
  }

  /** The stream has ended (or this reader has left) and nothing is left. */
  get isDisconnected(): boolean {
    return !this.#hasRow() && (this.#cursor.disconnected || !this.#core.subscribers.has(this.#id))
  }

  /** Items that wait: a batch counts as one, those of a batch in hand one by one. */
  get pending(): number {
    return this.#cursor.pending + this.#rows.length - this.#row
  }

  /** Items that `drop_oldest` took away before this reader had them. */
  get missed(): number {
    return this.#cursor.skipped
  }

  get schema(): Schema | undefined {
    return this.#core.schema
  }

  get name(): string | undefined {
    return this.#core.subscribers.get(this.#id)
  }

  /** Leaves: nothing comes any more, and the place is free. */
  close(): Promise<void> {
    if (this.#core.subscribers.delete(this.#id)) {
      this.#core.ring.leave(this.#cursor)
      this.#cursor.position = this.#core.ring.head
      this.#rows = []
      this.#row = 0
    }
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for await (const item of this.messages()) {
      if (item.kind === 'record') yield item.value
      else if (item.kind === 'batch') yield* item.batch.rows
    }
  }

  /** Every item of any kind until the stream ends. */
  async *messages(): AsyncGenerator<StreamItem<T>, void, undefined> {
    for (let ready = this.#carriedOrRow(); ready !== undefined; ready = this.#carriedOrRow()) yield ready
    for await (const item of drain(this.#cursor)) {
      const carried = this.#carried()
      if (carried !== undefined) yield carried
      yield itemOf(item)
    }
  }

  #hasRow(): boolean {
    return this.#row < this.#rows.length
  }

  #open({ rows }: StreamBatch<T>): void {
    this.#rows = rows
    this.#row = 0
  }

  #next(): T | typeof NONE {
    for (;;) {
      if (this.#hasRow()) return this.#rows[this.#row++]!
      if (this.#cursor.pending === 0) return NONE
      const item = this.#cursor.take() as Held<T>
      if (item instanceof HeldBatch) this.#open(item.batch)
      else if (!(item instanceof HeldWatermark)) return item
    }
  }

  #carriedOrRow(): StreamItem<T> | undefined {
    if (this.#hasRow()) return { kind: 'record', value: this.#rows[this.#row++]! }
    return this.#carried()
  }

  /** A watermark that was dropped before this reader saw it. */
  #carried(): StreamItem<T> | undefined {
    const micros = this.#core.carried.get(this.#cursor)
    if (micros === undefined) return undefined
    this.#core.carried.delete(this.#cursor)
    return { kind: 'watermark', micros }
  }
}

function itemOf<T>(item: Held<T>): StreamItem<T> {
  if (item instanceof HeldWatermark) return { kind: 'watermark', micros: item.micros }
  if (item instanceof HeldBatch) return { kind: 'batch', batch: item.batch }
  return { kind: 'record', value: item }
}

const NO_OPTIONS: Waits = {}
