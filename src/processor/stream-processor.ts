import { type Clock, systemClock } from '../core/clock.ts'
import { type Logger, stderrLogger } from '../core/logger.ts'
import type { MetricsRegistry } from '../core/metrics-registry.ts'
import type { OptionNames } from '../core/option-names.ts'
import { freshSeed, Random } from '../core/random.ts'
import { BackOffs } from './back-offs.ts'
import { Commits } from './commits.ts'
import type { ConsumedMessage, StreamConsumer } from './consumer.ts'
import { ProcessingDecision } from './decision.ts'
import { type IngestorError, StreamError } from './errors.ts'
import { consumeFailure, processingFailure, sinkFailure, textOf } from './failures.ts'
import type { Message } from './message.ts'
import { ProcessorMetrics } from './metrics.ts'
import type { Pipeline } from './pipeline.ts'
import { Rates } from './rates.ts'
import { endSteps, runError } from './run-end.ts'
import { duration, needMethods, refuseUnknown } from './settings.ts'
import { Shutdown } from './shutdown.ts'
import { StreamConfig } from './stream-config.ts'
import { noCounts, StreamStats } from './stream-stats.ts'

export interface ProcessorDeps {
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly logger?: Logger | undefined
  readonly metrics?: MetricsRegistry | undefined
  /** In log lines and metrics; the consumer's source name when absent. */
  readonly name?: string | undefined
}

export interface RunOptions {
  /** Aborting it is a `stop`. */
  readonly signal?: AbortSignal | undefined
  /** SIGTERM and SIGINT are a `stop`. */
  readonly handleSignals?: boolean | undefined
}

const DEPS: OptionNames<ProcessorDeps> = { clock: true, random: true, logger: true, metrics: true, name: true }

/**
 * Beside a consumer that never waits, timers and signals come through after this time, which is looked at every few
 * messages, or after so many messages.
 */
const TURN_MS = 5
const MESSAGES_PER_LOOK = 64
const MESSAGES_PER_TURN = 4096

/**
 * Takes messages from a consumer through a pipeline and commits offsets. No committed offset ever passes a failed
 * message: of each partition the offset before the first failed one is the last that is committed (with `individual`
 * consumers: every offset but the failed ones).
 */
export class StreamProcessor {
  readonly #consumer: StreamConsumer
  readonly #pipeline: Pipeline
  readonly #config: StreamConfig
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #name: string
  readonly #counts = noCounts()
  readonly #stats = new StreamStats(this.#counts)
  readonly #metrics: ProcessorMetrics | undefined
  readonly #commits: Commits
  readonly #pauses: BackOffs
  readonly #shutdown: Shutdown
  /** Messages that are done since the last commit was tried. */
  #sinceCommit = 0
  #failuresInARow = 0
  #started = false

  constructor(
    consumer: StreamConsumer,
    pipeline: Pipeline,
    config: StreamConfig = new StreamConfig(),
    deps: ProcessorDeps = {},
  ) {
    needMethods('the consumer', consumer, 'consume', 'commit', 'sourceName')
    needMethods('the pipeline', pipeline, 'ingest', 'flush')
    needMethods('the configuration', config, 'validate')
    refuseUnknown('what a processor is given', deps, DEPS)
    config.validate()
    const { clock = systemClock, random = new Random(freshSeed()), logger = stderrLogger } = deps
    const name = deps.name ?? consumer.sourceName()
    const metrics = deps.metrics === undefined ? undefined : new ProcessorMetrics(deps.metrics, name)
    this.#consumer = consumer
    this.#pipeline = pipeline
    this.#config = config
    this.#clock = clock
    this.#logger = logger
    this.#name = name
    this.#metrics = metrics
    this.#commits = new Commits({ consumer, pipeline }, { counts: this.#counts, metrics, logger, name })
    this.#pauses = new BackOffs(config.backoff, random)
    this.#shutdown = new Shutdown(clock)
  }

  static withConfig(
    consumer: StreamConsumer,
    pipeline: Pipeline,
    config: StreamConfig,
    deps?: ProcessorDeps,
  ): StreamProcessor {
    return new StreamProcessor(consumer, pipeline, config, deps)
  }

  /** The live counters. */
  stats(): StreamStats {
    return this.#stats
  }

  /**
   * Works until the stream ends or `stop`, then gives a copy of the counters. Rejects with `StreamError` when too many
   * messages failed in a row (`ConsumptionError`), when one failed and the policy is `stop` (`PipelineError`), or when the
   * end could not flush or close. Errors at the end of a run that failed already are its `suppressed`.
   */
  async run(options: RunOptions = {}): Promise<StreamStats> {
    refuseUnknown('run', options, { signal: true, handleSignals: true })
    const { signal, handleSignals = false } = options
    if (this.#started || this.#shutdown.requested) throw new StreamError('ShutdownRequested')
    this.#started = true
    const forget = this.#shutdown.listen(signal, handleSignals)
    const tickers = this.#startTickers()
    const failures: unknown[] = []
    try {
      await this.#shutdown.guard(this.#loop())
    } catch (error) {
      failures.push(error)
    }
    tickers.abort()
    this.#shutdown.close()
    failures.push(...(await this.#end()))
    forget()
    this.#shutdown.end()
    const error = runError(failures)
    if (error !== undefined) throw error
    return new StreamStats(this.#stats.toJSON())
  }

  /**
   * Ends the run after the message in hand; resolves when it has ended. Work that goes on longer than `timeoutMs` is
   * abandoned and not committed. Without a run nothing can be processed any more.
   */
  async stop(options: { readonly timeoutMs?: number | string | undefined } = {}): Promise<void> {
    refuseUnknown('stop', options, { timeoutMs: true })
    const { timeoutMs } = options
    this.#shutdown.request(timeoutMs === undefined ? undefined : duration('timeoutMs', timeoutMs))
    if (this.#started) await this.#shutdown.ended
  }

  /** Handles one message; `null` when the stream has ended. Rejects with `StreamError` after counting a failure. */
  async processOne({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<ProcessingDecision | null> {
    if (this.#shutdown.requested) throw new StreamError('ShutdownRequested')
    let consumed: ConsumedMessage | null
    try {
      consumed = await this.#consumer.consume({ signal })
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw this.#consumeFailed(error)
    }
    if (consumed === null) return null
    this.#counts.consumed++
    let decision: ProcessingDecision
    try {
      decision = await this.#ingest(consumed.message)
    } catch (error) {
      throw pipelineError(await this.#failed(consumed, processingFailure(error)))
    }
    this.#succeeded(decision)
    const { offset, partition } = consumed
    if (offset !== undefined && this.#done(offset, partition)) await this.#commits.run()
    return decision
  }

  /** Flushes the pipeline and commits all that is done; rejects with `OffsetCommitFailed`. */
  async commit(): Promise<void> {
    const fault = await this.#commits.run()
    if (fault === undefined) return
    throw new StreamError('OffsetCommitFailed', { details: textOf(fault) }, { cause: fault })
  }

  async #loop(): Promise<void> {
    const shutdown = this.#shutdown
    const [consumer, pipeline, commits] = [this.#consumer, this.#pipeline, this.#commits]
    const [processor, sink] = [pipeline.processor(), pipeline.sink()]
    const buffered = sink.buffered === true
    const retries = this.#config.failurePolicy === 'retry'
    const options = { signal: shutdown.signal }
    let turnedMs = this.#clock.elapsedMs()
    for (let turn = 1; !shutdown.requested; turn++) {
      if (turn % MESSAGES_PER_LOOK === 0) {
        const isLong = this.#clock.elapsedMs() - turnedMs >= TURN_MS
        if (isLong || turn % MESSAGES_PER_TURN === 0) {
          await new Promise(setImmediate)
          turnedMs = this.#clock.elapsedMs()
          if (shutdown.requested) return
        }
      }
      let consumed: ConsumedMessage | null
      try {
        consumed = await consumer.consume(options)
      } catch (error) {
        if (shutdown.requested) return
        this.#consumeFailed(error)
        await this.#pause()
        continue
      }
      if (consumed === null || shutdown.abandoned) return
      const { message, offset, partition } = consumed
      shutdown.inHand = true
      this.#counts.consumed++
      let decision: ProcessingDecision
      let inSink = false
      try {
        // The common way takes no promise but that of the sink.
        const judged = retries ? undefined : pipeline.judge(message)
        if (judged === ProcessingDecision.process && !buffered) {
          inSink = true
          await sink.send(message)
          inSink = false
          processor.confirm?.(message)
          decision = judged
        } else {
          decision = await (judged === undefined ? this.#retried(message) : pipeline.deliver(message, judged))
        }
      } catch (error) {
        if (shutdown.abandoned) return
        await this.#failed(consumed, inSink ? sinkFailure(error, sink) : processingFailure(error))
        shutdown.inHand = false
        await this.#pause()
        continue
      }
      if (shutdown.abandoned) return
      this.#succeeded(decision)
      if (offset !== undefined && this.#done(offset, partition)) {
        if (commits.beginOne(offset, partition)) {
          let fault: unknown
          try {
            await consumer.commit(offset, partition)
          } catch (error) {
            fault = error ?? new Error('the commit failed')
          }
          commits.endOne(partition, fault)
        } else await commits.run()
      }
      shutdown.inHand = false
      if (shutdown.abandoned) return
    }
  }

  #ingest(message: Message): Promise<ProcessingDecision> {
    return this.#config.failurePolicy === 'retry' ? this.#retried(message) : this.#pipeline.ingest(message)
  }

  #succeeded(decision: ProcessingDecision): void {
    const isProcess = decision.isProcess()
    if (isProcess) this.#counts.processed++
    else this.#counts.skipped++
    this.#metrics?.message(isProcess ? 'processed' : 'skipped')
    if (this.#failuresInARow === 0) return
    this.#failuresInARow = 0
    this.#pauses.reset()
  }

  async #retried(message: Message): Promise<ProcessingDecision> {
    const pauses = this.#pauses.fresh()
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#pipeline.ingest(message)
      } catch (error) {
        if (attempt >= this.#config.maxRetries || this.#shutdown.requested) throw error
        await this.#pause(pauses.next())
      }
    }
  }

  /** The message is done; true when a commit is due. Throws when too many wait behind a held one. */
  #done(offset: string, partition: string | undefined): boolean {
    const { ledger } = this.#commits
    const { autoCommit, commitEvery, maxUncommitted } = this.#config
    if (!ledger.done(offset, partition)) {
      this.#counts.heldCommits++
      const behind = ledger.behind(partition)
      if (behind > maxUncommitted) throw tooManyWait(behind, partition, maxUncommitted)
    }
    // Commits that fail, one by one, pile up.
    if (ledger.listed > maxUncommitted + commitEvery.messages) {
      throw tooManyWait(ledger.listed, undefined, maxUncommitted)
    }
    if (!autoCommit || ++this.#sinceCommit < commitEvery.messages) return false
    this.#sinceCommit = 0
    return true
  }

  /** Counts the failure and does what the policy says; throws when the run ends with it. */
  async #failed(consumed: ConsumedMessage, failure: IngestorError): Promise<IngestorError> {
    const { message, offset, partition } = consumed
    const { failurePolicy, deadLetter, maxConsecutiveFailures: limit } = this.#config
    this.#counts.failed++
    this.#failuresInARow++
    this.#metrics?.message('failed')
    this.#log('warn', 'a message failed', { id: message.id, offset, partition, error: failure.message })
    const buries = deadLetter !== null && (failurePolicy === 'dead_letter' || failurePolicy === 'retry')
    const buried = buries && (await this.#bury(message))
    if (offset !== undefined) {
      if (buried) {
        if (this.#done(offset, partition)) await this.#commits.run()
      } else this.#commits.ledger.failed(partition)
    }
    if (failurePolicy === 'stop') throw pipelineError(failure)
    if (limit !== null && this.#failuresInARow >= limit) throw tooMany(limit, failure)
    return failure
  }

  async #bury(message: Message): Promise<boolean> {
    const sink = this.#config.deadLetter!
    try {
      await sink.send(message)
      await sink.flush?.()
      return true
    } catch (error) {
      this.#log('error', 'a dead letter could not be written', { id: message.id, error: textOf(error) })
      return false
    }
  }

  /** Counts the failure of `consume`; throws when the run ends with it. */
  #consumeFailed(error: unknown): StreamError {
    const failure = consumeFailure(error, this.#consumer.sourceName())
    const { maxConsecutiveFailures: limit } = this.#config
    this.#failuresInARow++
    this.#log('warn', 'the consumer failed', { error: failure.message })
    if (failure.kind === 'StreamClosed') throw failure
    if (limit !== null && this.#failuresInARow >= limit) throw tooMany(limit, failure)
    return failure
  }

  async #pause(delay: number = this.#pauses.next()): Promise<void> {
    if (delay > 0) await this.#clock.sleep(delay, this.#shutdown.signal)
  }

  /** Flushes, commits, closes and logs the totals; gives what failed. */
  async #end(): Promise<unknown[]> {
    const { clock, timeoutMs } = { clock: this.#clock, timeoutMs: this.#shutdown.timeoutMs }
    const faults = await endSteps(
      [
        ['flush', () => this.#pipeline.flush()],
        ['commit', async () => (this.#config.autoCommit ? await this.#commits.run() : undefined)],
        ['close', async () => await this.#consumer.close?.()],
      ],
      { clock, timeoutMs },
    )
    this.#log('info', 'the processor has ended', { ...this.#counts })
    return faults
  }

  /** What happens by time: log lines and commits. */
  #startTickers(): AbortController {
    const stop = new AbortController()
    const { statsInterval, commitEvery, autoCommit } = this.#config
    const rates = new Rates(this.#clock)
    const log = () => this.#log('info', 'processor statistics', rates.line(this.#counts))
    if (statsInterval !== null) void this.#tick(statsInterval, stop.signal, log)
    if (commitEvery.ms !== null && autoCommit) void this.#tick(commitEvery.ms, stop.signal, () => this.#commits.run())
    return stop
  }

  async #tick(ms: number, signal: AbortSignal, task: () => unknown): Promise<void> {
    for (;;) {
      await this.#clock.sleep(ms, signal)
      if (signal.aborted) return
      await task()
    }
  }

  #log(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#logger(level, message, { processor: this.#name, ...fields })
  }
}

const pipelineError = (source: IngestorError): StreamError =>
  new StreamError('PipelineError', { source }, { cause: source })

const tooMany = (limit: number, cause: unknown): StreamError =>
  new StreamError('ConsumptionError', { details: `Exceeded maximum consecutive failures: ${limit}` }, { cause })

function tooManyWait(count: number, partition: string | undefined, most: number): StreamError {
  const where = partition === undefined ? '' : ` of partition ${partition}`
  return new StreamError('ConsumptionError', {
    details: `${count} messages${where} are done and cannot be committed, more than maxUncommitted: ${most}`,
  })
}
