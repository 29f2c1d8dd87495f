import { systemClock } from '../core/clock.ts'
import type { CheckpointStorage } from './checkpoint-storage.ts'
import { type DatastreamError, datastreamError } from './errors.ts'
import type { Rollback } from './follower.ts'
import { checkpointOf, standingOf } from './history.ts'
import type { ChainMetrics } from './metrics.ts'
import { numberOfText, toHex } from './numbers.ts'
import { Polling, type PollingOptions } from './polling.ts'
import type { BatchSource, SignalOption } from './source.ts'
import type { Batch, BatchId, Checkpoint } from './types.ts'

export interface RunIngestOptions extends PollingOptions, SignalOption {
  readonly storage: CheckpointStorage
  /** Ends after so many batches; 0 (default): never. */
  readonly maxBatches?: number | undefined
  /** Ends when the source has nothing new. */
  readonly exitWhenIdle?: boolean | undefined
  /** Batches that were handled are withdrawn: what came of those behind `to` must be undone. May be told twice. */
  readonly onRollback?: ((rollback: Rollback) => void | Promise<void>) | undefined
  /**
   * Told of each error before the source or the handler is tried again, after a pause that doubles from 1 s to 60 s.
   * True gives up: the error is thrown. Default: goes on for what may pass, gives up otherwise.
   */
  readonly onError?: ((error: DatastreamError) => boolean) | undefined
  readonly metrics?: ChainMetrics | undefined
  /** Label of the metrics; default that of the source. */
  readonly name?: string | undefined
}

export interface IngestResult {
  readonly batches: number
  readonly rollbacks: number
}

/** Kept entries of a storage are asked for in this number; more than any default rollback depth. */
const HISTORY = 1001

/**
 * Hands every batch to `handler`, one after the other, and stores the checkpoint behind it when the handler has
 * returned. After a crash at most the last batch is handled again. The position of `storage` is taken up; without one
 * the source begins where it stands.
 */
export async function runIngest(
  source: BatchSource,
  handler: (batch: Batch) => void | Promise<void>,
  options: RunIngestOptions,
): Promise<IngestResult> {
  return await new Ingest(source, handler, options).run()
}

const FROM = 'rolled_back_from'
const FROM_HASH = 'rolled_back_from_hash'

const owing = (checkpoint: Checkpoint, from: BatchId): Checkpoint =>
  checkpoint.withMetadata(FROM, toHex(from.number)).withMetadata(FROM_HASH, from.hash)

/** The rollback that a checkpoint was stored for and that may not have been told. */
function owedRollback(checkpoint: Checkpoint): Rollback | undefined {
  const number = numberOfText(checkpoint.getMetadata(FROM) ?? '')
  const hash = checkpoint.getMetadata(FROM_HASH)
  if (number === undefined || hash === undefined) return undefined
  const to = { number: checkpoint.lastBatchId, hash: checkpoint.lastBatchHash }
  return { from: { number, hash }, to, depth: number - to.number }
}

class Ingest {
  readonly #source: BatchSource
  readonly #handler: (batch: Batch) => void | Promise<void>
  readonly #options: RunIngestOptions
  readonly #rollbacks: Rollback[] = []
  #told = 0
  /** Handed out by the source and not handled yet: the handler failed. */
  #open: Batch | undefined

  constructor(source: BatchSource, handler: (batch: Batch) => void | Promise<void>, options: RunIngestOptions) {
    this.#source = source
    this.#handler = handler
    this.#options = options
  }

  async run(): Promise<IngestResult> {
    const { storage, signal, maxBatches = 0, exitWhenIdle = false } = this.#options
    const stopListening = this.#source.on?.('rollback', (rollback) => void this.#rollbacks.push(rollback))
    const polling = new Polling(this.#options)
    const isAborted = (): boolean => signal?.aborted === true
    let batches = 0
    try {
      const saved = await storage.loadCheckpoint()
      // Storages of one's own may say undefined.
      if (saved !== null && saved !== undefined) {
        await this.#source.setCheckpoint(saved, (await storage.history?.(HISTORY)) ?? [])
        const owed = owedRollback(saved)
        if (owed !== undefined) this.#rollbacks.push(owed)
      }
      while (!isAborted()) {
        let failure: DatastreamError | undefined
        try {
          if (await this.#one()) {
            batches++
            polling.succeeded()
            if (batches === maxBatches) break
            continue
          }
          if (this.#source.finished === true || exitWhenIdle) break
        } catch (error) {
          if (isAborted()) break
          failure = this.#failed(error)
        }
        await polling.pause(failure, signal)
      }
    } finally {
      stopListening?.()
    }
    return { batches, rollbacks: this.#told }
  }

  /** Handles one batch; false when there is none now. */
  async #one(): Promise<boolean> {
    const { signal } = this.#options
    if (this.#open === undefined) {
      // An error behind a rollback does not keep the handler from being told of it.
      const batch = await this.#source
        .next(signal === undefined ? undefined : { signal })
        .catch(async (error: unknown) => {
          await this.#tellRollbacks()
          throw error
        })
      this.#open = batch ?? undefined
    }
    await this.#tellRollbacks()
    const batch = this.#open
    if (batch === undefined) return false
    await this.#handler(batch)
    this.#open = undefined
    await this.#source.ack?.(batch)
    await this.#save(this.#source.ack === undefined ? this.#behind(batch) : await this.#source.checkpoint())
    return true
  }

  /**
   * The position goes back before anybody is told, with a mark that tells are owed: whoever is killed in between is told
   * at the next start, and never goes on from batches that the handler has undone.
   */
  async #tellRollbacks(): Promise<void> {
    const [first] = this.#rollbacks
    if (first === undefined) return
    await this.#save(owing(await this.#source.checkpoint(), first.from))
    for (let rollback: Rollback | undefined = first; rollback !== undefined; rollback = this.#rollbacks[0]) {
      await this.#options.onRollback?.(rollback)
      this.#rollbacks.shift()
      this.#told++
    }
  }

  /** A source without `ack` counts the batch only when it is asked for the next one. */
  #behind(batch: Batch): Checkpoint {
    const { clock = systemClock } = this.#options
    return checkpointOf(standingOf(batch, undefined), BigInt(Math.floor(clock.nowMicros() / 1_000_000)))
  }

  async #save(checkpoint: Checkpoint): Promise<void> {
    const { storage, metrics, name } = this.#options
    await storage.saveCheckpoint(checkpoint)
    metrics?.checkpointSaved(name ?? this.#source.label?.() ?? 'source')
  }

  #failed(error: unknown): DatastreamError {
    const known = datastreamError(error)
    const givesUp = this.#options.onError?.(known) ?? !known.retryable
    if (givesUp) throw error
    return known
  }
}
