import {
  bool,
  byteCount,
  choice,
  duration,
  float,
  integer,
  parseOptions,
  text,
  type ValuesOf,
} from '../../core/options.ts'
import type { ScriptPlan } from '../../sql/plan.ts'
import type { Schedule } from './schedule.ts'

/** `dlq.*` of a pipeline (resilience.md §6, delivery.md §9). */
export const queueOptions = {
  enabled: bool('Whether dead letters are kept; else they are counted and the first ones printed.', { default: true }),
  storage: choice(['file'], 'What keeps them: framed logs in the data directory.', { default: 'file' }),
  location: text('URI of a sink that takes them as rows of five parts, in place of the storage.'),
  max_entries: integer('Entries that wait at most; resolved ones do not count.', {
    default: 1_000_000,
    min: 1,
    aliases: ['max_size'],
  }),
  max_bytes: byteCount('Bytes of the entries that wait at most.', { default: 10 * 1024 ** 3, min: 1 }),
  message_bytes_max: byteCount('Of a longer original the first 64 KiB and the digest are kept.', {
    default: 10 * 1024 * 1024,
    min: 1024,
    max: 128 * 1024 * 1024,
  }),
  retention: duration('Entries are kept that long, off: for ever; resolved ones 7 days at most.', {
    default: 30 * 86_400_000,
    off: true,
  }),
  overflow: choice(
    ['block', 'backpressure', 'reject', 'drop_oldest', 'circular'],
    'What happens when it is full: the pipeline waits, the epoch fails, or the oldest entry goes.',
    { default: 'block' },
  ),
  alert_threshold: float('Fill above which a warning is given.', { default: 0.8, min: 0, max: 1 }),
  rate_min: integer('Entries of one window from which the rate counts; off: it does not.', {
    default: 100,
    min: 1,
    off: true,
  }),
  rate_max: float('Share of rows that may become entries; from there on the pipeline is paused.', {
    default: 0.5,
    min: 0,
    max: 1,
    aliases: ['max_rate'],
  }),
  rate_window: duration('The window of the rate.', { default: 60_000, min: 1000 }),
  retries: integer('Retries of transient entries, behind which they wait for a user.', { default: 5, min: 0 }),
  retry_initial: duration('Until the first of them.', { default: 1000, min: 1 }),
  retry_multiplier: float('By which each further delay is longer.', { default: 2, min: 1 }),
  retry_max: duration('The longest delay.', { default: 3_600_000, min: 1 }),
  retry_jitter: float('Share by which a delay is longer or shorter.', { default: 0.1, min: 0, max: 1 }),
  reprocess_interval: duration('How often a running pipeline looks for entries whose time has come.', {
    default: 300_000,
    min: 100,
  }),
  batch_size: integer('Entries that run again at one look.', { default: 100, min: 1, max: 10_000 }),
} as const

export type QueueSettings = ValuesOf<typeof queueOptions>

const PREFIX = 'dlq.'

/** The settings of a script; throws all faults together. */
export function queueSettings(plan: Pick<ScriptPlan, 'settings'>): QueueSettings {
  const given = [...plan.settings]
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => ({ name: name.slice(PREFIX.length), value, origin: 'SET' }))
  return parseOptions(queueOptions, given, { side: 'sink', subject: 'dlq' }) as QueueSettings
}

export const scheduleOf = (settings: QueueSettings): Schedule => ({
  retries: settings.retries,
  initialMs: settings.retry_initial,
  multiplier: settings.retry_multiplier,
  maxMs: settings.retry_max,
  jitter: settings.retry_jitter,
})

/** `overflow` under the one name that each policy has inside. */
export function overflowOf({ overflow }: QueueSettings): 'block' | 'reject' | 'drop_oldest' {
  if (overflow === 'backpressure') return 'block'
  return overflow === 'circular' ? 'drop_oldest' : overflow
}
