import type { Logger } from '../core/logger.ts'
import type { StreamConsumer } from './consumer.ts'
import { textOf } from './failures.ts'
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
  /** The caller commits one message. */
  #isOne = false
  /** Who waits for that. */
  #oneEnded: PromiseWithResolvers<void> | undefined

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
    while (this.#running !== undefined || this.#isOne) {
      if (this.#isOne) this.#oneEnded ??= Promise.withResolvers()
      await (this.#isOne ? this.#oneEnded!.promise : this.#running)
    }
    this.#running = this.#flushAndCommit()
    try {
      return await this.#running
    } finally {
      this.#running = undefined
    }
  }

  /**
   * True when the message that has just become done can be committed by itself, by the caller, who then says what came
   * of it: `endOne`. Nothing else is committed meanwhile.
   */
  beginOne(offset: string, partition: string | undefined): boolean {
    if (this.#flushes || this.#running !== undefined || this.#isOne) return false
    if (!this.ledger.isOnly(offset, partition)) return false
    this.#isOne = true
    return true
  }

  /** The commit that `beginOne` allowed succeeded, or failed with the error. */
  endOne(partition: string | undefined, error?: unknown): void {
    this.#isOne = false
    if (error !== undefined) this.#failed('an offset could not be committed', error)
    else {
      this.ledger.committedOnly(partition)
      this.#counts.committed++
      this.#metrics?.commit('ok')
    }
    this.#oneEnded?.resolve()
    this.#oneEnded = undefined
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
