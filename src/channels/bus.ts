import { DONE } from '../core/ring.ts'
import { Broadcast, type BroadcastOptions, type BroadcastSubscriber } from './broadcast.ts'
import { BroadcastError, StreamingError } from './errors.ts'

/** Topics that a bus has at once. */
const TOPICS_MAX = 100_000
const NAME = /^[\w.\-/]{1,256}$/

/** One topic: every subscriber gets what is published after it joined; publishing to nobody succeeds. */
export class BusTopic<T> {
  readonly name: string
  readonly broadcast: Broadcast<T>

  constructor(name: string, options: BroadcastOptions = {}) {
    this.name = name
    this.broadcast = new Broadcast(options)
  }

  publish(value: T): Promise<void> {
    if (this.broadcast.subscriberCount === 0 && !this.broadcast.isClosed) return DONE
    return this.broadcast.broadcast(value).catch(toNobody)
  }

  subscribe(name?: string): BroadcastSubscriber<T> {
    return this.broadcast.subscribe(name)
  }
}

function toNobody(error: unknown): void {
  if (!(error instanceof BroadcastError) || error.kind !== 'NoSubscribers') throw error
}

/** Topics of this process by name; one is made at its first use, with the options of that use. */
export class Bus implements AsyncDisposable {
  readonly #topics = new Map<string, BusTopic<unknown>>()

  /** Throws `InvalidConfig` for a bad name, or when there are too many topics. */
  topic<T>(name: string, options?: BroadcastOptions): BusTopic<T> {
    const known = this.#topics.get(name)
    if (known !== undefined) return known as BusTopic<T>
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw new StreamingError('InvalidConfig', {
        details: `"${String(name)}" is not a topic: letters, digits, "_", ".", "-" and "/", at most 256`,
      })
    }
    if (this.#topics.size >= TOPICS_MAX) {
      throw new StreamingError('InvalidConfig', { details: `there are ${TOPICS_MAX} topics, the most allowed` })
    }
    const topic = new BusTopic<T>(name, options)
    this.#topics.set(name, topic as BusTopic<unknown>)
    return topic
  }

  /** Somebody listens to the topic; one that is not there is not made. */
  isHeard(name: string): boolean {
    return (this.#topics.get(name)?.broadcast.subscriberCount ?? 0) > 0
  }

  publish<T>(name: string, value: T): Promise<void> {
    return this.topic<T>(name).publish(value)
  }

  subscribe<T>(name: string, subscriber?: string): BroadcastSubscriber<T> {
    return this.topic<T>(name).subscribe(subscriber)
  }

  topics(): readonly string[] {
    return [...this.#topics.keys()].sort()
  }

  async close(): Promise<void> {
    for (const { broadcast } of this.#topics.values()) await broadcast.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
