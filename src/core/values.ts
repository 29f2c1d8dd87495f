import type { DataType } from './types.ts'

/** Months, days and microseconds are kept apart (sql.md §2). All three are integers. */
export interface Interval {
  readonly months: number
  readonly days: number
  readonly micros: number
}

/** An integer that is exact: a number while it is a safe integer, else a bigint. Never a bigint that would be safe. */
export type ExactInteger = number | bigint

/**
 * One SQL value in JavaScript, for everything that is not a column loop. Which form a value has follows from its type:
 *
 * | type | form |
 * |---|---|
 * | BOOLEAN | boolean |
 * | SMALLINT, INT | number |
 * | BIGINT | ExactInteger |
 * | DOUBLE | number |
 * | DECIMAL(p,s) | ExactInteger: the value times 10^s (the scale stands in the type) |
 * | STRING | string |
 * | JSON | string: the JSON text of the value, numbers as they were written |
 * | BYTES | Uint8Array |
 * | DATE | number: days since 1970-01-01 |
 * | TIMESTAMP, TIMESTAMPTZ | ExactInteger: microseconds since 1970-01-01T00:00:00Z |
 * | INTERVAL | Interval |
 * | ARRAY | Value[] |
 * | MAP | Map in insertion order |
 * | STRUCT | Value[] by position |
 *
 * SQL NULL is null.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Interval
  | readonly Value[]
  | ReadonlyMap<Value, Value>

export const SAFE_MAX: number = Number.MAX_SAFE_INTEGER
export const INT64_MAX: bigint = 9223372036854775807n
export const INT64_MIN: bigint = -9223372036854775808n

/** A bigint as an ExactInteger. */
export function exact(value: bigint): ExactInteger {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

export const wide = (value: ExactInteger): bigint => (typeof value === 'bigint' ? value : BigInt(value))

export const isWide = (value: Value): value is bigint => typeof value === 'bigint'

/** True for the types whose column is an `i64` or `decimal` column with a safe and a wide lane. */
export const hasLanes = (type: DataType): boolean =>
  type.kind === 'bigint' || type.kind === 'timestamp' || type.kind === 'timestamptz' || type.kind === 'decimal'
