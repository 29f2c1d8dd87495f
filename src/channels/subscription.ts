import { type Cursor, DONE, NONE } from '../core/ring.ts'
import type { Schema } from '../core/types.ts'
import { StreamingError } from './errors.ts'
import type { StreamCore } from './stream-core.ts'
import { type Held, HeldBatch, HeldWatermark, type StreamBatch, type StreamItem } from './stream-items.ts'
import { within } from './waits.ts'

interface Waits {
  readonly signal?: AbortSignal | undefined
}

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
    const item = this.#nextItem()
    if (item !== NONE) return item
    this.#cursor.empty++
    return undefined
  }

  /** The next record, waiting for it; `Disconnected` when the stream has ended. */
  recv({ signal }: Waits = NO_OPTIONS): Promise<T> {
    return this.#cursor.wait(this.#take, signal)
  }

  /** Like `recv`, at most `ms` milliseconds (or a text such as `5s`): then `Timeout`. */
  recvTimeout(ms: number | string, options: Waits = NO_OPTIONS): Promise<T> {
    return within((signal) => this.recv({ signal }), ms, { clock: this.#core.clock, ...options })
  }

  /** The next item of any kind, waiting for it. */
  recvMessage({ signal }: Waits = NO_OPTIONS): Promise<StreamItem<T>> {
    return this.#cursor.wait(() => this.#nextItem(), signal)
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
      this.#core.carried.delete(this.#cursor)
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
    for (;;) {
      const item = this.#nextItem()
      if (item !== NONE) {
        yield item
        continue
      }
      const [first] = await this.#awaited()
      if (first === undefined) return
      yield first
    }
  }

  /** The next item, or nothing when there will be none. */
  async #awaited(): Promise<[StreamItem<T>?]> {
    try {
      return [await this.recvMessage()]
    } catch (error) {
      if (error instanceof StreamingError && error.kind === 'Disconnected') return []
      throw error
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

  readonly #take = (): T | typeof NONE => this.#next()

  #nextItem(): StreamItem<T> | typeof NONE {
    if (this.#hasRow()) return { kind: 'record', value: this.#rows[this.#row++]! }
    const carried = this.#carried()
    if (carried !== undefined) return carried
    return this.#cursor.pending === 0 ? NONE : itemOf(this.#cursor.take() as Held<T>)
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
