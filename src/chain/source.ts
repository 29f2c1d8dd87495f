import { type DatastreamError, datastreamError } from './errors.ts'
import type { Rollback } from './follower.ts'
import { integer, U256_MAX, ZERO_32 } from './numbers.ts'
import { Polling, type PollingOptions } from './polling.ts'
import { type Batch, Checkpoint, type SourceMetadata } from './types.ts'

export interface SignalOption {
  /** Rejects with its reason and leaves no half-done work. */
  readonly signal?: AbortSignal | undefined
}

/** Numbered batches in order; five methods make a source. */
export interface BatchSource {
  /** Null: nothing new now. */
  next(options?: SignalOption): Promise<Batch | null>
  /** How far batches are processed; rejects with `CheckpointError` when none is and no position was set. */
  checkpoint(): Promise<Checkpoint>
  /** The next batch is the one behind it. `history`: checkpoints before it, for reorganisations across a restart. */
  setCheckpoint(checkpoint: Checkpoint, history?: readonly Checkpoint[]): Promise<void>
  healthCheck(options?: SignalOption): Promise<void>
  metadata(options?: SignalOption): Promise<SourceMetadata>
  /** The batch is processed. */
  ack?(batch: Batch): Promise<void>
  fetchBatchStream?(start?: bigint | number): AsyncIterable<BatchItem>
  /** True when no batch will follow. */
  readonly finished?: boolean | undefined
  /** Batches that `next()` gives without asking anybody. */
  readonly waiting?: number | undefined
  /** Resolves when there may be more than there was. */
  readonly changed?: Promise<void> | undefined
  /** Tells of withdrawn batches; gives what ends it. */
  on?(event: 'rollback', listener: (rollback: Rollback) => void): () => void
  close?(): Promise<void>
  /** Label of its metrics. */
  label?(): string
}

export type BatchItem =
  | { readonly ok: true; readonly batch: Batch }
  | { readonly ok: false; readonly error: DatastreamError }

export interface BatchStreamOptions extends SignalOption, PollingOptions {}

/**
 * The batches of any source from number `start` on, as they come. Errors are items: the source is asked again after a
 * pause that doubles up to a minute. Ends when the source is finished or the signal fires.
 */
export async function* batchStream(
  source: BatchSource,
  start?: bigint | number,
  options: BatchStreamOptions = {},
): AsyncGenerator<BatchItem, void, undefined> {
  if (start !== undefined) await source.setCheckpoint(checkpointBefore(start))
  const polling = new Polling(options)
  while (options.signal?.aborted !== true) {
    const item = await ask(source, options)
    if (item !== undefined) yield item
    if (item?.ok === true) polling.succeeded()
    else if (item === undefined && source.finished === true) return
    else await polling.pause(item?.error, options.signal)
  }
}

async function ask(source: BatchSource, { signal }: SignalOption): Promise<BatchItem | undefined> {
  try {
    const batch = await source.next(signal === undefined ? undefined : { signal })
    return batch === null ? undefined : { ok: true, batch }
  } catch (error) {
    return signal?.aborted === true ? undefined : { ok: false, error: datastreamError(error) }
  }
}

/** A position whose next batch is `number`; nothing is known of the one before. */
export function checkpointBefore(number: bigint | number): Checkpoint {
  const start = integer(number, U256_MAX, 'start')
  return start === 0n ? Checkpoint.default() : new Checkpoint(start - 1n, ZERO_32, 0n, 0n)
}

/** The beginning of a chain: no batch is named. */
export const isBeginning = (checkpoint: Checkpoint): boolean =>
  checkpoint.lastBatchId === 0n && checkpoint.lastBatchHash === ZERO_32
