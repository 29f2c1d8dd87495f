import type { Checksum } from '../../log/frame.ts'
import { checkBytes, type EntryFacts, type ErrorDetails, isoOf } from './entry.ts'
import { entryAt, recordsOf } from './queue-folder.ts'
import type { IndexedEntry, QueueState } from './queue-state.ts'
import { type Change, decodeEntry, decodeRecord, KIND } from './records.ts'
import { nextRetryMs, stateOf } from './schedule.ts'

/** An entry with all its parts (resilience.md §6). */
export interface WholeEntry {
  readonly id: string
  readonly original_message: EntryFacts['original_message']
  /** Of the last failure. */
  readonly error_details: ErrorDetails
  readonly retry_info: {
    readonly attempt_count: number
    readonly first_failure: string
    readonly last_attempt: string
    readonly next_retry: string | null
    readonly retry_history: readonly { readonly attempt: number; readonly timestamp: string; readonly error: string }[]
    readonly replay_count: number
    readonly state: string
  }
  readonly metadata: EntryFacts['metadata'] & { readonly epoch: string }
}

const HISTORY = 20

/** Reads an entry, what became of it, and the bytes of its original, whose digest is checked. */
export function wholeEntry(
  { writers, schedule }: QueueState,
  entry: IndexedEntry,
  checksum: Checksum,
): { readonly parts: WholeEntry; readonly bytes: Uint8Array } {
  const { facts, bytes } = entryAt(entry.writer, entry.place, checksum)
  checkBytes(facts, bytes)
  const attempts: { timestamp: string; error: string }[] = []
  let error = facts.error_details
  const attempt = (timestamp: string, details: ErrorDetails | undefined): void => {
    if (details !== undefined) error = details
    attempts.push({ timestamp, error: details?.error_type ?? 'none' })
  }
  for (const writer of writers) {
    // What is not behind the last record that counts.
    if (writer.name > entry.seen.writer) break
    for (const { kind, payload, sequence } of recordsOf(writer, checksum)) {
      if (writer.name === entry.seen.writer && sequence > entry.seen.sequence) break
      if (kind === KIND.entry) {
        const other = decodeEntry(payload).facts
        if (other.id === entry.id) attempt(other.metadata.dlq_timestamp, other.error_details)
      } else if (kind === KIND.change) {
        const change = decodeRecord<Change>(payload)
        if (change.id === entry.id && change.to !== 'purged') attempt(change.at, change.error)
      }
    }
  }
  const history = attempts.map((one, i) => ({ attempt: i + 1, ...one })).slice(-HISTORY)
  const next = nextRetryMs(entry, schedule)
  const parts: WholeEntry = {
    id: facts.id,
    original_message: facts.original_message,
    error_details: error,
    retry_info: {
      attempt_count: entry.attempts,
      first_failure: isoOf(entry.firstMs * 1000),
      last_attempt: isoOf(entry.lastMs * 1000),
      next_retry: next === undefined ? null : isoOf(next * 1000),
      retry_history: history,
      replay_count: entry.replays,
      state: stateOf(entry, schedule),
    },
    metadata: { ...facts.metadata, epoch: String(entry.epoch) },
  }
  return { parts, bytes }
}
