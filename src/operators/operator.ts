import type { Batch } from '../core/batch.ts'
import type { Element } from '../core/element.ts'
import type { WorkerMemory } from '../core/memory.ts'
import type { Scratch } from '../core/scratch.ts'
import type { Schema } from '../core/types.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { StateWriter } from '../state/state-writer.ts'

/** What leaves an operator: elements for the next one, and rows for LATE DATA TO. */
export type Output = Element | { readonly kind: 'late'; readonly batch: Batch }

/** A row that an operator could not process. */
export interface RowError {
  readonly code: string
  readonly detail: string
  /** Where in the SQL text: UTF-16 offsets. */
  readonly span: { readonly start: number; readonly end: number } | undefined
  /** The batch the row was in, valid only during the call. */
  readonly batch: Batch
  readonly row: number
}

/** What every operator of a graph shares. */
export interface OperatorContext {
  readonly memory: WorkerMemory
  readonly kernels: Kernels
  /** `compiled`: generated loops; `interpreted`: the twin, used in tests and where code generation is forbidden. */
  readonly mode: 'compiled' | 'interpreted'
  /** `null`: an output column that fails is NULL and its row goes on (`on_expr_error = 'null'`). */
  readonly onExprError: 'drop' | 'null'
  /** Rows of the batches that operators make. */
  readonly batchRows: number
  /** Most rows of any batch that comes in. */
  readonly batchRowsMax: number
  /** Set by the runtime before every element. */
  readonly current: Current
  /** Computed strings of one element; the runtime resets it before the next. */
  readonly scratch: Scratch
  readonly onRowError: (error: RowError) => void
  readonly counters: GraphCounters
}

/** What holds for the element at hand. */
export interface Current {
  /** The injected clock, read once per batch. Microseconds. */
  nowMicros: number
  /** Source node and split the batch came from, as `AssignWatermarks` tells them apart. */
  split: string
}

/** Numbers of the digest that operators know (rulings 27). */
export interface GraphCounters {
  /** Rows that missed all their windows. */
  lateRows: number
  /** (row, window) pairs. */
  lateWindowMisses: number
}

/**
 * A synchronous, deterministic step. The runtime calls one method at a time and takes every output before it asks for
 * the next, so an operator may use its output columns again for each batch.
 */
export interface Operator extends Disposable {
  readonly schema: Schema
  /** Rows of input `input`; marks inside the batch are watermarks between its rows. */
  process(batch: Batch, input: number): Iterable<Output>
  /**
   * The watermark of the (combined) inputs has risen to `micros`. Rows that it frees come before the watermark that
   * is passed on, which is `micros` less the hold.
   */
  onWatermark(micros: number): Iterable<Output>
  /** The clock has moved: processing-time windows close. Called between elements. */
  onClock?(nowMicros: number): Iterable<Output>
  /** When `onClock` is wanted next (microseconds); undefined: not at all. */
  nextClockMicros?(): number | undefined
  /** The watermark while results wait for a later one; undefined when nothing waits. Microseconds, for people. */
  readonly openSinceMicros?: number | undefined
  /** True once no further input can change the output (LIMIT reached): the runtime stops what only feeds it. */
  readonly finished?: boolean
  /** All inputs have ended (their watermark was Infinity before). Emits what is left, then `end`. */
  onEnd(): Iterable<Output>
  /**
   * At a barrier: copies what a restart needs; with `restore`, absent where nothing is kept between elements. Keys are
   * canonical bytes, never dictionary codes or slots of another table (rulings 21, 41).
   */
  snapshot?(out: StateWriter): void
  /** Before the first element: takes what `snapshot` of an operator of the same plan wrote. */
  restore?(state: StateReader): void
}

/** A grid of instants at which an operator wants to see the watermark: `phaseMicros + k · periodMicros`. */
export interface WatermarkGrid {
  readonly periodMicros: number
  readonly phaseMicros: number
}
