import type { Schema } from '../../core/types.ts'
import { type ExactInteger, exact, SAFE_MAX } from '../../core/values.ts'
import type { BoundAggregate, BoundExpr } from '../../expr/bound.ts'

/** A grouping over a prefix of filters; all expressions are over the columns of `input`. */
export interface GroupSpec {
  readonly input: Schema
  /** Keys, then `window_start`, `window_end`, `window_time` when there is a window, then the aggregates. */
  readonly output: Schema
  /** Rows for which one is not true do not take part; left to right. */
  readonly filters: readonly BoundExpr[]
  readonly keys: readonly BoundExpr[]
  readonly window: WindowSpec | undefined
  readonly aggregates: readonly BoundAggregate[]
  /** The input revises rows. */
  readonly retracts: boolean
  readonly emission: 'changes' | 'update' | 'close' | 'end'
  readonly latenessMicros: number
  /** Give late rows to the late output; its schema. */
  readonly late: Schema | undefined
}

export interface WindowSpec {
  /** TIMESTAMP of a row. */
  readonly time: BoundExpr
  readonly clock: 'event' | 'processing'
  readonly sizeMicros: number
  readonly offsetMicros: number
}

/**
 * Index of the window that holds an instant; window k is `[offset + k·size, offset + (k + 1)·size)`. Exact for years
 * beyond the safe integers, too; infinite instants give infinite indexes.
 */
export function windowIndex({ sizeMicros, offsetMicros }: WindowSpec, micros: ExactInteger): number {
  if (typeof micros === 'number' && !(Math.abs(micros) > SAFE_MAX && Number.isFinite(micros))) {
    return Math.floor((micros - offsetMicros) / sizeMicros)
  }
  const since = BigInt(micros) - BigInt(offsetMicros)
  const size = BigInt(sizeMicros)
  const quotient = since / size
  return Number(quotient * size > since ? quotient - 1n : quotient)
}

/** First instant of a window. */
export const windowStart = (window: WindowSpec, index: number): ExactInteger => instant(window, index, 0)

/** First instant after a window. */
export const windowEnd = (window: WindowSpec, index: number): ExactInteger => instant(window, index + 1, 0)

/** Last instant of a window: the event time of its results. */
export const windowTime = (window: WindowSpec, index: number): ExactInteger => instant(window, index + 1, -1)

function instant({ sizeMicros, offsetMicros }: WindowSpec, index: number, plus: number): ExactInteger {
  const micros = index * sizeMicros + offsetMicros + plus
  if (Number.isSafeInteger(micros)) return micros
  return exact(BigInt(index) * BigInt(sizeMicros) + BigInt(offsetMicros + plus))
}
