import type { Sink, SinkLedger, SinkReject } from '../../connectors/contract.ts'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { Random } from '../../core/random.ts'
import { BackOff, RETRY_DEFAULTS } from '../../core/retry.ts'
import type { Checksum } from '../../log/frame.ts'
import type { LogFiles } from '../../log/log-files.ts'
import type { DurablePlace } from '../connector-context.ts'
import type { DeadLetter, DeadLetters } from '../dead-letters.ts'
import type { DeadLetterQueue, LetterRun, QueueWait } from '../letter-queue.ts'
import type { DueEntry } from './due-entry.ts'
import { type EntryRun, entryId, entryOf, errorDetails, isoOf } from './entry.ts'
import { entryAt, lineageOf, runLabel, signatureOf } from './queue-folder.ts'
import { QueueIndex } from './queue-index.ts'
import { QueueLog } from './queue-log.ts'
import { type QueueState, readQueue } from './queue-state.ts'
import { type Change, type Commit, encodeEntry, encodeRecord, KIND } from './records.ts'
import { nextRetryMs } from './schedule.ts'
import { overflowOf, type QueueSettings, scheduleOf } from './settings.ts'
import { sweepQueue } from './sweep.ts'

export interface FileQueueForm {
  /** `<data_dir>/dlq/<pipeline>`. */
  readonly directory: string
  readonly run: EntryRun
  readonly place: DurablePlace
  readonly settings: QueueSettings
  readonly letters: DeadLetters
  /** Given back with the queue. */
  readonly checksum: Checksum & Partial<Disposable>
  readonly clock: Clock
  readonly files?: LogFiles | undefined
  /** Ends its waits; the pipeline stops then. */
  readonly signal: AbortSignal
  /** What a user should know: it fills up, it waits, it goes on. */
  readonly onNote: (text: string) => void
}

/** What waits in memory for a flush at most. */
const FLUSH_BYTES = 4 * 1024 * 1024
const RESOLVED_MS = 7 * 86_400_000
const RETENTION_EVERY_MS = 3_600_000
const FULL = { ...RETRY_DEFAULTS, maxMs: 5000 }

interface Token {
  /** Absent: the epoch has no entries of its own. */
  readonly writer?: string | undefined
  readonly upTo?: string | undefined
}

/**
 * The dead letters of a pipeline with a name, in framed logs. Every run writes a log of its own, so that a run which was
 * replaced cannot add to what its successor reads; an entry counts once a commit of its epoch says how far its log goes.
 */
export class FileQueue implements DeadLetterQueue {
  readonly #form: FileQueueForm
  readonly #log: QueueLog
  readonly #index = new QueueIndex()
  readonly #overflow: 'block' | 'reject' | 'drop_oldest'
  /** Letters of one row and place are told apart by their order. */
  readonly #nth = new Map<string, { readonly row: string; n: number }>()
  readonly sink: Sink
  #wait: QueueWait | undefined
  #alarmed = false
  /** What the ledger was read from, until the start goes on. */
  #known: { readonly signature: string; readonly state: QueueState } | undefined
  #retainedMs = Number.NEGATIVE_INFINITY
  #written = 0n
  /** Entries that went because the queue was full. */
  dropped = 0

  constructor(form: FileQueueForm) {
    const { directory, place, run, checksum, clock, files, signal, letters } = form
    this.#form = form
    this.#overflow = overflowOf(form.settings)
    letters.queued = true
    // What a run that failed left: its rows come again.
    letters.take()
    this.#log = new QueueLog({
      directory,
      label: runLabel(place.lineage, place.incarnation),
      meta: {
        format: 1,
        pipeline: run.pipeline,
        lineage: place.lineage,
        incarnation: String(place.incarnation),
        limits: { max_entries: form.settings.max_entries, max_bytes: form.settings.max_bytes },
        schedule: scheduleOf(form.settings),
      },
      checksum,
      clock,
      files,
      signal,
      onWait: (detail) => this.#waits(detail),
    })
    this.sink = {
      write: async () => [],
      flush: async () => [],
      prepare: () => this.#prepare(),
      commit: (epoch, token) => this.#commit(epoch, token),
      ledger: (incarnation) => this.#ledger(incarnation),
      restore: () => this.#restore(),
      health: async () => ({ state: this.#wait === undefined ? 'healthy' : 'unhealthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** What the pipeline waits for, if it does. */
  get wait(): QueueWait | undefined {
    return this.#wait
  }

  get fill(): { readonly entries: number; readonly bytes: number; readonly share: number } {
    const { max_entries: most, max_bytes: mostBytes } = this.#form.settings
    const { entries, bytes } = this.#index
    return { entries, bytes, share: Math.max(entries / most, bytes / mostBytes) }
  }

  #waits(detail: string | undefined): void {
    const { clock, onNote } = this.#form
    if (detail === undefined) {
      if (this.#wait !== undefined) onNote('dead letters are taken again: the pipeline goes on')
      this.#wait = undefined
      return
    }
    if (this.#wait === undefined) onNote(`the pipeline waits: ${detail}`)
    this.#wait = { detail, sinceMs: this.#wait?.sinceMs ?? clock.elapsedMs() }
  }

  /** What came since the last call becomes part of the epoch at hand; waits when there is no room. */
  async write(run: LetterRun): Promise<void> {
    for (const letter of this.#form.letters.take()) await this.add(letter, run.nowMicros)
    if (this.#log.waitingBytes >= FLUSH_BYTES) await this.#log.flush()
  }

  async add(letter: DeadLetter, nowMicros: number): Promise<void> {
    const { run } = this.#form
    const id = entryId(letter, run, this.#nthOf(letter))
    if (this.#index.has(id)) {
      this.change({ id, at: isoOf(nowMicros), to: 'pending', by: 'run', error: errorDetails(letter) })
      return
    }
    const { facts, bytes } = entryOf(letter, run, { id, nowMicros })
    const payload = encodeEntry(facts, bytes)
    await this.#makeRoom(payload.length, nowMicros)
    this.#log.append(KIND.entry, payload)
    const { error_category: category } = facts.error_details
    this.#index.add(id, { bytes: payload.length, firstMs: nowMicros / 1000, category })
    this.#alarm()
  }

  /** What became of an entry, as part of the epoch at hand. */
  change(change: Change): void {
    this.#log.append(KIND.change, encodeRecord(change))
    if (change.to === 'purged') this.#index.remove(change.id)
    else if (change.to === 'resolved') this.#index.resolve(change.id)
    else this.#index.reopen(change.id, change.error?.error_category)
  }

  /** Entries of this lineage whose time has come, the oldest first; another lineage reads their rows itself. */
  async due(nowMs: number): Promise<readonly DueEntry[]> {
    if (this.#index.transient.size === 0) return []
    const { directory, checksum, place, settings } = this.#form
    await this.#log.flush()
    const { entries } = readQueue(directory, checksum, this.#log.name)
    const schedule = scheduleOf(settings)
    const due = [...entries.values()].filter((entry) => {
      const at = this.#index.transient.has(entry.id) ? nextRetryMs(entry, schedule) : undefined
      return at !== undefined && at <= nowMs && lineageOf(entry.writer) === place.lineage
    })
    return due.slice(0, settings.batch_size).map((entry) => ({
      entry,
      ...entryAt(entry.writer, entry.place, checksum),
    }))
  }

  /** The entry does not run again by itself. */
  waive(id: string): void {
    this.#index.transient.delete(id)
  }

  #nthOf({ source, split, ordinal, stage, sqlPosition, sink }: DeadLetter): number {
    if (ordinal === undefined) return 0
    const place = `${stage} ${sqlPosition} ${sink}`
    const row = `${source} ${split} ${ordinal}`
    const last = this.#nth.get(place)
    if (last?.row === row) return ++last.n
    this.#nth.set(place, { row, n: 0 })
    return 0
  }

  async #makeRoom(bytes: number, nowMicros: number): Promise<void> {
    const { settings, clock, signal, directory } = this.#form
    if (!this.#isFull(bytes)) return
    if (this.#overflow === 'reject') throw full(directory, `dlq.overflow = 'reject': the epoch fails`)
    if (this.#overflow === 'drop_oldest') {
      for (let id = this.#index.oldest(); id !== undefined && this.#isFull(bytes); id = this.#index.oldest()) {
        this.change({ id, at: isoOf(nowMicros), to: 'purged', by: 'overflow' })
        if (this.dropped++ === 0) this.#form.onNote(`dead letters are full: the oldest ones are dropped`)
      }
      return
    }
    const limit = this.#index.entries >= settings.max_entries ? 'max_entries' : 'max_bytes'
    const backOff = new BackOff(FULL, new Random(0))
    let seen = ''
    while (this.#isFull(bytes)) {
      this.#waits(`the dead letters are full (dlq.${limit} = ${settings[limit]}): purge some, or raise the limit`)
      const signature = signatureOf(directory, this.#log.name)
      if (signature !== seen) {
        seen = signature
        await this.#log.flush()
        this.#index.load(readQueue(directory, this.#form.checksum, this.#log.name))
        continue
      }
      await clock.sleep(backOff.next(), signal)
      if (signal.aborted) throw full(directory, 'stopped while the pipeline waited for room')
    }
    this.#waits(undefined)
  }

  /** An entry that is larger than everything is taken when nothing else waits. */
  #isFull(bytes: number): boolean {
    const { max_entries: most, max_bytes: mostBytes } = this.#form.settings
    const { entries, bytes: held } = this.#index
    return entries > 0 && (entries >= most || held + bytes > mostBytes)
  }

  #alarm(): void {
    const { settings, onNote } = this.#form
    const { share, entries } = this.fill
    if (share < settings.alert_threshold) this.#alarmed = false
    else if (!this.#alarmed) {
      this.#alarmed = true
      onNote(`dead letters: ${entries} wait, ${Math.floor(100 * share)} % of the limit`)
    }
  }

  async #prepare(): Promise<Uint8Array> {
    this.#retain()
    // Everything up to here belongs to the epoch; what comes while it is flushed does not.
    const upTo = this.#log.nextSequence
    if (upTo === 1n || upTo === this.#written) return encodeToken({})
    await this.#log.flush()
    this.#written = upTo
    return encodeToken({ writer: this.#log.name, upTo: String(upTo) })
  }

  async #commit(epoch: bigint, bytes: Uint8Array): Promise<readonly SinkReject[]> {
    const { writer, upTo } = decodeToken(bytes)
    if (writer === undefined || upTo === undefined) return []
    const { lineage } = this.#form.place
    const commit: Commit = { lineage, epoch: String(epoch), writer, upTo }
    const next = this.#log.append(KIND.commit, encodeRecord(commit)) + 1n
    // The commit itself is no news for the next epoch, when nothing came before it.
    if (this.#written === next - 1n) this.#written = next
    await this.#log.flush()
    return []
  }

  async #ledger(incarnation: bigint): Promise<SinkLedger> {
    const { directory, checksum, place } = this.#form
    const signature = signatureOf(directory, undefined)
    const state = readQueue(directory, checksum)
    this.#known = { signature, state }
    const { epochs } = state
    return { epoch: epochs.get(place.lineage) ?? 0n, incarnation }
  }

  /** After the epoch that is gone on from is committed: what earlier runs wrote beyond it does not count. */
  async #restore(): Promise<void> {
    const { directory, checksum } = this.#form
    const known = this.#known
    this.#known = undefined
    // A start has just read it for the ledger: a million entries are read once.
    const isKnown = this.#log.name === undefined && known?.signature === signatureOf(directory, undefined)
    const state = isKnown ? known!.state : readQueue(directory, checksum, this.#log.name)
    sweepQueue(state)
    this.#index.load(state)
    this.#alarm()
  }

  /** Entries that are too old go, once an hour. */
  #retain(): void {
    const { clock, settings } = this.#form
    const elapsed = clock.elapsedMs()
    if (settings.retention === undefined || elapsed - this.#retainedMs < RETENTION_EVERY_MS) return
    this.#retainedMs = elapsed
    const nowMicros = clock.nowMicros()
    const waitingMs = nowMicros / 1000 - settings.retention
    const resolvedMs = nowMicros / 1000 - Math.min(settings.retention, RESOLVED_MS)
    for (const id of [...this.#index.olderThan({ waitingMs, resolvedMs })]) {
      this.change({ id, at: isoOf(nowMicros), to: 'purged', by: 'retention' })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log[Symbol.asyncDispose]()
    this.#form.checksum[Symbol.dispose]?.()
  }
}

const encodeToken = (token: Token): Uint8Array => Buffer.from(JSON.stringify(token))
const decodeToken = (bytes: Uint8Array): Token =>
  bytes.length === 0 ? {} : (JSON.parse(Buffer.from(bytes).toString()) as Token)

const full = (directory: string, why: string): HeadraceError =>
  new HeadraceError('dlq_full', `the dead letters in "${directory}" are full: ${why}`, {
    hint: 'headrace dlq purge or replay makes room; or raise dlq.max_entries, dlq.max_bytes',
  })
