import { described } from '../../core/option-names.ts'
import { SinkError, StreamError } from '../errors.ts'
import { sinkFault } from '../failures.ts'
import type { Message } from '../message.ts'
import { needMethods, oneOf, refuseUnknown } from '../settings.ts'
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
  /** Sinks that did not take every message since the last flush: that they are flushed says nothing of the others. */
  readonly #incomplete = new Set<Sink>()

  constructor(sinks: readonly Sink[], options: FanOutOptions = {}) {
    refuseUnknown('a fan-out', options, { require: true, onFailure: true })
    const { require = 'all', onFailure = () => undefined } = options
    if (!Array.isArray(sinks)) {
      throw new StreamError('InvalidConfiguration', { details: `the sinks are an array, not ${described(sinks)}` })
    }
    for (const sink of sinks) needMethods('a sink', sink, 'send')
    if (sinks.length === 0) throw new StreamError('InvalidConfiguration', { details: 'a fan-out needs a sink' })
    this.#sinks = sinks
    this.#require = oneOf('require', require, ['all', 'any'])
    this.#onFailure = onFailure
    this.buffered = sinks.some((sink) => sink.buffered === true)
  }

  async send(message: Message): Promise<void> {
    const failures = await this.#all((sink) => sink.send(message))
    for (const { sink } of failures) this.#incomplete.add(sink)
    const enough = this.#require === 'all' ? failures.length === 0 : failures.length < this.#sinks.length
    if (!enough) throw failure(failures)
  }

  /** With `any`, every message must be safe somewhere: all flushes succeed, or that of a sink that took them all. */
  async flush(): Promise<void> {
    const failures = await this.#all(async (sink) => await sink.flush?.())
    const failed = new Set(failures.map(({ sink }) => sink))
    const holdsAll = (sink: Sink): boolean => !failed.has(sink) && !this.#incomplete.has(sink)
    if (failures.length > 0 && (this.#require === 'all' || !this.#sinks.some(holdsAll))) throw failure(failures)
    this.#incomplete.clear()
  }

  name(): string {
    return `FanOutSink(${this.#sinks.map(nameOfSink).join(', ')})`
  }

  /** Those that failed. */
  async #all(task: (sink: Sink) => Promise<void>): Promise<readonly Failure[]> {
    const outcomes = await Promise.allSettled(this.#sinks.map(async (sink) => await task(sink)))
    return outcomes.flatMap((outcome, i) => {
      if (outcome.status === 'fulfilled') return []
      const sink = this.#sinks[i]!
      const error = sinkFault(outcome.reason, sink)
      this.#onFailure(sink, error)
      return [{ sink, error }]
    })
  }
}

interface Failure {
  readonly sink: Sink
  readonly error: SinkError
}

function failure(failures: readonly Failure[]): SinkError {
  const details = failures.map(({ sink, error }) => `${nameOfSink(sink)}: ${error.message}`).join('; ')
  return new SinkError('InternalError', { details }, { cause: new AggregateError(failures.map(({ error }) => error)) })
}
