import { type Batch, type DatastreamError, runIngest } from '../../chain/chain.ts'
import { chainMetrics } from '../../chain/metrics.ts'
import type { RowForm } from '../../chain/rows.ts'
import { HeadraceError } from '../../core/errors.ts'
import { isRetryable } from '../../core/retry.ts'
import { dataDirectory } from '../durable/state-folder.ts'
import type { Engine } from '../engine.ts'
import { BatchSink } from './batch-sink.ts'
import { openDatastream } from './datastream.ts'
import { openStorage, startFrom } from './storage.ts'

export interface IngestForm {
  readonly datastream: string
  readonly sink: string
  readonly rows: RowForm
  readonly fromCheckpoint: string
  readonly checkpointStore: string | undefined
  readonly dataDir: string | undefined
  readonly maxBatches: number
  readonly pollInterval: string
  readonly exitWhenIdle: boolean
  readonly baseDirectory: string
  readonly signal: AbortSignal
  readonly onStart: (text: string) => void
  /** An error after which it goes on. */
  readonly onError: (error: HeadraceError) => void
  readonly onNote: (text: string) => void
  readonly onBatch: (batch: Batch) => void
}

export interface IngestOutcome {
  readonly batches: number
  readonly rollbacks: number
  /** Decimal; undefined when nothing is stored. */
  readonly lastBatch: string | undefined
  /** Prometheus text. */
  readonly metrics: string
}

/** `headrace ingest`: batches of a chain into a sink, each stored as handled when the sink has it. */
export async function ingest(engine: Engine, form: IngestForm): Promise<IngestOutcome> {
  const { datastream, baseDirectory, signal } = form
  const metrics = chainMetrics(engine.shared)
  const source = await openDatastream(engine, datastream, { baseDirectory, pollInterval: form.pollInterval, metrics })
  try {
    const dataDir = dataDirectory(form.dataDir, engine.environment, baseDirectory)
    const { storage, place } = await openStorage({ store: form.checkpointStore, datastream, dataDir, baseDirectory })
    const from = await startFrom(storage, form.fromCheckpoint)
    const last = await from.loadCheckpoint()
    form.onStart(`${last === null ? 'from the beginning' : `behind batch ${last.lastBatchId}`}; position in ${place}`)
    await using sink = await BatchSink.open(engine, form.sink, form)
    const { batches, rollbacks } = await runIngest(
      source,
      async (batch) => {
        await sink.write(batch)
        form.onBatch(batch)
      },
      {
        storage: from,
        signal,
        clock: engine.clock,
        pollInterval: form.pollInterval,
        maxBatches: form.maxBatches,
        exitWhenIdle: form.exitWhenIdle,
        metrics,
        onRollback: (rollback) => sink.rollBack(rollback),
        onError: (error) => {
          if (endsIt(error)) return true
          form.onError(error)
          return false
        },
      },
    )
    await sink.finish()
    const at = await storage.loadCheckpoint()
    return { batches, rollbacks, lastBatch: at === null ? undefined : String(at.lastBatchId), metrics: metrics.text() }
  } finally {
    await source.close?.()
  }
}

/** What another try cannot help: settings, a reorganisation too deep, a store or sink that refuses for good. */
function endsIt(error: DatastreamError): boolean {
  if (error.kind === 'InternalError') return error.cause instanceof HeadraceError && !isRetryable(error.cause)
  return ['ConfigError', 'CheckpointError'].includes(error.kind) || error.code === 'chain_rollback_too_deep'
}
