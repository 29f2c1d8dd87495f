import { DONE } from '../core/ring.ts'
import type { Schema } from '../core/types.ts'
import { refuseUnknown } from './capacity.ts'
import { StreamingError } from './errors.ts'
import type { StreamCore } from './stream-core.ts'
import { Subscription } from './subscription.ts'

/** The reading end of a stream: every subscriber has its own cursor, none takes items from another. */
export class StreamSink<T> implements AsyncDisposable {
  readonly #core: StreamCore<T>
  #nextId = 1

  constructor(core: StreamCore<T>) {
    this.#core = core
  }

  /**
   * The first subscriber begins with the oldest item held, one beside others with the next item. Throws `InvalidConfig`
   * when there are `maxSubscribers` already; leaving frees the place.
   */
  subscribe(options: { readonly name?: string | undefined } = {}): Subscription<T> {
    refuseUnknown('subscribe', options, { name: true })
    const { name } = options
    const { subscribers, maxSubscribers, ring } = this.#core
    if (maxSubscribers > 0 && subscribers.size >= maxSubscribers) {
      throw new StreamingError('InvalidConfig', {
        details: `there are ${maxSubscribers} subscribers, the most allowed`,
      })
    }
    const id = this.#nextId++
    subscribers.set(id, name ?? `subscriber-${id}`)
    return new Subscription(this.#core, ring.join(), id)
  }

  get subscriberCount(): number {
    return this.#core.subscribers.size
  }

  /** Names of those who are subscribed, in the order in which they came. */
  subscribers(): readonly string[] {
    return [...this.#core.subscribers.values()]
  }

  get schema(): Schema | undefined {
    return this.#core.schema
  }

  get name(): string {
    return this.#core.name
  }

  get isClosed(): boolean {
    return this.#core.ring.closed
  }

  /** Pushes fail from now on; subscribers get what is held. */
  close(): Promise<void> {
    this.#core.ring.close()
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
