import type { Checksum } from '../../log/frame.ts'
import { type EntryFacts, isoOf } from './entry.ts'
import { entryAt } from './queue-folder.ts'
import type { IndexedEntry, QueueState } from './queue-state.ts'
import { stateOf } from './schedule.ts'

/** Which entries a command means; what is absent does not matter. */
export interface EntryFilter {
  /** Ids or beginnings of ids. */
  readonly ids?: readonly string[] | undefined
  readonly category?: string | undefined
  readonly code?: string | undefined
  /** `pending`: all that wait; `scheduled` and `gave_up` are some of them. */
  readonly state?: string | undefined
  readonly stage?: string | undefined
  /** By the first failure: from, inclusive, and until, exclusive; milliseconds since 1970-01-01T00:00:00Z. */
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
}

export function selectEntries({ entries, schedule }: QueueState, filter: EntryFilter): readonly IndexedEntry[] {
  const { ids, category, code, state, stage, sinceMs, untilMs } = filter
  return [...entries.values()].filter(
    (entry) =>
      (ids === undefined || ids.some((id) => entry.id.startsWith(id))) &&
      (category === undefined || entry.category === category) &&
      (code === undefined || entry.code === code) &&
      (state === undefined || entry.state === state || stateOf(entry, schedule) === state) &&
      (stage === undefined || entry.stage === stage) &&
      (sinceMs === undefined || entry.firstMs >= sinceMs) &&
      (untilMs === undefined || entry.firstMs < untilMs),
  )
}

/** Where an entry stands among all: a page goes on behind it, also when it is gone. */
type Position = readonly [writer: number, segment: number, offset: number]

const positionOf = ({ writer, place }: IndexedEntry): Position => [writer.number, Number(place.segment), place.offset]

function compare(a: Position, b: Position): number {
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

export interface Page {
  readonly entries: readonly IndexedEntry[]
  /** Undefined: it was the last one. */
  readonly cursor: string | undefined
}

/** Undefined: the cursor is none. */
export function pageOf(
  entries: readonly IndexedEntry[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Page | undefined {
  const match = cursor === undefined ? undefined : /^(\d+)\.(\d+)\.(\d+)$/.exec(cursor)
  if (match === null) return undefined
  const behind = match === undefined ? undefined : ([1, 2, 3].map((i) => Number(match[i])) as unknown as Position)
  const rest = behind === undefined ? entries : entries.filter((entry) => compare(positionOf(entry), behind) > 0)
  const page = rest.slice(0, limit)
  return { entries: page, cursor: rest.length > limit ? positionOf(page.at(-1)!).join('.') : undefined }
}

/** A line of a list. */
export interface ListedEntry {
  readonly id: string
  readonly pipeline: string
  readonly state: string
  readonly category: string
  readonly code: string
  readonly stage: string
  readonly source: string
  readonly split: string | null
  readonly offset: number | null
  readonly message: string
  readonly attempts: number
  readonly first: string
  readonly last: string
  readonly bytes: number
  readonly epoch: string
}

export function listed(
  pipeline: string,
  entry: IndexedEntry,
  { schedule, checksum }: { readonly schedule: QueueState['schedule']; readonly checksum: Checksum },
): ListedEntry {
  const { facts } = entryAt(entry.writer, entry.place, checksum)
  const { source_uri: source, partition: split, offset, bytes } = facts.original_message
  return {
    id: entry.id,
    pipeline,
    state: stateOf(entry, schedule),
    category: entry.category,
    code: entry.code,
    stage: entry.stage,
    source,
    split,
    offset,
    message: messageOf(entry, facts),
    attempts: entry.attempts,
    first: isoOf(entry.firstMs * 1000),
    last: isoOf(entry.lastMs * 1000),
    bytes,
    epoch: String(entry.epoch),
  }
}

/** The message of the last failure is known without another read when the code has not changed since the first one. */
const messageOf = ({ code }: IndexedEntry, { error_details: error }: EntryFacts): string =>
  code === error.error_type ? error.error_message : code

export interface QueueStats {
  readonly pipeline: string
  /** That wait. */
  readonly entries: number
  readonly bytes: number
  readonly resolved: number
  readonly dropped: number
  readonly oldest: string | null
  /** Share of the limit that is reached first, from 0; null before a run has written. */
  readonly fill: number | null
  /** The entries that wait, by cause, most first. */
  readonly causes: readonly {
    readonly category: string
    readonly code: string
    readonly stage: string
    readonly entries: number
    readonly first: string
    readonly last: string
  }[]
}

export function statsOf(pipeline: string, state: QueueState, filter: EntryFilter): QueueStats {
  const all = selectEntries(state, filter)
  const waiting = all.filter((entry) => entry.state === 'pending')
  const causes = new Map<string, { entry: IndexedEntry; entries: number; firstMs: number; lastMs: number }>()
  for (const entry of waiting) {
    const key = `${entry.category} ${entry.code} ${entry.stage}`
    const cause = causes.get(key) ?? { entry, entries: 0, firstMs: entry.firstMs, lastMs: entry.lastMs }
    cause.entries++
    cause.firstMs = Math.min(cause.firstMs, entry.firstMs)
    cause.lastMs = Math.max(cause.lastMs, entry.lastMs)
    causes.set(key, cause)
  }
  const oldest = waiting.reduce((least, { firstMs }) => Math.min(least, firstMs), Number.POSITIVE_INFINITY)
  const { limits } = state
  const pending = selectEntries(state, { state: 'pending' })
  const pendingBytes = pending.reduce((sum, { bytes }) => sum + bytes, 0)
  const fill =
    limits === undefined ? null : Math.max(pending.length / limits.max_entries, pendingBytes / limits.max_bytes)
  return {
    pipeline,
    entries: waiting.length,
    bytes: waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    resolved: all.length - waiting.length,
    dropped: state.dropped,
    fill,
    oldest: oldest === Number.POSITIVE_INFINITY ? null : isoOf(oldest * 1000),
    causes: [...causes.values()]
      .sort((a, b) => b.entries - a.entries)
      .map(({ entry: { category, code, stage }, entries, firstMs, lastMs }) => ({
        category,
        code,
        stage,
        entries,
        first: isoOf(firstMs * 1000),
        last: isoOf(lastMs * 1000),
      })),
  }
}
