import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../core/clock.ts'
import { AppendLog, type SegmentFacts } from '../../log/append-log.ts'
import type { Checksum } from '../../log/frame.ts'
import { type LogFiles, systemFiles } from '../../log/log-files.ts'
import { type PlacedRecord, segmentName } from '../../log/segment.ts'
import type { Entry } from '../entries.ts'
import { ServiceUnavailableError } from '../errors.ts'
import { type LogName, TableStore, type TableStoreOptions } from '../table-store.ts'
import type { BlockPlace } from './block-index.ts'
import { ByteWriter, forgetSeen } from './bytes.ts'
import { GROUP, readEntries, type StoredEntry, writeEntries } from './entry-codec.ts'
import { makeDurableFolder } from './folders.ts'
import { IndexedShelf } from './indexed-shelf.ts'
import { RecordCache } from './record-cache.ts'
import { rewriteSegment } from './rewrite-segment.ts'
import { SegmentUse } from './segment-use.ts'
import { encodeSnapshot, fitsFiles, type LoadedSnapshot, loadSnapshot, writeSnapshot } from './snapshot.ts'
import { dataEntries, metaEntries } from './state-entries.ts'
import { StoreLock } from './store-lock.ts'

export interface EmbeddedStoreOptions extends TableStoreOptions {
  /** `<data_dir>/streams`; one process at a time has it open. */
  readonly directory: string
  readonly checksum: Checksum
  /** `commit` (default): what resolves is on disk. `relaxed`: it is written, and on disk 50 ms later. */
  readonly durability?: 'commit' | 'relaxed' | undefined
  readonly segmentBytes?: number | undefined
  /** Bytes of frames after which the index is kept anew; a start reads no more than that. */
  readonly snapshotBytes?: number | undefined
  readonly clock?: Clock | undefined
  readonly files?: LogFiles | undefined
}

interface OpenLogs {
  readonly lock: StoreLock
  readonly meta: AppendLog
  readonly data: AppendLog
}

/** Where an entry was found; undefined: in the snapshot. */
interface StoredRecord {
  readonly log: LogName
  readonly segment: number
  readonly offset: number
  readonly payload: Uint8Array
}

const RELAXED_MS = 50
const SNAPSHOT_BYTES = 16 * 1024 * 1024
/** A smaller segment is not worth rewriting. */
const SPARSE_BYTES_MIN = 64 * 1024

/**
 * Streams in two logs of a folder (streams-service.md §9): `meta/` has definitions, `data/` frames and what is committed
 * with them. One commit is one record, so that it is there as a whole or not at all. Frames are bytes on disk; in memory
 * is an index of their blocks, of which `index.snap` keeps a copy for the next start.
 */
export class EmbeddedStore extends TableStore<BlockPlace> {
  readonly immediate = false
  readonly durability: 'commit' | 'relaxed'
  readonly #options: EmbeddedStoreOptions
  readonly #clock: Clock
  readonly #files: LogFiles
  readonly #writer = new ByteWriter()
  readonly #use = new SegmentUse()
  readonly #cache: RecordCache
  #open: OpenLogs | undefined
  #failure: string | undefined
  #unflushed: Promise<void> | undefined
  #sinceSnapshot = 0
  /** Of the last one: not more is written for the index than for what it is of. */
  #snapshotSize = 0
  /** Grows with every segment that is rewritten. */
  #layout = 0
  /** Changes of streams that the data log has and the definitions have not, when the store was opened. */
  readonly #found: Entry[] = []
  #snapshotting: Promise<void> | undefined
  /** Bytes of a torn tail that were cut off when the store was opened. */
  repairedBytes = 0

  constructor(options: EmbeddedStoreOptions) {
    super(
      options,
      (stream) =>
        new IndexedShelf(stream.accountId, this.#cache, (segment, bytes, frames) =>
          this.#use.add(segment, bytes, frames),
        ),
    )
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#files = options.files ?? systemFiles
    this.durability = options.durability ?? 'commit'
    const pathOf = (segment: number): string => join(options.directory, 'data', segmentName(BigInt(segment)))
    this.#cache = new RecordCache(pathOf, options.checksum)
  }

  async migrate(): Promise<void> {
    if (this.#open !== undefined) return
    const { directory, checksum, segmentBytes } = this.#options
    const files = this.#files
    makeDurableFolder(directory, files)
    const lock = StoreLock.take(join(directory, 'LOCK'))
    try {
      const [metaFolder, dataFolder] = [join(directory, 'meta'), join(directory, 'data')]
      for (const folder of [metaFolder, dataFolder]) makeDurableFolder(folder, files)
      const shared = { checksum, segmentBytes, files, refusesDamage: this.durability === 'commit' }
      const meta = AppendLog.open({
        ...shared,
        directory: metaFolder,
        prelude: () => this.#prelude(metaEntries(this.tables)),
        visit: (record) => this.#replayRecord(record, 'meta'),
      })
      const data = this.#openData(dataFolder, this.#usableSnapshot(dataFolder))
      this.repairedBytes = meta.repairedBytes + data.repairedBytes
      this.#open = { lock, meta, data }
      this.#define(this.#found)
      forgetSeen()
    } catch (error) {
      lock[Symbol.dispose]()
      throw error
    }
  }

  #openData(directory: string, snapshot: LoadedSnapshot | undefined): AppendLog {
    const { checksum, segmentBytes } = this.#options
    if (snapshot !== undefined) this.#load(snapshot)
    return AppendLog.open({
      directory,
      checksum,
      segmentBytes,
      files: this.#files,
      refusesDamage: this.durability === 'commit',
      known: snapshot?.segments,
      prelude: () => this.#prelude(dataEntries(this.tables)),
      visit: (record) => {
        this.#sinceSnapshot += record.payload.length
        this.#replayRecord(record, 'data')
      },
    })
  }

  #usableSnapshot(directory: string): LoadedSnapshot | undefined {
    const snapshot = loadSnapshot(this.#snapshotPath, this.#options.checksum)
    const sizeOf = (segment: bigint): number | undefined =>
      statSync(join(directory, segmentName(segment)), { throwIfNoEntry: false })?.size
    return snapshot !== undefined && fitsFiles(snapshot, sizeOf) ? snapshot : undefined
  }

  #load({ shelves, entries }: LoadedSnapshot): void {
    for (const [streamId, load] of shelves) {
      const shelf = this.tables.streams.get(streamId)?.shelf
      if (shelf !== undefined) load(shelf as IndexedShelf)
    }
    for (const entry of entries) {
      if (entry.kind !== 'shelf') this.#replay(entry, undefined)
      else (this.tables.streams.get(entry.streamId)?.shelf as IndexedShelf | undefined)?.loadState(entry.state)
    }
  }

  #replayRecord({ kind, payload, segment, offset }: PlacedRecord, log: LogName): void {
    if (kind !== GROUP) return
    const place = { log, segment: Number(segment), offset, payload }
    for (const entry of readEntries(payload)) this.#replay(entry, place)
  }

  #replay(entry: StoredEntry, record: StoredRecord | undefined): void {
    const isDefinition = record?.log === 'meta'
    if (entry.kind === 'frames') {
      const { head, inner } = entry
      const shelf = this.tables.streams.get(head.streamId)?.shelf as IndexedShelf | undefined
      if (shelf === undefined || record === undefined) return
      const { segment, offset, payload } = record
      // A copy: the bytes are part of a whole segment.
      if (head.outOfOrder > 0) this.#cache.put(segment, offset, payload.slice())
      shelf.pushHead(head, { segment, offset, inner })
      return
    }
    if (entry.kind === 'stream') {
      const known = this.tables.streams.get(entry.stream.id)
      // An activation was committed with its frames; the definitions may know a later change, or the deletion.
      if (known === undefined ? !isDefinition : known.stream.version >= entry.stream.version) return
      if (!isDefinition) this.#found.push(entry)
    }
    if (entry.kind === 'idempotency' && record !== undefined) this.#use.keep(record.segment, entry.entry.expiresAt)
    this.tables.apply(entry, NO_PLACE)
  }

  #prelude(entries: Iterable<Entry>): readonly { readonly kind: number; readonly payload: Uint8Array }[] {
    const writer = new ByteWriter()
    writeEntries(writer, [...entries])
    return writer.length === 0 ? [] : [{ kind: GROUP, payload: writer.bytes }]
  }

  async health(): Promise<{ readonly ok: boolean; readonly detail: string }> {
    if (this.#open === undefined) return { ok: false, detail: 'the store is not open' }
    if (this.#failure !== undefined) return { ok: false, detail: this.#failure }
    return { ok: true, detail: `${this.tables.streams.size} streams in "${this.#options.directory}"` }
  }

  protected async keep(name: LogName, entries: readonly Entry[]): Promise<readonly BlockPlace[]> {
    const logs = this.#logs()
    const log = logs[name]
    // Another process may have opened the store by now: what it writes would be written over.
    if (!logs.lock.isHeld()) this.#failure = LOCK_GONE
    if (this.#failure === LOCK_GONE) throw new ServiceUnavailableError('the store was taken away', { cause: LOCK_GONE })
    this.#writer.reset()
    const bodies = writeEntries(this.#writer, entries)
    try {
      const { segment, offset, payload } = log.write(GROUP, this.#writer.bytes)
      if (name === 'meta') {
        await log.flush()
        trimMeta(log)
        if (this.durability === 'commit') this.#failure = undefined
        return []
      }
      await this.#flushData()
      const place = { segment: Number(segment), offset }
      this.#cache.put(place.segment, offset, payload)
      this.#afterData(entries, place.segment, payload.length)
      return bodies.map((inner) => ({ ...place, inner }))
    } catch (error) {
      this.#failure = (error as Error).message
      throw new ServiceUnavailableError('the store cannot write', { cause: this.#failure })
    }
  }

  async #flushData(): Promise<void> {
    const { data } = this.#logs()
    if (this.durability === 'commit') {
      await data.flush()
      this.#failure = undefined
      return
    }
    // What was answered and then lost cannot be taken back: the store takes nothing more.
    if (this.#failure !== undefined) throw new Error(this.#failure)
    this.#unflushed ??= this.#clock
      .sleep(RELAXED_MS)
      .then(() => {
        this.#unflushed = undefined
        return data.flush()
      })
      .catch((error: unknown) => {
        this.#failure = (error as Error).message
      })
  }

  #afterData(entries: readonly Entry[], segment: number, bytes: number): void {
    for (const entry of entries) {
      if (entry.kind === 'idempotency') this.#use.keep(segment, entry.entry.expiresAt)
    }
    this.#define(entries.filter(({ kind }) => kind === 'stream'))
    this.#sinceSnapshot += bytes
    // Also when it fails: it is tried again after as much more.
    if (this.#sinceSnapshot >= Math.max(this.#options.snapshotBytes ?? SNAPSHOT_BYTES, this.#snapshotSize)) {
      this.#sinceSnapshot = 0
      this.#snapshotting ??= this.#snapshot()
        .catch(() => {
          // The next start reads more of the log.
        })
        .finally(() => {
          this.#snapshotting = undefined
        })
    }
  }

  /**
   * Definitions must be complete without the data log, whose segments go. They are on disk there: here they are with the
   * next flush, and before a segment goes.
   */
  #define(entries: readonly Entry[]): void {
    if (entries.length === 0) return
    const writer = new ByteWriter()
    writeEntries(writer, entries)
    this.#logs().meta.append(GROUP, writer.bytes)
  }

  /** Between two commits, so that index and log agree. */
  async #snapshot(): Promise<void> {
    const { meta, data } = this.#logs()
    let layout = -1
    const bytes = await this.turns.run(async () => {
      await meta.flush()
      await data.flush()
      const shelves = new Map([...this.entries()].map(({ stream, shelf }) => [stream.id, shelf as IndexedShelf]))
      const answers = [...this.tables.idempotency.entries].map((entry): Entry => ({ kind: 'idempotency', entry }))
      const entries = [...dataEntries(this.tables), ...answers]
      this.#sinceSnapshot = 0
      layout = this.#layout
      return encodeSnapshot({ segments: data.segments, entries, shelves }, this.#options.checksum)
    })
    this.#snapshotSize = bytes.length
    const { publish, discard } = await writeSnapshot(this.#snapshotPath, bytes)
    await this.turns.run(async () => {
      // A segment that was rewritten meanwhile has other places than these.
      if (layout !== this.#layout || !this.#logs().lock.isHeld()) return discard()
      publish()
      this.#files.syncDirectory(this.#options.directory)
    })
  }

  /** Notes of keys that were used, and segments that are needed no more, or hardly. */
  async maintain(now: number): Promise<void> {
    if (!this.#logs().lock.isHeld()) return
    await this.turns.run(() => this.keepTouched())
    this.tables.idempotency.expire(now)
    await this.#trim(now)
    for (const segment of this.#logs().data.segments.slice(0, -1)) await this.#rewriteSparse(segment, now)
  }

  async #trim(now: number): Promise<void> {
    const { meta, data } = this.#logs()
    const needed = data.segments.find(({ number }) => !this.#use.isDead(Number(number), now))
    const dead = data.segments.filter(({ number }) => needed === undefined || number < needed.number)
    if (dead.length === 0 || data.segments.length === 1) return
    await this.turns.run(async () => {
      await meta.flush()
      data.trim(needed?.firstSequence ?? data.nextSequence)
      const left = new Set(data.segments.map(({ number }) => number))
      for (const { number } of dead) if (!left.has(number)) this.#forget(Number(number))
    })
  }

  async #rewriteSparse({ number, bytes }: SegmentFacts, now: number): Promise<void> {
    const segment = Number(number)
    if (bytes < SPARSE_BYTES_MIN || !this.#use.isSparse(segment, bytes)) return
    const { meta, data } = this.#logs()
    const path = data.pathOf(number)
    const isNeeded = (streamId: string, last: bigint): boolean => {
      const shelf = this.tables.streams.get(streamId)?.shelf
      return shelf !== undefined && last > shelf.cutPosition
    }
    const rewritten = await rewriteSegment(path, data.placesOf(number), {
      checksum: this.#options.checksum,
      isNeeded,
      now,
    })
    await this.#snapshotting
    await this.turns.run(async () => {
      await meta.flush()
      this.#layout++
      // Its places are those of the file that goes.
      rmSync(this.#snapshotPath, { force: true })
      this.#files.syncDirectory(this.#options.directory)
      rewritten.publish()
      this.#files.syncDirectory(join(this.#options.directory, 'data'))
      data.replaced(number, rewritten.bytes)
      this.#cache.forget(segment)
      for (const { streamId, position, offset, inner } of rewritten.blocks) {
        const shelf = this.tables.streams.get(streamId)?.shelf as IndexedShelf | undefined
        shelf?.blocks.move(Number(position), { segment, offset, inner })
      }
      this.#use.rewritten(segment)
    })
    await this.#snapshot()
  }

  #forget(segment: number): void {
    this.#use.forget(segment)
    this.#cache.forget(segment)
  }

  async close(): Promise<void> {
    if (this.#open === undefined) return
    const { lock, meta, data } = this.#open
    try {
      await this.turns.run(() => this.keepTouched())
      await this.#unflushed
      await this.#snapshotting
      if (this.#failure === undefined) await this.#snapshot()
      await meta[Symbol.asyncDispose]()
      await data[Symbol.asyncDispose]()
    } finally {
      this.#open = undefined
      this.#cache.close()
      lock[Symbol.dispose]()
    }
  }

  get #snapshotPath(): string {
    return join(this.#options.directory, 'index.snap')
  }

  #logs(): OpenLogs {
    if (this.#open === undefined) throw new ServiceUnavailableError('the store is not open')
    return this.#open
  }
}

const LOCK_GONE = 'its lock is gone: another process may have the store open'
const NO_PLACE: BlockPlace = { segment: 0, offset: 0, inner: 0 }

/** A new segment begins with all definitions: those before it say nothing more. */
function trimMeta(log: AppendLog): void {
  const { segments } = log
  if (segments.length > 1) log.trim(segments.at(-1)!.firstSequence)
}
