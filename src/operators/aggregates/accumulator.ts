import type { Column } from '../../core/column.ts'
import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { Value } from '../../core/values.ts'
import type { LoopCode, Operand } from '../../expr/loop.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Place } from './group-cells.ts'

/**
 * The state of one aggregate for all groups of one pane, by slot: its cells in the pane's rows, and whatever else it
 * keeps beside them. Slots count from 0; a slot that was never added to answers as over no rows. Every row of a group
 * comes once, as `add`, `retract` or `skip`; the pane counts the rows in cell 0 itself.
 */
export interface Accumulator {
  /** Makes room for slots below `slots` beside the cells; new ones are empty. */
  reserve?(slots: number): void
  /** Adds one row. `args` are in the form of `Value`; NULL arguments come too. */
  add(slot: number, args: readonly Value[], order: readonly Value[]): void
  /** Takes back a row that was added; absent when the aggregate cannot (`retract: 'no'`). */
  retract?(slot: number, args: readonly Value[], order: readonly Value[]): void
  /** A row that FILTER leaves out has come (1) or was taken back (−1); absent where nothing depends on their number. */
  skip?(slot: number, sign: 1 | -1): void
  /** The answer now; a value that does not fit its type throws a `RowFailure`, the state is kept. */
  result(slot: number): Value
  /** Appends the answers of slots `from` … `to` (exclusive); absent: `result` one by one. */
  write?(from: number, to: number, out: ColumnBuilder): void
  /**
   * The answers of slots `from` … `to` (exclusive) as a column of its own, valid until the next call of any method;
   * undefined when there is no such form for these slots.
   */
  column?(from: number, to: number): Column | undefined
  /** Empties slots below `slots` beside the cells, keeping the memory. */
  clear(slots: number): void
  /** At a barrier: copies what slots below `slots` keep beside the cells. */
  snapshot(out: StateWriter, slots: number): void
  /** Takes what `snapshot` wrote into an empty accumulator with room for `slots`; the cells are filled already. */
  restore(state: StateReader, slots: number): void
}

/** What the step of an accumulator is written with. */
export interface StepNames {
  /** Name of the slot. */
  readonly slot: string
  /** An assignable expression: the accumulator's cell number `index` in the row of the slot. */
  cell(index: number): string
  /** A name for the accumulator, read anew per run. */
  self(): string
}

/** Makes accumulators of one call and knows how to write its step into a generated loop. */
export interface AccumulatorKind {
  /** Cells that an accumulator wants in the pane's rows. */
  readonly cells: number
  create(place: Place): Accumulator
  /** Writes the code that adds the row at hand. Absent: the call has no compiled form and the grouping is interpreted. */
  emitAdd?(code: LoopCode, args: readonly Operand[], names: StepNames): void
}

/** Code that takes `step` for rows whose argument is not NULL and skips the others. */
export function unlessNull(isNull: string, step: string, names: StepNames): string {
  return isNull === 'false' ? `{ ${step} }` : `if (${isNull}) ${names.self()}.skip(${names.slot}, 1)\nelse { ${step} }`
}
