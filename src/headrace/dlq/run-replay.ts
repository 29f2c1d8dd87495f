import type { Sink } from '../../connectors/contract.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { Schema } from '../../core/types.ts'
import { DeadLetters } from '../dead-letters.ts'
import { checkpointSettings } from '../durable/settings.ts'
import { type DurableOptions, startDurable } from '../durable/start.ts'
import type { Engine } from '../engine.ts'
import { Pipeline, type PipelineInput } from '../pipeline.ts'
import { compileScript, type ScriptInput } from '../script.ts'
import { type MapBytes, Replay, type ReplayReport } from './replay.ts'
import { refuseStateful } from './replayable.ts'
import type { EntryFilter } from './select.ts'

export interface ReplayRun {
  readonly pipeline: string
  readonly script: ScriptInput
  /** Of the queue. */
  readonly directory: string
  readonly durable: DurableOptions
  readonly filter: EntryFilter
  readonly map?: MapBytes | undefined
  readonly rate?: number | undefined
  /** Entries of one epoch. */
  readonly batchSize: number
  readonly dryRun: boolean
  /** Rows of queries without INTO. */
  readonly client: (schema: Schema, form: { readonly changes: boolean }) => Promise<Sink> | Sink
  readonly sqlPosition?: PipelineInput['sqlPosition']
  readonly onNote?: ((text: string) => void) | undefined
  readonly onWarning?: ((error: Error) => void) | undefined
}

/**
 * Runs dead letters through their pipeline once more: as a durable run of its plan, which owns its state meanwhile. What
 * is delivered and that the entries are resolved is one epoch, so a crash repeats neither.
 */
export async function runReplay(engine: Engine, run: ReplayRun, signal: AbortSignal): Promise<ReplayReport> {
  const { plan } = await compileScript(engine, run.script)
  if (plan.name !== run.pipeline) {
    throw new HeadraceError('dlq_replay_refused', `"${run.script.file}" is the pipeline "${plan.name}" by now`, {
      hint: `give the script its name back: -- @name ${run.pipeline}`,
    })
  }
  refuseStateful(plan)
  const { directory, filter, map, rate, dryRun } = run
  const deadLetters = new DeadLetters(() => undefined)
  using replay = new Replay({ engine, directory, filter, letters: deadLetters, map, rate, dryRun })
  const { client, sqlPosition, onNote, onWarning } = run
  const input = { plan, baseDirectory: run.script.baseDirectory, deadLetters, client, sqlPosition, onNote, onWarning }
  const pipeline = new Pipeline(engine, { ...input, rerun: replay })
  if (dryRun) await pipeline.run(signal)
  else await runDurable(engine, pipeline, { run, settings: checkpointSettings(plan), signal })
  return replay.report
}

async function runDurable(
  engine: Engine,
  pipeline: Pipeline,
  form: {
    readonly run: ReplayRun
    readonly settings: ReturnType<typeof checkpointSettings>
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { run, settings, signal } = form
  const options = { ...run.durable, resumesCompleted: true, letters: run.directory, afterItem: everyBatch(run) }
  const start = async () => {
    try {
      return await startDurable(engine, { ...pipeline.facts, pipeline: run.pipeline }, settings, options, signal)
    } catch (error) {
      await pipeline.close()
      throw error
    }
  }
  const durable = await start()
  try {
    if (durable.restored === undefined) {
      await pipeline.close()
      throw new HeadraceError('dlq_replay_refused', `"${run.pipeline}" has no checkpoint to go on from`, {
        hint: 'its state was removed: run it again, the same failures become the same entries',
      })
    }
    await pipeline.run(signal, durable)
  } finally {
    await durable.close()
  }
}

/** A checkpoint behind every so many entries. */
function everyBatch({ batchSize, durable }: ReplayRun): NonNullable<DurableOptions['afterItem']> {
  let entries = 0
  return async (take) => {
    await durable.afterItem?.(take)
    if (++entries % batchSize === 0) await take()
  }
}
