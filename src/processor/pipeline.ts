import { ProcessingDecision, SkipReason } from './decision.ts'
import { type IngestorError, ProcessingError } from './errors.ts'
import { processingFailure, sinkFailure } from './failures.ts'
import type { Message } from './message.ts'
import { isPromise, isTransformer, type Processor, type StepResult, type Transformer } from './processor.ts'
import type { Sink } from './sink.ts'

/** Counts of a batch; `errors` has the first 100. received = processed + skipped + failed. */
export interface PipelineStats {
  readonly received: number
  readonly processed: number
  readonly skipped: number
  readonly failed: number
  readonly errors: readonly IngestorError[]
}

const ERRORS_KEPT = 100
/** Messages that wait for the flush of a buffered sink; then the pipeline flushes by itself. */
const UNCONFIRMED_MAX = 10_000

/** One processor and one sink. */
export class Pipeline<P extends Processor | Transformer = Processor | Transformer, S extends Sink = Sink> {
  readonly #processor: P
  readonly #sink: S
  readonly #isTransformer: boolean
  /** Sent to a buffered sink and not known to be safe. */
  #unconfirmed: Message[] = []

  constructor(processor: P, sink: S) {
    this.#processor = processor
    this.#sink = sink
    this.#isTransformer = isTransformer(processor)
  }

  processor(): P {
    return this.#processor
  }

  sink(): S {
    return this.#sink
  }

  /**
   * Judges the message and sends what goes on. Rejects with `IngestorError`: `Validation`, `Processing` or `Sink`; the
   * message is then neither confirmed nor skipped.
   */
  async ingest(message: Message): Promise<ProcessingDecision> {
    return await this.deliver(message, this.judge(message))
  }

  /** The first half of `ingest`: what the processor says, perhaps later. Throws `IngestorError`. */
  judge(message: Message): StepResult | Promise<StepResult> {
    try {
      if (this.#isTransformer) return (this.#processor as Transformer).transform(message)
      return (this.#processor as Processor).process(message)
    } catch (error) {
      throw processingFailure(error)
    }
  }

  /** The second half: sends what goes on, and confirms it. */
  async deliver(message: Message, judged: StepResult | Promise<StepResult>): Promise<ProcessingDecision> {
    let result: StepResult
    try {
      result = isPromise(judged) ? await judged : judged
    } catch (error) {
      throw processingFailure(error)
    }
    const sink = this.#sink
    try {
      if (result instanceof ProcessingDecision) {
        if (!result.isProcess()) return result
        await sink.send(message)
      } else {
        if (!Array.isArray(result)) throw noDecision(this.#isTransformer ? 'transform' : 'process')
        if (result.length === 0) return NOTHING_LEFT
        for (const part of result) await sink.send(part)
      }
    } catch (error) {
      throw sinkFailure(error, sink)
    }
    if (sink.buffered === true) await this.#remember(message)
    else this.#processor.confirm?.(message)
    return ProcessingDecision.process
  }

  /** Goes on past failures; never rejects for a message. */
  async ingestBatch(messages: Iterable<Message>): Promise<PipelineStats> {
    const stats = { received: 0, processed: 0, skipped: 0, failed: 0, errors: [] as IngestorError[] }
    for (const message of messages) {
      stats.received++
      try {
        if ((await this.ingest(message)).isProcess()) stats.processed++
        else stats.skipped++
      } catch (error) {
        stats.failed++
        if (stats.errors.length < ERRORS_KEPT) stats.errors.push(error as IngestorError)
      }
    }
    return stats
  }

  /** Resolves when everything sent is safe; then what waited for it is confirmed. Rejects with `IngestorError` `Sink`. */
  async flush(): Promise<void> {
    const count = this.#unconfirmed.length
    try {
      await this.#sink.flush?.()
    } catch (error) {
      throw sinkFailure(error, this.#sink)
    }
    for (const message of this.#unconfirmed.splice(0, count)) this.#processor.confirm?.(message)
  }

  async #remember(message: Message): Promise<void> {
    this.#unconfirmed.push(message)
    if (this.#unconfirmed.length >= UNCONFIRMED_MAX) await this.flush()
  }
}

const NOTHING_LEFT = ProcessingDecision.skip(SkipReason.filtered('nothing was left of it'))

const noDecision = (method: string): IngestorError =>
  processingFailure(
    new ProcessingError('UnexpectedState', { message: `${method} gave neither a decision nor messages` }),
  )
