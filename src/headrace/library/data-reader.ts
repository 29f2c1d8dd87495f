import type { Source, SourceItem } from '../../connectors/contract.ts'
import { ordinalOf, recordOf } from '../../core/batch.ts'
import type { Clock } from '../../core/clock.ts'
import type { ErrorCode } from '../../core/error-kinds.ts'
import type { OptionNames } from '../../core/option-names.ts'
import { rowAt } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import type { Endpoint } from '../endpoint.ts'
import { asDataSourceError, DataSourceError, guarded, misuse, unsupported } from './errors.ts'
import {
  offsetWithin,
  parsePosition,
  parseSplitOffset,
  positionText,
  type SplitOffset,
  splitOffsetText,
} from './offsets.ts'
import { RecordFeed } from './record-feed.ts'
import { rowMaker } from './row-values.ts'
import type { Change, DataReader, ReaderOptions, RejectedRecord, StreamRecord, Waiting } from './types.ts'

/** What `createReader` takes. */
export const READER_OPTIONS: OptionNames<ReaderOptions> = {
  signal: true,
  rows: true,
  from: true,
  bytes: true,
  onReject: true,
}

export interface ReaderForm {
  /** As records name their source. */
  readonly source: string
  readonly endpoint: Endpoint
  readonly schema: Schema
  readonly clock: Clock
  open(): Promise<Source>
  onClose(): void
}

/** Rows of one item that were not handed out. */
interface Content {
  readonly records: readonly StreamRecord[]
  readonly rejects: readonly RejectedRecord[]
}

const CHANGES: readonly Change[] = ['insert', 'update_before', 'update_after', 'delete']
const WAIT_MS = 10
const NO_HEADERS: StreamRecord['headers'] = Object.freeze([])
const READ_MAX = 1024

export class EngineReader implements DataReader {
  readonly schema: Schema
  readonly supportsTransactions = false
  readonly #form: ReaderForm
  readonly #options: ReaderOptions
  readonly #bounded: boolean
  readonly #eventTime: string | undefined
  readonly #maxRecords: number
  readonly #rowOf: ReturnType<typeof rowMaker>
  /** Behind what was read, by split. */
  readonly #positions = new Map<string, SplitOffset>()
  #open: { readonly source: Source; readonly feed: RecordFeed<Content> } | undefined
  #opening: Promise<{ readonly source: Source; readonly feed: RecordFeed<Content> }> | undefined
  #buffer: StreamRecord[] = []
  #at = 0
  #read = 0
  #ended = false
  #closed = false
  #tail: Promise<unknown> = Promise.resolve()
  rejected = 0

  constructor(form: ReaderForm, options: ReaderOptions) {
    const { endpoint, schema } = form
    this.#form = form
    this.#options = options
    this.schema = schema
    this.#rowOf = rowMaker(schema)
    this.#bounded = endpoint.connector.bounded?.(endpoint.options) ?? false
    this.#eventTime = endpoint.options['event_time'] as string | undefined
    this.#maxRecords = (endpoint.options['max_records'] as number | undefined) ?? Number.POSITIVE_INFINITY
    if (options.from !== undefined) this.#moveTo(options.from, undefined)
  }

  read(
    max = this.#options.rows ?? READ_MAX,
    { signal = this.#options.signal, waitMs }: Waiting & { readonly waitMs?: number | undefined } = {},
  ): Promise<readonly StreamRecord[]> {
    if (this.#closed) return Promise.reject(closed())
    return this.#serial(() => this.#readNext(max, waitMs, signal))
  }

  async #readNext(max: number, waitMs: number | undefined, signal: AbortSignal | undefined) {
    if (!(Number.isInteger(max) && max >= 1)) {
      throw misuse(
        `read(${String(max)}): records are a whole number from 1 on`,
        'read(1000), or read() for all there is',
      )
    }
    signal?.throwIfAborted()
    // It was closed behind the call.
    if (this.#closed) return []
    if (this.#at === this.#buffer.length && !this.#ended) {
      // What ends is waited for; what may go on for ever is asked what it has now.
      const wait = waitMs ?? (this.#bounded ? Number.POSITIVE_INFINITY : WAIT_MS)
      await guarded('source', () => this.#fill(wait, { signal, endsIdle: waitMs === undefined }))
    }
    const records = this.#buffer.slice(this.#at, this.#at + max)
    // All of one partition: they came with one item.
    const last = records.at(-1)
    if (last !== undefined) this.#positions.set(last.partition!, parseSplitOffset(last.offset))
    this.#at += records.length
    return records
  }

  /** `endsIdle`: what the source says of having nothing now is the answer. */
  async #fill(
    waitMs: number,
    { signal, endsIdle }: { readonly signal: AbortSignal | undefined; readonly endsIdle: boolean },
  ): Promise<void> {
    const { feed } = await this.#opened()
    for (;;) {
      const item = await feed.next(waitMs, signal)
      if (item === undefined) {
        this.#ended = feed.ended
        return
      }
      const { split, start, next, content } = item
      if (content === undefined) {
        this.#positions.set(split, { offset: next, skip: 0 })
        if (endsIdle && !this.#bounded) return
        continue
      }
      for (const reject of content.rejects) this.#reject(reject)
      const rows = content.records.length
      const left = Math.min(rows, start.skip + this.#maxRecords - this.#read)
      this.#buffer = content.records.slice(start.skip, left)
      this.#at = 0
      this.#read += this.#buffer.length
      if (this.#buffer.length === 0) this.#positions.set(split, behindEmpty(start, next, rows))
      if (this.#read >= this.#maxRecords) this.#ended = true
      if (this.#buffer.length > 0 || this.#ended) return
    }
  }

  #reject(reject: RejectedRecord): void {
    const policy = this.#form.endpoint.options['on_error']
    if (policy === 'fail') {
      throw new DataSourceError('SourceSpecific', reject.code as ErrorCode, `${reject.partition}: ${reject.detail}`, {
        hint: "on_error = 'dlq' or 'skip' goes on without the record",
      })
    }
    this.rejected++
    if (policy !== 'skip') this.#options.onReject?.(reject)
  }

  #opened(): Promise<{ readonly source: Source; readonly feed: RecordFeed<Content> }> {
    this.#opening ??= this.#openFeed()
    return this.#opening
  }

  async #openFeed(): Promise<{ readonly source: Source; readonly feed: RecordFeed<Content> }> {
    const source = await this.#form.open()
    const feed = new RecordFeed<Content>(source, {
      bounded: this.#bounded,
      positions: new Map(this.#positions),
      convert: (item, split, { offset }) => this.#convert(item, split, offset),
      clock: this.#form.clock,
    })
    this.#open = { source, feed }
    return this.#open
  }

  #convert(
    { batch, rejects = [], next }: SourceItem & { readonly kind: 'batch' },
    partition: string,
    offset: string | undefined,
  ): Content {
    const records: StreamRecord[] = []
    const provenance = batch?.provenance
    const timestamp = BigInt(provenance?.ingestMicros ?? this.#form.clock.nowMicros())
    const keepsBytes = this.#options.bytes === true && provenance !== undefined
    const rows = batch?.rows ?? 0
    const place = { start: { offset, skip: 0 }, next }
    for (let row = 0; row < rows; row++) {
      const { values, change } = rowAt(batch!, row)
      const value = this.#rowOf(values)
      const record: { -readonly [K in keyof StreamRecord]: StreamRecord[K] } = {
        source: this.#form.source,
        offset: splitOffsetText(offsetWithin(place, { done: row + 1, rows })),
        partition,
        key: null,
        value,
        headers: NO_HEADERS,
        change: CHANGES[change]!,
        timestamp,
      }
      if (provenance !== undefined) record.sequence = BigInt(ordinalOf(provenance, row))
      const time = this.#eventTime === undefined ? undefined : value[this.#eventTime]
      if (typeof time === 'bigint') record.eventTime = time
      const bytes = keepsBytes ? recordOf(provenance, row) : undefined
      if (bytes !== undefined) record.bytes = bytes
      records.push(record)
    }
    return { records, rejects: rejects.map(({ code, detail, bytes }) => ({ partition, code, detail, bytes })) }
  }

  hasMore(): boolean {
    return !this.#closed && (this.#at < this.#buffer.length || !this.#ended)
  }

  position(): string {
    return positionText(this.#positions)
  }

  /** One call after the other: `close` alone does not wait. */
  #serial<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(task)
    this.#tail = run.catch(() => undefined)
    return run
  }

  seek(offset: string, partition?: string): Promise<void> {
    return this.#serial(() => this.#seek(offset, partition))
  }

  async #seek(offset: string, partition: string | undefined): Promise<void> {
    this.#refuseClosed()
    if (this.#form.endpoint.connector.capabilities.source?.resume !== 'offset') {
      throw unsupported(`"${this.#form.source}" cannot be read from another place`, 'seek')
    }
    await this.#release()
    this.#moveTo(offset, partition)
    this.#buffer = []
    this.#at = 0
    this.#ended = false
  }

  #moveTo(offset: string, partition: string | undefined): void {
    const all = parsePosition(offset)
    if (all !== undefined) {
      this.#positions.clear()
      for (const [split, at] of all) this.#positions.set(split, at)
      return
    }
    const only = partition ?? (this.#positions.size === 1 ? [...this.#positions.keys()][0] : undefined)
    if (only === undefined) {
      throw new DataSourceError('SourceSpecific', 'connector_offset_invalid', 'the offset of one record has no place', {
        hint: 'give its partition, too: seek(record.offset, record.partition), or use position()',
      })
    }
    this.#positions.set(only, parseSplitOffset(offset))
  }

  commit(offset?: string, partition?: string): Promise<void> {
    return this.#serial(() => this.#commit(offset, partition))
  }

  async #commit(offset: string | undefined, partition: string | undefined): Promise<void> {
    this.#refuseClosed()
    const upTo = offset === undefined ? this.#positions : this.#named(offset, partition)
    const { source } = await this.#opened()
    if (source.ack === undefined) return
    // Rows behind a connector's offset that are done are told with the next one.
    const offsets = [...upTo].flatMap(([split, at]) => (at.offset === undefined ? [] : [[split, at.offset] as const]))
    await guarded('source', () => source.ack!(new Map(offsets)))
  }

  #named(offset: string, partition: string | undefined): ReadonlyMap<string, SplitOffset> {
    const all = parsePosition(offset)
    if (all !== undefined) return all
    const only = partition ?? [...this.#positions.keys()][0]
    return new Map(only === undefined ? [] : [[only, parseSplitOffset(offset)]])
  }

  async beginTransaction(): Promise<void> {
    throw this.#noTransactions()
  }

  async commitTransaction(): Promise<void> {
    throw this.#noTransactions()
  }

  async abortTransaction(): Promise<void> {
    throw this.#noTransactions()
  }

  #noTransactions(): DataSourceError {
    return unsupported(
      `reading "${this.#form.source}" has no transactions`,
      'transactions',
      'commit(offset) says what is done',
    )
  }

  #refuseClosed(): void {
    if (this.#closed) throw closed()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<StreamRecord> {
    while (this.hasMore()) yield* await this.read(undefined, { waitMs: Number.POSITIVE_INFINITY })
  }

  async #release(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    this.#open = undefined
    const open = await opening?.catch(() => undefined)
    if (open === undefined) return
    await open.feed.close()
    await open.source[Symbol.asyncDispose]()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#form.onClose()
    try {
      await this.#release()
    } catch (error) {
      throw asDataSourceError(error, 'source')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const closed = (): DataSourceError =>
  new DataSourceError('Io', 'library_usage', 'the reader is closed', { hint: 'make another one' })

/** Where a split is when an item had nothing that was to be given. */
const behindEmpty = (start: SplitOffset, next: string, rows: number): SplitOffset =>
  start.skip > rows ? { offset: next, skip: start.skip - rows } : { offset: next, skip: 0 }
