import type { StreamConsumer } from './consumer.ts'
import { textOf } from './failures.ts'
import type { Logger } from './logger.ts'
import type { ProcessorMetrics } from './metrics.ts'
import { type DueCommit, OffsetLedger } from './offsets.ts'
import type { Pipeline } from './pipeline.ts'
import type { StreamCounts } from './stream-stats.ts'

/** Commits what is done: flushes before where the sink has a flush, counts and logs what fails, one at a time. */
export class Commits {
  readonly ledger: OffsetLedger
  readonly #consumer: StreamConsumer
  readonly #pipeline: Pipeline
  readonly #counts: StreamCounts
  readonly #metrics: ProcessorMetrics | undefined
  readonly #warn: (message: string, error: unknown) => void
  readonly #flushes: boolean
  #running: Promise<unknown> | undefined
  /** A commit of one message is on its way. */
  #isSingle = false

  constructor(
    { consumer, pipeline }: { readonly consumer: StreamConsumer; readonly pipeline: Pipeline },
    to: {
      readonly counts: StreamCounts
      readonly metrics: ProcessorMetrics | undefined
      readonly logger: Logger
      readonly name: string
    },
  ) {
    const sink = pipeline.sink()
    this.#consumer = consumer
    this.#pipeline = pipeline
    this.#counts = to.counts
    this.#metrics = to.metrics
    this.#flushes = sink.flush !== undefined
    this.#warn = (message, error) => to.logger('warn', message, { processor: to.name, error: textOf(error) })
    this.ledger = new OffsetLedger(consumer.commitMode ?? 'cumulative', sink.buffered === true)
  }

  /** Commits what is due; gives the first failure. What failed is due again. */
  async run(): Promise<unknown> {
    while (this.#running !== undefined) await this.#running
    this.#running = this.#flushAndCommit()
    try {
      return await this.#running
    } finally {
      this.#running = undefined
    }
  }

  /** The same right after a message is done, without the detour when it alone is due. */
  after(offset: string, partition: string | undefined): Promise<unknown> {
    if (this.#flushes || this.#running !== undefined || !this.ledger.isOne) return this.run()
    const single = this.#commitOne(offset, partition)
    if (this.#isSingle) this.#running = single
    return single
  }

  async #commitOne(offset: string, partition: string | undefined): Promise<unknown> {
    this.#isSingle = true
    try {
      await this.#consumer.commit(offset, partition)
    } catch (error) {
      this.#failed('an offset could not be committed', error)
      return error
    } finally {
      this.#isSingle = false
      this.#running = undefined
    }
    this.ledger.committedOnly(partition)
    this.#counts.committed++
    this.#metrics?.commit('ok')
    return undefined
  }

  async #flushAndCommit(): Promise<unknown> {
    if (this.#flushes) {
      const flushed = this.ledger.flushing()
      try {
        await this.#pipeline.flush()
      } catch (error) {
        this.#failed('the sink could not be flushed', error)
        return error
      }
      flushed()
    }
    let fault: unknown
    for (const commit of this.ledger.due()) {
      try {
        await this.#consumer.commit(commit.offset, commit.partition)
      } catch (error) {
        this.#failed('an offset could not be committed', error)
        fault ??= error
        continue
      }
      this.#succeeded(commit)
    }
    return fault
  }

  #succeeded(commit: DueCommit): void {
    this.ledger.committed(commit)
    this.#counts.committed += commit.messages
    this.#metrics?.commit('ok')
  }

  #failed(message: string, error: unknown): void {
    this.#counts.commitFailures++
    this.#metrics?.commit('failed')
    this.#warn(message, error)
  }
}
