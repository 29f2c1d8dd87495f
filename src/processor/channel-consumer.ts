import { ringErrors, StreamingError } from '../channels/errors.ts'
import { described } from '../core/option-names.ts'
import { type Cursor, DONE, ItemRing } from '../core/ring.ts'
import { BaseConsumer } from './base-consumer.ts'
import { ConsumedMessage } from './consumer.ts'
import { StreamError } from './errors.ts'
import type { Message } from './message.ts'

const CAPACITY_MAX = 1_048_576

/** Makes a consumer over a bounded channel, and the sender that fills it. A builder is never changed. */
export class ChannelConsumerBuilder {
  readonly #capacity: number
  readonly #sourceName: string

  constructor(capacity = 32, sourceName = 'channel') {
    this.#capacity = capacity
    this.#sourceName = sourceName
  }

  /** Messages held, exactly; 1 to 1,048,576, else `InvalidConfiguration`. */
  withCapacity(capacity: number): ChannelConsumerBuilder {
    if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > CAPACITY_MAX) {
      throw new StreamError('InvalidConfiguration', {
        details: `capacity must be a whole number from 1 to ${CAPACITY_MAX}, not ${String(capacity)}`,
      })
    }
    return new ChannelConsumerBuilder(capacity, this.#sourceName)
  }

  withSourceName(sourceName: string): ChannelConsumerBuilder {
    if (typeof sourceName !== 'string') {
      throw new StreamError('InvalidConfiguration', { details: `a name is a text, not ${described(sourceName)}` })
    }
    return new ChannelConsumerBuilder(this.#capacity, sourceName)
  }

  build(): [ChannelConsumer, MessageSender] {
    const ring = new ItemRing<Message>(this.#capacity, { errors: ringErrors })
    const consumer = new ChannelConsumer(ring, this.#sourceName)
    return [consumer, new MessageSender({ ring, senders: 0 })]
  }
}

/** Messages of this process. Offsets are `"1"`, `"2"`, …; a commit is recorded and succeeds. */
export class ChannelConsumer extends BaseConsumer {
  readonly #ring: ItemRing<Message>
  readonly #cursor: Cursor<Message>
  readonly #sourceName: string
  #offset = 0
  #committed: string | undefined

  constructor(ring: ItemRing<Message>, sourceName: string) {
    super()
    this.#ring = ring
    this.#cursor = ring.join()
    this.#sourceName = sourceName
  }

  /** `null` when every sender is closed (or this consumer) and nothing is left. */
  async consume({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<ConsumedMessage | null> {
    if (signal?.aborted === true) throw signal.reason
    let message = this.#cursor.take()
    if (message === undefined) {
      if (this.#cursor.disconnected) return null
      try {
        message = await this.#cursor.next(signal)
      } catch (error) {
        if (error instanceof StreamingError && error.kind === 'Disconnected') return null
        throw error
      }
    }
    this.#offset++
    return ConsumedMessage.withOffset(message, String(this.#offset))
  }

  commit(offset: string): Promise<void> {
    this.#committed = offset
    return DONE
  }

  /** The offset that was committed last. */
  get committed(): string | undefined {
    return this.#committed
  }

  override sourceName(): string {
    return this.#sourceName
  }

  /** Messages that wait. */
  get pending(): number {
    return this.#cursor.pending
  }

  /** Refuses new messages; those that wait still come out. */
  protected override async flushCommits(): Promise<void> {
    this.#ring.close()
  }
}

/** Fills the channel of a `ChannelConsumer`. */
export class MessageSender implements AsyncDisposable {
  readonly #shared: { readonly ring: ItemRing<Message>; senders: number }
  #closed = false

  constructor(shared: { readonly ring: ItemRing<Message>; senders: number }) {
    this.#shared = shared
    shared.senders++
  }

  /** Waits while the channel is full; rejects with `StreamClosed` after either side has closed. */
  send(message: Message, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { ring } = this.#shared
    if (this.#closed || ring.closed) return Promise.reject(closedError())
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (ring.hasRoom()) {
      ring.put(message)
      return DONE
    }
    return ring.wait(message, signal).catch((error: unknown) => {
      if (!(error instanceof StreamingError)) throw error
      if (error.kind === 'ChannelClosed') throw closedError()
      throw new StreamError('InvalidConfiguration', { details: 'too many messages wait for room' }, { cause: error })
    })
  }

  /** False when the channel is full. Throws `StreamClosed`. */
  trySend(message: Message): boolean {
    const { ring } = this.#shared
    if (this.#closed || ring.closed) throw closedError()
    if (!ring.hasRoom()) return false
    ring.put(message)
    return true
  }

  clone(): MessageSender {
    if (this.#closed) throw closedError()
    return new MessageSender(this.#shared)
  }

  /** The stream ends when every sender is closed. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      if (--this.#shared.senders === 0) this.#shared.ring.close()
    }
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const closedError = (): StreamError => new StreamError('StreamClosed', { reason: 'the channel is closed' })
