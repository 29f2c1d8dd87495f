import { SinkError, StreamError } from '../errors.ts'
import { sinkFault } from '../failures.ts'
import type { Message } from '../message.ts'
import { oneOf } from '../settings.ts'
import { nameOfSink, type Sink } from '../sink.ts'

export interface FanOutOptions {
  /** Whether all sinks must accept a message, or one of them. */
  readonly require?: 'all' | 'any' | undefined
  /** Told of every failure, also of those that do not count with `any`. */
  readonly onFailure?: ((sink: Sink, error: SinkError) => void) | undefined
}

/** Sends to several sinks in parallel. */
export class FanOutSink implements Sink {
  readonly #sinks: readonly Sink[]
  readonly #require: 'all' | 'any'
  readonly #onFailure: (sink: Sink, error: SinkError) => void
  readonly buffered: boolean

  constructor(sinks: readonly Sink[], { require = 'all', onFailure = () => undefined }: FanOutOptions = {}) {
    if (sinks.length === 0) throw new StreamError('InvalidConfiguration', { details: 'a fan-out needs a sink' })
    this.#sinks = sinks
    this.#require = oneOf('require', require, ['all', 'any'])
    this.#onFailure = onFailure
    this.buffered = sinks.some((sink) => sink.buffered === true)
  }

  send(message: Message): Promise<void> {
    return this.#all((sink) => sink.send(message))
  }

  flush(): Promise<void> {
    return this.#all(async (sink) => await sink.flush?.())
  }

  name(): string {
    return `FanOutSink(${this.#sinks.map(nameOfSink).join(', ')})`
  }

  async #all(task: (sink: Sink) => Promise<void>): Promise<void> {
    const outcomes = await Promise.allSettled(this.#sinks.map(async (sink) => await task(sink)))
    const failures = outcomes.flatMap((outcome, i) => {
      if (outcome.status === 'fulfilled') return []
      const sink = this.#sinks[i]!
      const error = sinkFault(outcome.reason, sink)
      this.#onFailure(sink, error)
      return [{ sink, error }]
    })
    const enough = this.#require === 'all' ? failures.length === 0 : failures.length < this.#sinks.length
    if (enough) return
    const details = failures.map(({ sink, error }) => `${nameOfSink(sink)}: ${error.message}`).join('; ')
    throw new SinkError('InternalError', { details }, { cause: new AggregateError(failures.map(({ error }) => error)) })
  }
}
