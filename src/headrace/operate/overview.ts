import { hostname } from 'node:os'
import { type Choice, chooseCheckpoint } from '../../checkpoint/choice.ts'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { askPipeline } from '../durable/control-client.ts'
import type { Owner } from '../durable/owner.ts'
import { type Blocked, readBlocked } from '../durable/resolution.ts'
import { savepointNames } from '../durable/savepoints.ts'
import type { RunStatus } from '../run-control.ts'
import type { KeptPipeline } from './kept-pipelines.ts'
import { liveOwner } from './live-owner.ts'

/**
 * `stopped`: it was stopped, with a last checkpoint. `interrupted`: its process ended otherwise. `new`: it has never
 * completed a checkpoint. `damaged`: nothing of its state can be used.
 */
export type KeptState =
  | RunStatus['state']
  | 'starting'
  | 'stopped'
  | 'interrupted'
  | 'completed'
  | 'blocked'
  | 'new'
  | 'damaged'

/** The newest usable snapshot. */
export interface NewestCheckpoint {
  readonly id: string
  readonly epoch: string
  readonly created_at: string
  readonly age_ms: number
  readonly bytes: number
  /** All sinks have committed it. */
  readonly done: boolean
}

/** What is known of a pipeline, from itself while it runs and from its folder otherwise. */
export interface PipelineOverview {
  readonly name: string
  readonly state: KeptState
  /** Who runs it. */
  readonly owner: Pick<Owner, 'pid' | 'host' | 'since'> | null
  readonly script: string | null
  readonly folder: string
  readonly lineage: string | null
  readonly checkpoint: NewestCheckpoint | null
  /** Snapshots that are newer and cannot be used; or why none can. */
  readonly faults: readonly string[]
  readonly savepoints: readonly string[]
  /** Why it cannot start. */
  readonly blocked: Blocked | null
  /** What it says of itself; null when it does not run on this machine. */
  readonly run: RunStatus | null
}

export async function overviewOf(kept: KeptPipeline, clock: Clock): Promise<PipelineOverview> {
  const { name, folder, script } = kept
  const blocked = readBlocked(folder) ?? null
  const { owner, run } = await whoRuns(kept, clock)
  const { choice, fault } = await newest(kept)
  const checkpoint = choice?.checkpoint
  const ageMs = clock.nowMicros() / 1000 - Number(checkpoint?.createdAt ?? 0n)
  return {
    name,
    state: run?.state ?? stateOf({ owner, blocked, choice }),
    owner: owner === undefined ? null : { pid: owner.pid, host: owner.host, since: owner.since },
    script,
    folder,
    lineage: run?.lineage ?? choice?.lineage ?? null,
    checkpoint:
      checkpoint === undefined
        ? null
        : {
            id: String(checkpoint.id),
            epoch: String(checkpoint.epoch),
            created_at: new Date(Number(checkpoint.createdAt)).toISOString(),
            age_ms: Math.max(0, Math.round(ageMs)),
            bytes: (await kept.store.get(checkpoint.id))?.length ?? 0,
            done: choice?.done === true,
          },
    faults: [
      ...(fault === undefined ? [] : [fault]),
      ...(choice?.damaged ?? []).map(({ id, why }) => `checkpoint ${id} cannot be used: ${why}`),
    ],
    savepoints: await savepointNames(folder),
    blocked,
    run,
  }
}

/** Who runs it, and what it says of itself; null when it runs elsewhere, is starting, or about to end. */
async function whoRuns(
  kept: KeptPipeline,
  clock: Clock,
): Promise<{ readonly owner: Owner | undefined; readonly run: RunStatus | null }> {
  const owner = liveOwner(kept, clock)
  if (owner?.host !== hostname()) return { owner, run: null }
  try {
    const status = await askPipeline(kept.folder, kept.name, { method: 'GET', action: 'status' })
    return { owner, run: (status as RunStatus | undefined) ?? null }
  } catch (error) {
    if (error instanceof HeadraceError && error.code === 'pipeline_refused') return { owner, run: null }
    throw error
  }
}

/** While it runs, what was listed may be pruned before it is read: then once more. */
async function newest({ store, name }: KeptPipeline): Promise<{ choice?: Choice; fault?: string }> {
  for (let tries = 1; ; tries++) {
    try {
      const choice = await chooseCheckpoint(store, name)
      if (choice.damaged.length === 0 || tries === 2) return { choice }
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error
      if (tries === 2) return { fault: error.message }
    }
  }
}

function stateOf(of: {
  readonly owner: Owner | undefined
  readonly blocked: Blocked | null
  readonly choice: Choice | undefined
}): KeptState {
  const { owner, blocked, choice } = of
  if (owner !== undefined) return owner.host === hostname() ? 'starting' : 'running'
  if (choice === undefined) return 'damaged'
  if (blocked !== null) return 'blocked'
  const { checkpoint, meta, done, highest } = choice
  if (checkpoint === undefined) return highest > 0n ? 'interrupted' : 'new'
  if (highest > checkpoint.id) return 'interrupted'
  if (meta?.completed === true) return done ? 'completed' : 'interrupted'
  return meta?.reason === 'stop' && done ? 'stopped' : 'interrupted'
}
