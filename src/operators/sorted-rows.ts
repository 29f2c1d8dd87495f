import { CHANGE } from '../core/change.ts'
import type { Row } from '../core/row-batch.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { StateWriter } from '../state/state-writer.ts'
import type { Sortable } from './sort-order.ts'

/** A row that is kept for its place in an order. */
export interface SortedRow extends Sortable {
  readonly row: Row
}

/** Rows that were added, as they stand: one that is taken back later removes the first of its equals. */
export function writeSorted(out: StateWriter, rows: readonly SortedRow[]): void {
  out.list(rows, ({ row, keys, sequence }) => {
    out.values(row.values)
    out.values(keys)
    out.f64(sequence)
  })
}

export const readSorted = (state: StateReader): SortedRow[] =>
  state.list(() => ({
    row: { values: state.values(), change: CHANGE.insert },
    keys: state.values(),
    sequence: state.f64(),
  }))
