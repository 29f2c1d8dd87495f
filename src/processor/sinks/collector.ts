import { DONE } from '../../core/ring.ts'
import { SinkError } from '../errors.ts'
import type { Message } from '../message.ts'
import { positive, refuseUnknown } from '../settings.ts'
import type { Sink } from '../sink.ts'

/** Keeps messages; beyond `max` a send rejects with `CapacityExceeded`. */
export class CollectorSink implements Sink {
  readonly #max: number
  #messages: Message[] = []

  constructor(options: { readonly max?: number | undefined } = {}) {
    refuseUnknown('a collector', options, { max: true })
    this.#max = positive('max', options.max ?? 100_000)
  }

  send(message: Message): Promise<void> {
    const current = this.#messages.length
    if (current >= this.#max) {
      return Promise.reject(new SinkError('CapacityExceeded', { current, maximum: this.#max }))
    }
    this.#messages.push(message)
    return DONE
  }

  /** What was collected, in order. */
  get messages(): readonly Message[] {
    return this.#messages
  }

  get size(): number {
    return this.#messages.length
  }

  /** Gives what was collected away and begins anew. */
  take(): Message[] {
    const taken = this.#messages
    this.#messages = []
    return taken
  }
}
