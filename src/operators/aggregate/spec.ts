import type { Schema } from '../../core/types.ts'
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

/** Index of the window that holds an instant; window k is `[offset + k·size, offset + (k + 1)·size)`. */
export const windowIndex = (window: WindowSpec, micros: number): number =>
  Math.floor((micros - window.offsetMicros) / window.sizeMicros)

export const windowStart = (window: WindowSpec, index: number): number =>
  index * window.sizeMicros + window.offsetMicros
