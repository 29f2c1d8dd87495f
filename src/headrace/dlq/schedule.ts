/** When transient entries run again by themselves (resilience.md §6); kept in the log of the run that has them. */
export interface Schedule {
  /** Attempts behind the first failure. */
  readonly retries: number
  readonly initialMs: number
  readonly multiplier: number
  readonly maxMs: number
  /** Share by which a delay is longer or shorter, told by the id: the instant can be printed before it comes. */
  readonly jitter: number
}

export type ShownState = 'pending' | 'scheduled' | 'resolved' | 'gave_up'

/** What of an entry says when it runs again. */
interface Scheduled {
  readonly id: string
  readonly state: 'pending' | 'resolved'
  readonly category: string
  readonly attempts: number
  readonly lastMs: number
}

/** Milliseconds since 1970; undefined: it waits for a user. */
export function nextRetryMs(
  { id, state, category, attempts, lastMs }: Scheduled,
  schedule: Schedule | undefined,
): number | undefined {
  if (schedule === undefined || state !== 'pending' || category !== 'transient') return undefined
  if (attempts > schedule.retries) return undefined
  const { initialMs, multiplier, maxMs, jitter } = schedule
  const delay = Math.min(initialMs * multiplier ** (attempts - 1), maxMs)
  const draw = Number.parseInt(id.slice(0, 8), 16) / 0xffff_ffff
  return Math.round(lastMs + delay * (1 + jitter * (2 * draw - 1)))
}

/** `pending` waits for a user, `scheduled` for its time; `gave_up` has used up its retries. */
export function stateOf(entry: Scheduled, schedule: Schedule | undefined): ShownState {
  if (entry.state === 'resolved') return 'resolved'
  if (nextRetryMs(entry, schedule) !== undefined) return 'scheduled'
  const { category, attempts } = entry
  return schedule !== undefined && category === 'transient' && attempts > schedule.retries ? 'gave_up' : 'pending'
}
