import { bool, byteCount, choice, duration, integer, parseOptions, text, type ValuesOf } from '../../core/options.ts'
import type { ScriptPlan } from '../../sql/plan.ts'

const MS = { min: 1 } as const

/** `checkpoint.*` of a pipeline (checkpoints.md §1). */
export const pipelineCheckpointOptions = {
  enabled: bool('Whether progress is kept.', { default: true }),
  interval: duration('Time between checkpoints; off: only when asked for.', {
    default: 10_000,
    min: 10,
    max: 3_600_000,
    off: true,
  }),
  idle: duration('An idle pipeline takes a checkpoint that often.', { default: 60_000, ...MS }),
  retained: integer('Epochs kept.', { default: 3, min: 1 }),
  store: text('Where snapshots are kept, if not in the data directory: a folder.'),
  timeout_align: duration('Limit of the barrier.', { default: 30_000, ...MS }),
  timeout_prepare: duration('Limit of the preparation of the sinks.', { default: 30_000, ...MS }),
  timeout_persist: duration('Limit of the storing of a snapshot.', { default: 120_000, ...MS }),
  commit_warn: duration('A commit that takes longer gives an alarm.', { default: 60_000, ...MS }),
  bytes_max: byteCount('A longer snapshot is refused.', MS),
} as const

/** Settings of a pipeline that belong to no group. */
export const runOptions = {
  failures_max: integer("How often in a row the same bad row may fail a pipeline with on_error = 'fail'.", {
    default: 3,
    min: 1,
    max: 1_000_000,
  }),
  shutdown_timeout: duration('How long a stop waits for the last checkpoint; then the exit code is 1.', {
    default: 25_000,
    ...MS,
  }),
  commit_regime: choice(['auto', 'checkpoint'], 'What leads; auto: a sink that commits offsets with its rows.', {
    default: 'auto',
  }),
} as const

export type PipelineCheckpoints = ValuesOf<typeof pipelineCheckpointOptions>

const PREFIX = 'checkpoint.'

const given = (plan: Pick<ScriptPlan, 'settings'>, isWanted: (name: string) => boolean, prefix = '') =>
  [...plan.settings]
    .filter(([name]) => isWanted(name))
    .map(([name, value]) => ({ name: name.slice(prefix.length), value, origin: 'SET' }))

export function runSettings(plan: Pick<ScriptPlan, 'settings'>): ValuesOf<typeof runOptions> {
  const where = { side: 'source', subject: 'SET' } as const
  const own = given(plan, (name) => Object.hasOwn(runOptions, name))
  return parseOptions(runOptions, own, where) as ValuesOf<typeof runOptions>
}

/** The settings of a script; throws all faults together. */
export function checkpointSettings(plan: Pick<ScriptPlan, 'settings'>): PipelineCheckpoints {
  const own = given(plan, (name) => name.startsWith(PREFIX), PREFIX)
  const where = { side: 'source', subject: 'checkpoint' } as const
  return parseOptions(pipelineCheckpointOptions, own, where) as PipelineCheckpoints
}
