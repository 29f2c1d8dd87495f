import { unreachable } from './errors.ts'
import type { DataType } from './types.ts'
import type { Value } from './values.ts'

/**
 * One column of a batch. Data sit in the worker's memory (except the boxed lanes) and are valid until the batch has
 * gone through: whoever keeps a row copies it. Arrays may be longer than the batch; only the first `rows` count.
 * Values at NULL rows are unspecified but readable (numbers are finite, spans are in range).
 */
export type Column =
  | F64Column
  | I32Column
  | I64Column
  | BoolColumn
  | Utf8Column
  | DictColumn
  | DecimalColumn
  | StructColumn
  | BoxedColumn

interface ColumnBase {
  readonly type: DataType
  /** One byte per row: 1 = value, 0 = NULL. Absent: no NULL in this batch. */
  readonly validity: Uint8Array | undefined
}

/** DOUBLE. */
export interface F64Column extends ColumnBase {
  readonly kind: 'f64'
  readonly data: Float64Array
}

/** SMALLINT, INT; DATE as days since 1970-01-01. */
export interface I32Column extends ColumnBase {
  readonly kind: 'i32'
  readonly data: Int32Array
}

/**
 * BIGINT; TIMESTAMP and TIMESTAMPTZ as microseconds since 1970-01-01T00:00:00Z. The safe lane holds safe integers; a
 * batch that has one value beyond ±(2⁵³ − 1) uses the wide lane.
 */
export type I64Column = ColumnBase & { readonly kind: 'i64' } & (
    | { readonly lane: 'safe'; readonly data: Float64Array }
    | { readonly lane: 'wide'; readonly data: BigInt64Array }
  )

/** BOOLEAN, one byte per row, 0 or 1. */
export interface BoolColumn extends ColumnBase {
  readonly kind: 'bool'
  readonly data: Uint8Array
}

/** STRING (valid UTF-8, unescaped), BYTES, JSON (its text). Row i is `bytes[spans[2i] … spans[2i] + spans[2i + 1])`. */
export interface Utf8Column extends ColumnBase {
  readonly kind: 'utf8'
  readonly spans: Uint32Array
  /** The worker's memory: spans are addresses. */
  readonly bytes: Uint8Array
}

/** STRING by code into a bounded dictionary. Codes mean nothing outside the operator that reads them (rulings 41, 65). */
export interface DictColumn extends ColumnBase {
  readonly kind: 'dict'
  readonly codes: Int32Array
  readonly dictionary: Dictionary
}

export interface Dictionary {
  readonly entries: number
  /** Address and length pairs of the entries, as in `Utf8Column.spans`. */
  readonly spans: Uint32Array
  readonly bytes: Uint8Array
  readonly strings: readonly string[]
}

/**
 * DECIMAL(p,s): the value times 10^s. The ratio lane is the mean of integers before anybody reads it (rulings 32): the
 * value is sums[i] / counts[i] with s = 16 digits, rounded half away from zero; sums are safe integers, counts ≥ 1.
 */
export type DecimalColumn = ColumnBase & { readonly kind: 'decimal' } & (
    | { readonly lane: 'safe'; readonly data: Float64Array }
    | { readonly lane: 'wide'; readonly data: readonly bigint[] }
    | { readonly lane: 'ratio'; readonly sums: Float64Array; readonly counts: Float64Array }
  )

/** Digits behind the point of a ratio lane. */
export const RATIO_SCALE = 16

/** STRUCT: one column per field; a NULL struct has NULL fields. */
export interface StructColumn extends ColumnBase {
  readonly kind: 'struct'
  readonly fields: readonly Column[]
}

/** INTERVAL, ARRAY, MAP, and NULL literals: JavaScript values (see `Value`). */
export interface BoxedColumn extends ColumnBase {
  readonly kind: 'boxed'
  readonly data: readonly Value[]
}

export type ColumnKind = Column['kind']

/** The layout a column of this type is built in (`dict` only where a source says so). */
export function columnKind(type: DataType): ColumnKind {
  switch (type.kind) {
    case 'double':
      return 'f64'
    case 'smallint':
    case 'int':
    case 'date':
      return 'i32'
    case 'bigint':
    case 'timestamp':
    case 'timestamptz':
      return 'i64'
    case 'boolean':
      return 'bool'
    case 'string':
    case 'bytes':
    case 'json':
      return 'utf8'
    case 'decimal':
      return 'decimal'
    case 'struct':
      return 'struct'
    case 'interval':
    case 'array':
    case 'map':
    case 'null':
      return 'boxed'
    default:
      return unreachable(type)
  }
}
