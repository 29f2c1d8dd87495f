import type { Batch } from '../core/batch.ts'
import type { DataType } from '../core/types.ts'
import type { BoundExpr } from './bound.ts'

/**
 * A value inside a generated loop. Loop forms: BOOLEAN is a JS boolean; SMALLINT, INT, DATE, DOUBLE numbers; BIGINT,
 * DECIMAL (scaled), TIMESTAMP numbers in the safe lane; STRING, JSON JS strings; everything else as `Value`.
 */
export interface Operand {
  readonly type: DataType
  /** JavaScript expression of the value, without side effects; unspecified but harmless at NULL rows. */
  readonly value: string
  /** JavaScript boolean expression; the text `false` when the value is never NULL in this loop. */
  readonly isNull: string
  /**
   * STRING, BYTES, JSON that still lie in memory: address and length, and the array that they point into. `value` then
   * decodes the text when it is used.
   */
  readonly span?: { readonly start: string; readonly length: string; readonly bytes: string } | undefined
}

/** What the body of a loop is written with; one row is at hand, its index in the batch is `row`. */
export interface LoopCode {
  /** Name of the variable that holds the row's index in the batch. */
  readonly row: string
  /** Name of the loop counter: equal to `row` for a range, the position in the selection otherwise. */
  readonly position: string
  /** Emits what computes the expression over the batch's columns. */
  evaluate(expr: BoundExpr): Operand
  /** Emits one statement at this point of the body. */
  line(statement: string): void
  /** Emits a statement before the loop (locals that live through one run). */
  before(statement: string): void
  /** Emits a statement after the loop; also runs when the loop stops early. */
  after(statement: string): void
  /** A fresh variable name. */
  name(hint: string): string
  /** A name for a constant that never changes. Constants travel in an array: text is never spliced. */
  constant(value: unknown): string
  /** A name whose value is read again by `read` at the start of every run: state arrays, counters. */
  bound(read: () => unknown): string
  /** Statement that ends this row. */
  readonly skipRow: string
  /** Statement that marks this row as failed and ends it; the interpreter says later what was wrong. */
  readonly failRow: string
  /** Statement that stops the loop before this row: the interpreter takes it (a value outside the safe lane). */
  readonly redoRow: string
}

export interface LoopSpec {
  readonly body: (code: LoopCode) => void
  /** `selection`: rows are taken from the array that `run` is given. */
  readonly rows: 'range' | 'selection'
  /** What `failRow` does: `mark` (default) appends to `failed` and goes on, `redo` stops the loop as `redoRow` does. */
  readonly failures?: 'mark' | 'redo' | undefined
}

export interface Loop {
  /**
   * Runs over positions `from` … `to` (exclusive); returns the position it stopped at: `to`, or that of a row for the
   * interpreter (run on from the next one). Rows that failed are appended to `failed`.
   */
  run(batch: Batch, from: number, to: number, selection?: Int32Array): number
  /** Row indexes that failed since the last `clear`. */
  readonly failed: readonly number[]
  clear(): void
  /** The generated text of the last variant, for `EXPLAIN graph` and for profiles. */
  readonly source: string
}
