import { HeadraceError } from '../../core/errors.ts'
import type { Checksum } from '../../log/frame.ts'
import type { LogPlace } from '../../log/read-log.ts'
import { recordsOf, type Writer, writersOf } from './queue-folder.ts'
import {
  type Change,
  type Commit,
  decodeEntry,
  decodeRecord,
  KIND,
  type QueueLimits,
  type WriterMeta,
} from './records.ts'
import type { Schedule } from './schedule.ts'

export type EntryState = 'pending' | 'resolved'

/** An entry as the index of a queue has it: what lists and limits need, not its bytes. */
export interface IndexedEntry {
  readonly id: string
  readonly writer: Writer
  readonly place: LogPlace
  /** Of its record. */
  readonly bytes: number
  /** The last record about it. */
  seen: { readonly writer: string; readonly sequence: bigint }
  state: EntryState
  attempts: number
  replays: number
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly firstMs: number
  lastMs: number
  code: string
  category: string
  stage: string
  /** The epoch that it became visible with; 0 before. */
  readonly epoch: bigint
}

/** A queue as its logs tell it. */
export interface QueueState {
  readonly writers: readonly Writer[]
  /** In the order in which they came. */
  readonly entries: Map<string, IndexedEntry>
  /** By lineage: the last epoch that was committed. */
  readonly epochs: ReadonlyMap<string, bigint>
  /** Entries that were dropped because the queue was full. */
  readonly dropped: number
  /** Of the last run that wrote. */
  readonly limits: QueueLimits | undefined
  readonly schedule: Schedule | undefined
}

type Read =
  | { readonly kind: 'entry'; readonly sequence: bigint; readonly entry: Omit<IndexedEntry, 'epoch' | 'seen'> }
  | { readonly kind: 'change'; readonly sequence: bigint; readonly change: Change }

/** Equal texts of many records are kept once. */
class Texts {
  readonly #known = new Map<string, string>()

  one(text: string): string {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    this.#known.set(text, text)
    return text
  }
}

/**
 * Reads the logs of a queue, also while a pipeline writes. What counts are the records of committed epochs, and all of
 * `own`: the writer that asks for itself.
 */
export function readQueue(directory: string, checksum: Checksum, own?: string): QueueState {
  const writers = writersOf(directory)
  const texts = new Texts()
  const commits = new Map<string, { readonly upTo: bigint; readonly epoch: bigint }[]>()
  const epochs = new Map<string, bigint>()
  const reads = new Map<Writer, Read[]>()
  let limits: QueueLimits | undefined
  let schedule: Schedule | undefined
  for (const writer of writers) {
    const read: Read[] = []
    reads.set(writer, read)
    for (const { kind, payload, sequence, segment, offset } of recordsOf(writer, checksum)) {
      if (kind === KIND.entry) {
        const place = { segment, offset }
        read.push({ kind: 'entry', sequence, entry: entryOf(payload, { writer, place }, texts) })
      } else if (kind === KIND.change) read.push({ kind: 'change', sequence, change: decodeRecord<Change>(payload) })
      else if (kind === KIND.commit) {
        const { lineage, epoch, writer: of, upTo } = decodeRecord<Commit>(payload)
        const list = commits.get(of) ?? []
        list.push({ upTo: BigInt(upTo), epoch: BigInt(epoch) })
        commits.set(of, list)
        if (BigInt(epoch) > (epochs.get(lineage) ?? 0n)) epochs.set(lineage, BigInt(epoch))
      } else if (kind === KIND.meta) {
        const meta = decodeRecord<WriterMeta>(payload)
        checkFormat(meta, writer)
        limits = meta.limits ?? limits
        schedule = meta.schedule ?? schedule
      }
    }
  }
  const entries = new Map<string, IndexedEntry>()
  let dropped = 0
  for (const [writer, read] of reads) {
    const upTo = (commits.get(writer.name) ?? []).toSorted((a, b) => Number(a.upTo - b.upTo))
    const end = writer.name === own ? undefined : (upTo.at(-1)?.upTo ?? 0n)
    for (const one of read) {
      if (end !== undefined && one.sequence >= end) break
      if (one.kind === 'entry') {
        const epoch = upTo.find((commit) => commit.upTo > one.sequence)?.epoch ?? 0n
        addEntry(entries, { ...one.entry, epoch, seen: { writer: writer.name, sequence: one.sequence } })
      } else if (applyChange(entries, one.change, { writer: writer.name, sequence: one.sequence })) dropped++
    }
  }
  return { writers, entries, epochs, dropped, limits, schedule }
}

function entryOf(
  payload: Uint8Array,
  at: { readonly writer: Writer; readonly place: LogPlace },
  texts: Texts,
): Omit<IndexedEntry, 'epoch' | 'seen'> {
  const { facts } = decodeEntry(payload)
  const { error_type: code, error_category: category, stage } = facts.error_details
  const ms = Date.parse(facts.metadata.dlq_timestamp)
  return {
    id: facts.id,
    ...at,
    bytes: payload.length,
    state: 'pending',
    attempts: 1,
    replays: 0,
    firstMs: ms,
    lastMs: ms,
    code: texts.one(code),
    category: texts.one(category),
    stage: texts.one(stage),
  }
}

function addEntry(entries: Map<string, IndexedEntry>, entry: IndexedEntry): void {
  const known = entries.get(entry.id)
  if (known === undefined) entries.set(entry.id, entry)
  else {
    known.state = 'pending'
    known.attempts++
    known.lastMs = entry.lastMs
    known.seen = entry.seen
  }
}

/** True when the entry was dropped because the queue was full. */
export function applyChange(entries: Map<string, IndexedEntry>, change: Change, seen: IndexedEntry['seen']): boolean {
  const entry = entries.get(change.id)
  if (entry === undefined) return false
  if (change.to === 'purged') {
    const { seen: meant } = change
    const isLater = meant !== undefined && isBehind(entry.seen, { ...meant, sequence: BigInt(meant.sequence) })
    if (isLater) return false
    entries.delete(change.id)
    return change.by === 'overflow'
  }
  entry.state = change.to
  entry.lastMs = Date.parse(change.at)
  entry.attempts++
  entry.seen = seen
  if (change.by === 'replay') entry.replays++
  if (change.error !== undefined) {
    entry.code = change.error.error_type
    entry.category = change.error.error_category
    entry.stage = change.error.stage
  }
  return false
}

/** Names of writers begin with their number: they compare as text. */
const isBehind = (a: IndexedEntry['seen'], b: IndexedEntry['seen']): boolean =>
  a.writer === b.writer ? a.sequence > b.sequence : a.writer > b.writer

function checkFormat({ format }: WriterMeta, { directory }: Writer): void {
  if (format === 1) return
  throw new HeadraceError('connector_data_corrupt', `"${directory}" has format ${String(format)}, not 1`, {
    hint: 'it was written by a newer version: start that one',
  })
}
