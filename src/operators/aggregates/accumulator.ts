import type { Column } from '../../core/column.ts'
import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { Value } from '../../core/values.ts'
import type { LoopCode, Operand } from '../../expr/loop.ts'

/**
 * The state of one aggregate for all groups of one table, in arrays indexed by slot. Slots count from 0; a slot that
 * was never added to answers as over no rows. Rows whose FILTER is not true never arrive; NULL arguments do.
 */
export interface Accumulator {
  /** Makes room for slots below `slots`; new ones are empty. Arrays may be replaced: loops read them anew per run. */
  reserve(slots: number): void
  /** Adds one row. `args` are in the form of `Value`. */
  add(slot: number, args: readonly Value[], order: readonly Value[]): void
  /** Takes back a row that was added; absent when the aggregate cannot (`retract: 'no'`). */
  retract?(slot: number, args: readonly Value[], order: readonly Value[]): void
  /** The answer now; a value that does not fit its type throws a `RowFailure`, the state is kept. */
  result(slot: number): Value
  /** Appends the answers of slots `from` … `to` (exclusive); absent: `result` one by one. */
  write?(from: number, to: number, out: ColumnBuilder): void
  /**
   * The answers of slots `from` … `to` (exclusive) as a column of its own, valid until the next call of any method;
   * undefined when there is no such form for these slots.
   */
  column?(from: number, to: number): Column | undefined
  /** Empties slots below `slots`, keeping the memory. */
  clear(slots: number): void
}

/** Makes accumulators of one call and knows how to write its step into a generated loop. */
export interface AccumulatorKind {
  create(): Accumulator
  /**
   * Writes the code that adds the row at hand. `state(name)` is a name for field `name` of the accumulator in use
   * (an array read anew per run). Absent: the call has no compiled form and the grouping is interpreted.
   */
  emitAdd?(code: LoopCode, slot: string, args: readonly Operand[], state: (name: string) => string): void
}
