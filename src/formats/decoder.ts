import type { Batch } from '../core/batch.ts'
import type { DataType, Schema } from '../core/types.ts'

/** How the bytes handed in are cut into records. */
export type Framing =
  /** The format's own record ends: newlines for JSON lines, record ends for CSV, value ends for JSON. */
  | { readonly kind: 'delimited' }
  /** Record i is `[starts[i], ends[i])`, counted from the start of the bytes just handed in. */
  | { readonly kind: 'index'; readonly starts: Uint32Array; readonly ends: Uint32Array; readonly count: number }

/** A record that could not become a row. */
export interface Reject {
  /** Row ordinal in the split, 0-based. */
  readonly ordinal: number
  /** Offset of the record's first byte in the (uncompressed) split. */
  readonly byte: number
  /** The original bytes, copied. */
  readonly bytes: Uint8Array
  readonly code: 'connector_record_invalid' | 'connector_record_too_large' | 'row_not_null_violated'
  /** What was wrong and where: `column "amount": "x" is not a DOUBLE`. */
  readonly detail: string
}

/** What comes back of bytes: rows and rejects of a run of records, in order. */
export interface Decoded {
  /** Absent when all records of the run were rejected. */
  readonly batch: Batch | undefined
  readonly rejects: readonly Reject[]
  /** Uncompressed byte offset and row ordinal that follow this batch in the split: read from here next. */
  readonly next: { readonly byte: number; readonly ordinal: number }
}

/**
 * Bytes → batches of one split (rulings 63). It owns its input slab in the worker's memory and the columns of its
 * batches: a batch is valid until the iterator is advanced. Whole records only are decoded; the tail is carried over.
 */
export interface Decoder extends Disposable {
  readonly schema: Schema
  /** Room for at least `min` bytes; write there, then `commit`. The view is valid until `commit`. */
  reserve(min: number): Uint8Array
  /** Decodes the whole records among the carried tail and the `length` bytes just written. */
  commit(length: number, framing: Framing): Iterable<Decoded>
  /** End of input: the last record, also without its delimiter. */
  finish(): Iterable<Decoded>
  /** Starts over at a position of the split; drops the tail. */
  seek(position: { readonly byte: number; readonly ordinal: number }): void
  /** For tests and EXPLAIN ANALYZE: how many values came out of the compiled kernel and how many did not. */
  readonly counters: DecoderCounters
}

export interface DecoderCounters {
  /** Values written by a kernel. */
  kernelValues: number
  /** Values written by the fallback. */
  fallbackValues: number
  /** Records that the fallback took whole. */
  fallbackRecords: number
}

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1'

/** Dialect of csv and tsv (connectors.md §5); characters are single ASCII characters, '' is none. */
export interface CsvOptions {
  readonly delimiter: string
  readonly quote: string
  /** Absent: the quote itself. */
  readonly escape?: string | undefined
  readonly header: boolean
  readonly null: string
  readonly encoding: TextEncoding
  readonly skipLines: number
  readonly comment: string
  readonly ragged: 'error' | 'pad'
  readonly trim: boolean
  readonly fieldBytesMax: number
  /** Names of the fields, for reading from the middle of a file; else the header tells. */
  readonly names?: readonly string[] | undefined
}

/** What a decoder is opened with. */
export interface DecoderSpec {
  /** The columns to produce, in order; `path` leads to the value: object keys from the record's root. */
  readonly columns: readonly DecoderColumn[]
  readonly split: string
  readonly batchRows: number
  /** JSON: see rulings 44. */
  readonly strict: boolean
  /** Use the TypeScript twins only. */
  readonly kernels: 'on' | 'off'
  /** Microseconds; read once per batch. */
  readonly nowMicros: () => number
  /** csv and tsv: defaults where absent. */
  readonly csv?: Partial<CsvOptions> | undefined
  /** text: a line that matches begins a new record, others belong to the one before. */
  readonly multilineStart?: RegExp | undefined
  /** json: JSON pointer to the array whose items are the records. */
  readonly records?: string | undefined
  /** Bytes of the longest line or record, without its end; above it is a reject. `limits.lineBytesMax` when absent. */
  readonly lineBytesMax?: number | undefined
}

export interface DecoderColumn {
  readonly name: string
  readonly path: readonly string[]
  readonly type: DataType
  /** NOT NULL: a record without a value is a reject. */
  readonly required: boolean
  /** Integers of a time column: by size per value (`auto`), or the unit that the schema locked. */
  readonly timeUnit?: 'auto' | 's' | 'ms' | 'us' | 'ns' | undefined
  /** A STRING column whose sample held other values too: it takes any JSON value, as its text. */
  readonly mixed?: boolean | undefined
}
