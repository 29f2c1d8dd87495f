import type { Logger } from '../core/logger.ts'
import { ConsumedMessage, type StreamConsumer } from './consumer.ts'
import { GenericMessage, type Message } from './message.ts'
import type { Sink } from './sink.ts'

export const message = (id: string, payload: string | Uint8Array = id): GenericMessage =>
  new GenericMessage(id, payload, 'test')

export const silent: Logger = () => {}

/** Gives a list of messages; offsets are `0`, `1`, … of each partition. */
export class ListConsumer implements StreamConsumer {
  readonly commits: string[] = []
  closed = 0
  commitMode?: 'cumulative' | 'individual'
  #next = 0
  readonly #items: readonly ConsumedMessage[]

  constructor(messages: readonly (Message | ConsumedMessage)[]) {
    this.#items = messages.map((each, i) =>
      each instanceof ConsumedMessage ? each : ConsumedMessage.withOffset(each, String(i)),
    )
  }

  async consume(): Promise<ConsumedMessage | null> {
    return this.#items[this.#next++] ?? null
  }

  async commit(offset: string, partition?: string): Promise<void> {
    this.commits.push(partition === undefined ? offset : `${partition}:${offset}`)
  }

  async close(): Promise<void> {
    this.closed++
  }

  sourceName(): string {
    return 'list'
  }
}

/** Takes what `fails` does not name. */
export class PickySink implements Sink {
  readonly sent: string[] = []
  readonly #fails: (id: string, attempt: number) => unknown
  #attempts = 0

  constructor(fails: (id: string, attempt: number) => unknown) {
    this.#fails = fails
  }

  async send({ id }: Message): Promise<void> {
    const error = this.#fails(id, ++this.#attempts)
    if (error !== undefined) throw error
    this.sent.push(id)
  }
}
