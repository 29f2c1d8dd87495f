import type { Choice } from '../../checkpoint/choice.ts'
import { FileStore } from '../../checkpoint/file-store.ts'
import { type CheckpointMeta, encodeMeta } from '../../checkpoint/meta.ts'
import { Snapshots } from '../../checkpoint/snapshots.ts'
import type { CheckpointStore } from '../../checkpoint/store.ts'
import { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import { HeadraceError } from '../../core/errors.ts'
import { PipelineClock } from '../../core/pipeline-clock.ts'
import { freshSeed } from '../../core/random.ts'
import { Checksum } from '../../kernels/crc32c.ts'
import type { LogFiles } from '../../log/log-files.ts'
import type { DurablePlace } from '../connector-context.ts'
import { queueFolder } from '../dlq/queue-folder.ts'
import type { Engine } from '../engine.ts'
import type { RunControl } from '../run-control.ts'
import { Heartbeat, refuseSecondStart } from './owner.ts'
import type { ResetSources } from './reset-sources.ts'
import { type Resolution, readResolution, resolutionNotes } from './resolution.ts'
import type { PipelineCheckpoints } from './settings.ts'
import { graft, type StartFrom, startFrom } from './start-from.ts'
import { openStateFolder } from './state-folder.ts'

/** How a pipeline is started with its state. */
export interface DurableOptions {
  /** The folder of the state, or a store in its place: then nobody else can start the pipeline. */
  readonly at: StatePlace | CheckpointStore
  readonly allowDroppedState: boolean
  readonly takeover: boolean
  /** The savepoint, checkpoint or file whose operator state, offsets and counters are taken up; else the newest. */
  readonly from?: string | undefined
  /** Behind a run that is complete: read what was added since, in the same lineage. */
  readonly continues?: boolean | undefined
  readonly resetSources?: ResetSources | undefined
  /** What happens, for whoever watches. */
  readonly onPhase?: ((phase: string, epoch: bigint) => void) | undefined
  /** The handle on the pipeline while it runs; undefined when it has ended. */
  readonly onControl?: ((control: RunControl | undefined) => void) | undefined
  /** Behind every item of a source; `take` makes a checkpoint. For tests that crash at chosen rows. */
  readonly afterItem?: ((take: () => Promise<unknown>) => Promise<void>) | undefined
  /** A run that is complete is gone on from, too: its lineage stays. */
  readonly resumesCompleted?: boolean | undefined
  /** Folder of the dead letters; by default that of the pipeline in the data directory, and none beside a store. */
  readonly letters?: string | undefined
  /** The system calls that write dead letters. */
  readonly letterFiles?: LogFiles | undefined
}

export interface StatePlace {
  readonly dataDir: string
  /** Absolute path of the script; undefined for a named text. */
  readonly script: string | undefined
}

/** What the state must fit. */
export interface PlanFacts {
  readonly pipeline: string
  readonly planHash: string
  readonly operators: readonly string[]
  readonly sources: readonly string[]
  readonly sourceNames?: CheckpointMeta['source_names']
  readonly sinks: readonly string[]
  readonly sinkUris?: CheckpointMeta['sink_uris']
  /** All input ends. */
  readonly bounded: boolean
}

/** A pipeline that owns its state. */
export interface Durable {
  readonly place: DurablePlace
  /** Undefined when the state is in a store of its own. */
  readonly folder: string | undefined
  /** Folder of the dead letters; undefined: they are not kept. */
  readonly letters: string | undefined
  readonly snapshots: Snapshots
  /** What is gone on from; undefined at a first start and after a completed run. */
  readonly restored: StreamCheckpoint | undefined
  /** Every sink has committed the epoch of it. */
  readonly isSettled: boolean
  /** All input was read already: only commits may be left. */
  readonly completed: boolean
  /** All input was read already: positions are gone on from, and nothing else of the run before. */
  readonly continues: boolean
  readonly clock: PipelineClock
  /** What a user has said of epochs that a sink holds and no snapshot does. */
  readonly resolution: Resolution | undefined
  readonly settings: PipelineCheckpoints
  readonly options: DurableOptions
  /** What a user is told at the start. */
  readonly notes: readonly string[]
  meta(form: { readonly reason: CheckpointMeta['reason']; readonly last: boolean }): CheckpointMeta
  close(): Promise<void>
}

/**
 * Takes up the state of a pipeline, or begins one: folder, heartbeat, choice of a snapshot, comparison with the plan,
 * claim (rulings 4). Nothing of a sink is touched.
 */
export async function startDurable(
  engine: Engine,
  facts: PlanFacts,
  settings: PipelineCheckpoints,
  options: DurableOptions,
  signal: AbortSignal,
): Promise<Durable> {
  const folder = 'dataDir' in options.at ? openStateFolder(options.at, { ...facts, store: settings.store }) : undefined
  if (folder !== undefined && !options.takeover) {
    await refuseSecondStart(folder.path, facts.pipeline, engine.clock, signal)
  }
  const checksum = new Checksum(engine.kernels)
  const snapshots = new Snapshots({
    store: 'dataDir' in options.at ? new FileStore(settings.store ?? folder!.path) : options.at,
    pipeline: facts.pipeline,
    crc: checksum.crc32c,
    nowMs: () => Math.floor(engine.clock.nowMicros() / 1000),
    retained: settings.retained,
    bytesMax: settings.bytes_max ?? null,
  })
  const from =
    options.from === undefined
      ? undefined
      : await startFrom(options.from, { pipeline: facts.pipeline, folder: folder?.path, snapshots })
  const agree = (choice: Choice): void =>
    comparePlan(from === undefined ? choice : { ...choice, meta: from.meta, done: false }, facts, options)
  const first = await snapshots.choose()
  agree(first)
  const heartbeat = folder === undefined ? undefined : new Heartbeat(folder.path, engine.clock)
  try {
    const lineages = new Map<Choice, string>()
    const claimMeta = (choice: Choice) => {
      const lineage = lineageOf(choice, options)
      lineages.set(choice, lineage)
      return { ...fixed(facts, engine), lineage, clock: engine.clock.nowMicros() }
    }
    options.onPhase?.('claim', first.checkpoint?.epoch ?? 0n)
    const choice = await snapshots.claim(first, claimMeta, agree)
    const lineage = lineages.get(choice)!
    const isNew = isOver(choice, options)
    const resolution = folder === undefined ? undefined : readResolution(folder.path)
    const newest = isNew ? undefined : choice.checkpoint
    const clock = new PipelineClock(engine.clock, choice.meta?.clock)
    const meta = ({ reason, last }: { readonly reason: CheckpointMeta['reason']; readonly last: boolean }) => ({
      ...fixed(facts, engine),
      format: 1 as const,
      pipeline: facts.pipeline,
      incarnation: String(snapshots.incarnation),
      lineage,
      reason,
      clock: clock.nowMicros(),
      ...(last ? { completed: true } : {}),
    })
    const continues = options.continues === true && from === undefined && choice.meta?.completed === true
    const restored =
      from === undefined
        ? newest
        : await takeUp(snapshots, from, {
            newest,
            isDone: isNew || choice.done,
            meta: encodeMeta(meta({ reason: 'manual', last: false })),
          })
    return {
      place: { lineage, incarnation: snapshots.incarnation },
      folder: folder?.path,
      letters:
        options.letters ?? ('dataDir' in options.at ? queueFolder(options.at.dataDir, facts.pipeline) : undefined),
      snapshots,
      restored,
      isSettled: from === undefined && choice.done,
      completed: from === undefined && restored !== undefined && choice.meta?.completed === true && !continues,
      continues,
      clock,
      resolution,
      settings,
      options,
      notes: [
        ...notesOf({ choice, restored: newest, lineage, made: folder?.made, from, continues }),
        ...resolutionNotes(resolution, newest?.epoch ?? 0n),
      ],
      meta,
      close: async () => {
        checksum[Symbol.dispose]()
        await heartbeat?.close()
      },
    }
  } catch (error) {
    await heartbeat?.close()
    throw error
  }
}

/**
 * Stores the snapshot that a user starts from as one of the newest epoch: the sinks keep what they were promised, and a
 * crash before the next checkpoint does not forget the choice.
 */
async function takeUp(
  snapshots: Snapshots,
  from: StartFrom,
  to: { readonly newest: StreamCheckpoint | undefined; readonly isDone: boolean; readonly meta: Uint8Array },
): Promise<StreamCheckpoint> {
  const { newest, isDone, meta } = to
  const pending = { id: snapshots.nextId(), epoch: newest?.epoch ?? 0n }
  const parts = graft(from.checkpoint, newest, meta)
  await snapshots.persist(pending, parts)
  if (isDone) await snapshots.markDone(pending.id)
  return new StreamCheckpoint({ ...pending, createdAt: from.checkpoint.createdAt, ...parts })
}

const fixed = ({ planHash, sources, sourceNames, sinks, sinkUris, operators }: PlanFacts, engine: Engine) => ({
  plan_hash: planHash,
  engine: engine.version,
  sources,
  ...(sourceNames === undefined ? {} : { source_names: sourceNames }),
  sinks,
  ...(sinkUris === undefined ? {} : { sink_uris: sinkUris }),
  operators,
  parallelism: 1,
})

/** All input was read and every sink has committed all of it: nothing is left to go on with. */
const isOver = ({ meta, done }: Choice, { resumesCompleted, continues }: DurableOptions): boolean =>
  meta?.completed === true && done && resumesCompleted !== true && continues !== true

/** A completed run is over: the next one has a lineage of its own (rulings 7, 8). */
function lineageOf(choice: Choice, options: DurableOptions): string {
  if (choice.lineage !== undefined && !isOver(choice, options)) return choice.lineage
  return freshSeed().toString(16).padStart(8, '0').slice(-8)
}

function comparePlan(choice: Choice, facts: PlanFacts, options: DurableOptions): void {
  const { meta } = choice
  if (meta === undefined || isOver(choice, options) || meta.plan_hash === facts.planHash) return
  if (options.allowDroppedState) return
  const before = new Set(meta.operators)
  const now = new Set(facts.operators)
  const listed = (title: string, ids: readonly string[]): string[] =>
    ids.length === 0 ? [] : [`${title}: ${ids.join(', ')}`]
  const lists = [
    ...listed(
      'kept',
      facts.operators.filter((id) => before.has(id)),
    ),
    ...listed(
      'new',
      facts.operators.filter((id) => !before.has(id)),
    ),
    ...listed(
      'dropped',
      meta.operators.filter((id) => !now.has(id)),
    ),
    ...listed(
      'sources dropped',
      meta.sources.filter((id) => !facts.sources.includes(id)),
    ),
    ...listed(
      'sinks dropped',
      meta.sinks.filter((part) => !facts.sinks.includes(part)),
    ),
  ]
  throw new HeadraceError(
    'pipeline_plan_changed',
    `the query of "${facts.pipeline}" has changed since its last checkpoint; operators ${lists.join('; ')}`,
    { hint: 'bring the query back, start with --allow-dropped-state, or give it another name: -- @name other' },
  )
}

function notesOf(start: {
  readonly choice: Choice
  readonly restored: StreamCheckpoint | undefined
  readonly lineage: string
  /** The data directory, when it was made now. */
  readonly made: string | undefined
  readonly from: StartFrom | undefined
  readonly continues: boolean
}): readonly string[] {
  const { choice, restored, lineage, made, from: asked, continues } = start
  const from =
    restored !== undefined
      ? continues
        ? `reading what was added since checkpoint ${restored.id} (epoch ${restored.epoch})`
        : `resuming from checkpoint ${restored.id} (epoch ${restored.epoch})`
      : choice.meta?.completed === true
        ? 'the last run is complete: starting over'
        : 'starting from the beginning'
  return [
    ...(made === undefined ? [] : [`state is kept in ${made}`]),
    asked === undefined ? `${from}, lineage ${lineage}` : `${fromText(asked, restored)}, lineage ${lineage}`,
    ...choice.damaged.map(({ id, why }) => `checkpoint ${id} cannot be used: ${why}`),
  ]
}

function fromText({ name, checkpoint }: StartFrom, newest: StreamCheckpoint | undefined): string {
  const from = `starting from ${name} (epoch ${checkpoint.epoch})`
  if (newest === undefined || newest.epoch <= checkpoint.epoch) return from
  return `${from}: rows read between it and epoch ${newest.epoch} are given again`
}
