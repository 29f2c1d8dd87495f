import { type Clock, systemClock } from '../core/clock.ts'
import { DatastreamError, datastreamError } from './errors.ts'
import { Follower, type Rollback, type Step } from './follower.ts'
import { checkpointOf, type Standing, standingOfCheckpoint } from './history.ts'
import type { ChainMetrics } from './metrics.ts'
import { type Duration, milliseconds } from './polling.ts'
import { type BatchItem, type BatchSource, batchStream, isBeginning, type SignalOption } from './source.ts'
import { type Batch, type Checkpoint, type FinalityTag, SourceMetadata } from './types.ts'
import type { ValidationLevel } from './validate.ts'

export interface BatchSourceOptions {
  /** Default `strict`. */
  readonly validation?: ValidationLevel | undefined
  /** Numbers without holes, parents that fit, reorganisations followed; default true. */
  readonly continuity?: boolean | undefined
  /** Deepest reorganisation that is followed, in batches; default 1000. */
  readonly rollbackDepth?: number | undefined
  /** `implicit`: asking for the next batch says that the last is processed. `explicit`: only `ack` does. */
  readonly ackMode?: 'implicit' | 'explicit' | undefined
  /** For chains with a known rule: true when the hash is that of the batch. */
  readonly verifyBatchHash?: ((batch: Batch) => boolean) | undefined
  /** Pause of `fetchBatchStream` when nothing is new; default 2 s. */
  readonly pollInterval?: Duration | undefined
  readonly metrics?: ChainMetrics | undefined
  readonly clock?: Clock | undefined
}

/** Batches that an explicit reader may hold unacknowledged. */
const UNPROCESSED_MAX = 10_000

/**
 * Acknowledgement, validation, continuity, reorganisations and metrics around one `fetch`. One call at a time, except
 * `healthCheck` and `metadata`.
 */
export abstract class BaseBatchSource implements BatchSource, AsyncDisposable {
  readonly #follower: Follower
  readonly #explicit: boolean
  readonly #metrics: ChainMetrics | undefined
  readonly #listeners = new Set<(rollback: Rollback) => void>()
  /** Handed out and not yet processed, in order; `done`: acknowledged before an older one was. */
  #inHand: { readonly standing: Standing; done: boolean }[] = []
  #processed: Standing | undefined
  /** A checkpoint that was set and nothing was processed since: it is given back as it is. */
  #set: Checkpoint | undefined
  #busy = false
  protected readonly clock: Clock
  protected readonly pollIntervalMs: number

  constructor(options: BatchSourceOptions = {}) {
    const { rollbackDepth = 1000, validation = 'strict', continuity = true, verifyBatchHash } = options
    if (!Number.isSafeInteger(rollbackDepth) || rollbackDepth < 0 || rollbackDepth > 1_000_000) {
      throw new DatastreamError('ConfigError', `rollbackDepth: ${rollbackDepth} lies outside 0…1000000`)
    }
    if (!['strict', 'basic', 'off'].includes(validation)) {
      throw new DatastreamError('ConfigError', `validation: "${validation}" is not strict, basic or off`)
    }
    this.#follower = new Follower((from, signal) => this.fetch(from, signal), {
      validation,
      continuity,
      rollbackDepth,
      verifyBatchHash,
    })
    this.#explicit = options.ackMode === 'explicit'
    this.#metrics = options.metrics
    this.clock = options.clock ?? systemClock
    this.pollIntervalMs = milliseconds(options.pollInterval ?? 2000, 'pollInterval')
  }

  /**
   * Batches numbered `from` or higher (undefined: from the beginning), in any order and as many as the source likes to
   * give at once; none when there is nothing now.
   */
  protected abstract fetch(from: bigint | undefined, signal: AbortSignal | undefined): Promise<readonly Batch[]>

  /** The label of its metrics. */
  label(): string {
    return this.constructor.name
  }

  get waiting(): number {
    return this.#follower.waiting
  }

  async next({ signal }: SignalOption = {}): Promise<Batch | null> {
    signal?.throwIfAborted()
    this.#refuseBusy()
    this.#busy = true
    try {
      return await this.#next(signal)
    } finally {
      this.#busy = false
    }
  }

  /** Two readers would take each other's batches. */
  #refuseBusy(): void {
    if (!this.#busy) return
    throw new DatastreamError('InternalError', 'next() of this source is still running', {
      hint: 'await it before the next call; give every reader a source of its own',
    })
  }

  async #next(signal: AbortSignal | undefined): Promise<Batch | null> {
    if (this.#explicit && this.#inHand.length >= UNPROCESSED_MAX) {
      throw new DatastreamError('InternalError', `${UNPROCESSED_MAX} batches wait for ack`, {
        hint: 'call ack(batch) for what is handled',
      })
    }
    if (!this.#explicit) this.#acknowledge(this.#inHand.length)
    try {
      for (;;) {
        const step = await this.#follower.next(signal)
        if (step === undefined) return null
        if (step.kind === 'batch') return this.#handOut(step)
        this.#rollBack(step.rollback, step.standing)
      }
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw this.#counted(error)
    }
  }

  #handOut({ batch, standing }: Extract<Step, { kind: 'batch' }>): Batch {
    this.#inHand.push({ standing, done: false })
    this.#metrics?.batchFetched(this.label())
    return batch
  }

  /** What was processed beyond the last batch that stands is taken back, and so is what was only handed out. */
  #rollBack(rollback: Rollback, to: Standing): void {
    this.#inHand = this.#inHand.filter(({ standing }) => standing.number <= to.number)
    if (this.#processed !== undefined && this.#processed.number > to.number) {
      this.#processed = to
      this.#set = undefined
    }
    for (const listener of this.#listeners) listener(rollback)
  }

  async ack(batch: Batch): Promise<void> {
    const { number, hash } = batch.id
    const at = this.#inHand.findIndex(({ standing }) => standing.number === number && standing.hash === hash)
    // Repeated, or withdrawn since.
    if (at < 0) return
    this.#inHand[at]!.done = true
    const open = this.#inHand.findIndex(({ done }) => !done)
    this.#acknowledge(open < 0 ? this.#inHand.length : open)
  }

  #acknowledge(count: number): void {
    if (count === 0) return
    this.#processed = this.#inHand[count - 1]!.standing
    this.#set = undefined
    this.#inHand.splice(0, count)
  }

  async checkpoint(): Promise<Checkpoint> {
    if (this.#set !== undefined) return this.#set
    if (this.#processed === undefined) {
      throw new DatastreamError('CheckpointError', 'none available', {
        hint: 'no batch has been processed and no checkpoint was set',
      })
    }
    return checkpointOf(this.#processed, BigInt(Math.floor(this.clock.nowMicros() / 1_000_000)))
  }

  async setCheckpoint(checkpoint: Checkpoint, history: readonly Checkpoint[] = []): Promise<void> {
    this.#refuseBusy()
    this.#inHand = []
    if (isBeginning(checkpoint)) {
      this.#set = undefined
      this.#processed = undefined
      this.#follower.seek([])
      return
    }
    const at = standingOfCheckpoint(checkpoint)
    this.#set = checkpoint
    this.#processed = at
    this.#follower.seek([...standingBefore(history, at), at])
  }

  /** A tag that withdraws a batch makes the source look, before the next one, what still stands. */
  finality(tag: FinalityTag): void {
    if (tag.status === 'rolled_back') this.#follower.suspect()
  }

  on(_event: 'rollback', listener: (rollback: Rollback) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async healthCheck({ signal }: SignalOption = {}): Promise<void> {
    try {
      await this.check(signal)
      this.#metrics?.health(this.label(), true)
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      this.#metrics?.health(this.label(), false)
      throw this.#counted(error)
    }
  }

  /** Throws when the source is not healthy. */
  protected async check(_signal: AbortSignal | undefined): Promise<void> {}

  async metadata(_options?: SignalOption): Promise<SourceMetadata> {
    return new SourceMetadata(this.label(), '1.0', '', true)
  }

  fetchBatchStream(start?: bigint | number): AsyncGenerator<BatchItem, void, undefined> {
    return batchStream(this, start, { pollInterval: this.pollIntervalMs, clock: this.clock })
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #counted(error: unknown): DatastreamError {
    const known = datastreamError(error)
    this.#metrics?.error(this.label(), known.kind)
    return known
  }
}

/** Checkpoints that lie before `at`, by rising number; of one number the last. */
function standingBefore(history: readonly Checkpoint[], at: Standing): Standing[] {
  const byNumber = new Map<bigint, Standing>()
  for (const checkpoint of history) {
    if (checkpoint.lastBatchId < at.number) byNumber.set(checkpoint.lastBatchId, standingOfCheckpoint(checkpoint))
  }
  return [...byNumber.values()].sort((a, b) => (a.number < b.number ? -1 : 1))
}
