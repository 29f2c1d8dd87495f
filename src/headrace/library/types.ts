import type { Schema } from '../../core/types.ts'

/**
 * A value of a row. BIGINT is always a `bigint`; DECIMAL, DATE and INTERVAL are texts (`12.50`, `2026-01-31`, `PT5S`);
 * TIMESTAMP is a `bigint` of microseconds since 1970-01-01T00:00:00Z; JSON is its text; ARRAY is an array, MAP a `Map`,
 * STRUCT an object. Written values may also be a `Date` for a time, a `number` for any numeric type.
 */
export type RowValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | readonly RowValue[]
  | ReadonlyMap<RowValue, RowValue>
  | { readonly [name: string]: RowValue }

/** Column name → value; a column that is absent is NULL. */
export type Row = { readonly [column: string]: RowValue | undefined }

/** What a record says about the result: a new row, the row before or behind a change, a row that is gone. */
export type Change = 'insert' | 'update_before' | 'update_after' | 'delete'

/** One record of a source; the envelope that all parts share. */
export interface StreamRecord {
  /** The source's URI as printed: without secrets. */
  readonly source: string
  /** Opaque: read from here next, when this record is done. */
  readonly offset: string
  /** The split that it came from: a file, a channel, a partition. */
  readonly partition?: string | undefined
  /** 0-based place in the partition, where that is known. */
  readonly sequence?: bigint | undefined
  readonly id?: string | undefined
  readonly key: Uint8Array | null
  readonly value: Row | Uint8Array
  readonly headers: ReadonlyArray<readonly [string, Uint8Array | null]>
  readonly change: Change
  /** Microseconds; the column named by the option `event_time`. */
  readonly eventTime?: bigint | undefined
  /** When it was read, microseconds. */
  readonly timestamp: bigint
  readonly topic?: string | undefined
  /** The record as it was read; with `bytes: true` only, and where the format keeps it. */
  readonly bytes?: Uint8Array | undefined
}

/** A record to be written: its value is enough. */
export type RecordInput = Pick<StreamRecord, 'value'> & Partial<StreamRecord>

/** A record that could not become a row. */
export interface RejectedRecord {
  readonly partition: string
  readonly code: string
  readonly detail: string
  /** The original bytes; of a sink, the row as JSON. */
  readonly bytes: Uint8Array
}

/** An aborted signal rejects with its reason. */
export interface Waiting {
  readonly signal?: AbortSignal | undefined
}

/** What a source is and can do. */
export interface SourceMetadata {
  /** Connector: `file`, `memory`. */
  readonly type: string
  readonly version: string
  /** It may go on for ever. */
  readonly streaming: boolean
  /** It ends. */
  readonly batch: boolean
  readonly schemaEvolution: boolean
  readonly capabilities: readonly string[]
}

/** What a sink is and can do. */
export interface SinkMetadata {
  readonly type: string
  readonly version: string
  readonly transactions: boolean
  readonly upsert: boolean
  readonly schemaEvolution: boolean
  readonly capabilities: readonly string[]
  readonly delivery: 'at-most-once' | 'at-least-once' | 'idempotent' | 'transactional'
}

/** How a source or sink is, and what is wrong with it. */
export interface CheckResult {
  readonly uri: string
  readonly state: 'healthy' | 'degraded' | 'unhealthy' | 'unknown'
  readonly latencyMs: number
  readonly issues: readonly { readonly code: string; readonly detail: string; readonly hint?: string | undefined }[]
}

/** How a reader reads. */
export interface ReaderOptions extends Waiting {
  /** Most rows of one `read`; 1…16,384. */
  readonly rows?: number | undefined
  /** Where to begin: what `position()` or a record's `offset` gave; else where the source's options say. */
  readonly from?: string | undefined
  /** Keep the bytes of each record. */
  readonly bytes?: boolean | undefined
  /** Told of every record that could not be decoded, unless the source's `on_error` is `fail` or `skip`. */
  readonly onReject?: ((reject: RejectedRecord) => void) | undefined
}

/** How a writer writes. */
export interface WriterOptions extends Waiting {
  /** The columns; else they are told from the first records. */
  readonly schema?: Schema | string | undefined
  /** The records say what changes: the target gets the kind of each change. */
  readonly changes?: boolean | undefined
  /** Rows that are held before they are handed on; 1…16,384. */
  readonly rows?: number | undefined
}

/** A source by URI: checked, and opened when it is used. */
export interface DataSource extends AsyncDisposable {
  /** As printed: without secrets. */
  readonly uri: string
  metadata(): Promise<SourceMetadata>
  /** Columns as declared or found; reads a sample, consumes nothing. */
  fetchSchema(options?: Waiting): Promise<Schema>
  createReader(options?: ReaderOptions): Promise<DataReader>
  check(options?: Waiting): Promise<CheckResult>
  close(): Promise<void>
}

/** Reads the records of a source, from where it stands or from any offset. One call at a time. */
export interface DataReader extends AsyncDisposable, AsyncIterable<StreamRecord> {
  readonly schema: Schema
  readonly supportsTransactions: boolean
  /** Records that could not be decoded. */
  readonly rejected: number
  /** Up to `max` records; none when there is nothing now (after `waitMs`, 10 by default), or at the end. */
  read(max?: number, options?: Waiting & { readonly waitMs?: number | undefined }): Promise<readonly StreamRecord[]>
  /** False once the source has ended and everything was read. */
  hasMore(): boolean
  /** What was read, as one text for all partitions. */
  position(): string
  /** Goes on there: what `position()` gave, or a record's offset with its partition. */
  seek(offset: string, partition?: string): Promise<void>
  /** What was read (or all before `offset`) is done: the source may forget it. */
  commit(offset?: string, partition?: string): Promise<void>
  beginTransaction(): Promise<void>
  commitTransaction(): Promise<void>
  abortTransaction(): Promise<void>
  close(): Promise<void>
}

/** A sink by URI: checked, and opened when it is used. */
export interface DataSink extends AsyncDisposable {
  readonly uri: string
  metadata(): Promise<SinkMetadata>
  /** Throws kind `Schema` when rows of these columns cannot be written. */
  validateSchema(schema: Schema): Promise<void>
  createWriter(options?: WriterOptions): Promise<DataWriter>
  check(options?: Waiting): Promise<CheckResult>
  close(): Promise<void>
}

/** Writes records to a sink. Calls are carried out one after the other. */
export interface DataWriter extends AsyncDisposable {
  readonly supportsTransactions: boolean
  /** Records that the target refused; they are not written. */
  readonly rejected: readonly RejectedRecord[]
  write(record: RecordInput): Promise<void>
  writeBatch(records: readonly RecordInput[]): Promise<void>
  /** The row of this key is now `record`. */
  update(key: Row, record: RecordInput): Promise<void>
  delete(key: Row): Promise<void>
  /** Everything written is as safe as the target can make it; outside of a transaction it is visible, too. */
  flush(): Promise<void>
  /** The same as `flush`, or the end of the transaction that is open. */
  commit(): Promise<void>
  /** Takes back what was written since the last commit. */
  rollback(): Promise<void>
  beginTransaction(): Promise<void>
  commitTransaction(): Promise<void>
  abortTransaction(): Promise<void>
  /** Commits, unless a transaction is open: that is taken back. */
  close(): Promise<void>
}

/** How a copy goes, and what survives a crash. */
export interface CopyOptions extends Waiting {
  /** Rows handed on at once. */
  readonly batch?: number | undefined
  /**
   * A folder that keeps how far the copy has come: after a crash the same call goes on there, and what was copied is
   * not copied again where the sink can tell. One folder belongs to one pair of source and sink.
   */
  readonly checkpoint?: string | undefined
  /**
   * `fail` ends the copy at the first bad record; `skip` counts them; a function is told of each. By default the
   * source's `on_error` says: it goes on, and counts.
   */
  readonly onError?: 'fail' | 'skip' | ((record: RejectedRecord) => void) | undefined
}

/** Counts of a copy; with a checkpoint, those of all calls with it together. */
export interface CopyResult {
  readonly read: number
  readonly written: number
  readonly failed: number
  /** Of the records that were read, where the source has bytes. */
  readonly bytes: number
  /** The checkpoint was there: this call went on where an earlier one had stopped. */
  readonly resumed: boolean
  /** An earlier call had copied everything: this one read nothing. */
  readonly wasComplete: boolean
}
