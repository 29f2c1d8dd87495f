import { CHANGE, type ChangeCode } from '../../core/change.ts'
import type { Value } from '../../core/values.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Output } from '../operator.ts'
import { sameValues } from '../same-values.ts'
import type { GroupOutput } from './group-output.ts'
import type { Pane } from './pane.ts'

interface Change {
  readonly values: readonly Value[]
  readonly change: ChangeCode
}

/**
 * EMIT CHANGES and EMIT ON UPDATE: after every run, each group that was touched gives its new row, with the old image
 * before it when `oldImages`. Unchanged results give nothing; changes inside one run are merged (rulings 31).
 */
export class ChangeTracker {
  readonly #output: GroupOutput
  readonly #oldImages: boolean
  readonly #touched: { pane: Pane; window: number; slots: Set<number> }[] = []

  constructor(output: GroupOutput, oldImages: boolean) {
    this.#output = output
    this.#oldImages = oldImages
  }

  touch(pane: Pane, window: number, slots: Int32Array): void {
    let entry = this.#touched.find((other) => other.pane === pane)
    if (entry === undefined) {
      entry = { pane, window, slots: new Set() }
      this.#touched.push(entry)
    }
    for (const slot of slots) entry.slots.add(slot)
  }

  *changes(): Iterable<Output> {
    for (const batch of this.#output.rows(this.#diff())) yield { kind: 'batch', batch }
    this.#touched.length = 0
  }

  *#diff(): Iterable<Change> {
    for (const { pane, window, slots } of this.#touched) {
      for (const slot of slots) yield* this.#slotDiff(pane, window, slot)
    }
  }

  *#slotDiff(pane: Pane, window: number, slot: number): Iterable<Change> {
    const old = pane.emitted.get(slot)
    const gone = pane.cells.rows(slot) === 0 && pane.table !== undefined
    const now = gone ? undefined : this.#output.values(pane, window, slot)
    // A group without rows, or whose result does not fit its type, has no row.
    if (now === undefined) {
      if (old === undefined) return
      pane.emitted.delete(slot)
      yield { values: old, change: CHANGE.delete }
      return
    }
    if (old === undefined) yield { values: now, change: CHANGE.insert }
    else if (sameValues(old, now)) return
    else {
      if (this.#oldImages) yield { values: old, change: CHANGE.updateBefore }
      yield { values: now, change: CHANGE.updateAfter }
    }
    pane.emitted.set(slot, now)
  }

  /**
   * What a pane has emitted: the results by column, as the head of a row follows from its slot. Between two elements
   * nothing is touched.
   */
  snapshot(out: StateWriter, { emitted }: Pane): void {
    out.takeU32s(Uint32Array.from(emitted.keys()))
    const rows = [...emitted.values()]
    for (let column = this.#output.headColumns; column < this.#output.columns; column++) writeColumn(out, rows, column)
  }

  /** Into a pane whose groups are there. */
  restore(state: StateReader, pane: Pane, window: number): void {
    const slots = state.u32s()
    const results: (readonly Value[] | Float64Array)[] = []
    for (let column = this.#output.headColumns; column < this.#output.columns; column++) {
      results.push(readColumn(state, slots.length))
    }
    for (const [row, slot] of slots.entries()) {
      if (slot >= pane.slots) state.refuse(`has emitted group ${slot} of ${pane.slots}`)
      const values = this.#output.head(pane, window, slot)
      for (const column of results) values.push(column[row]!)
      pane.emitted.set(slot, values)
    }
  }

  /** A window that closes has already given its rows. */
  *close(_pane: Pane): Iterable<Output> {}
}

/** Float64 where all values are numbers, else values with their kinds. */
function writeColumn(out: StateWriter, rows: readonly (readonly Value[])[], column: number): void {
  const numbers = new Float64Array(rows.length)
  let row = 0
  for (; row < rows.length; row++) {
    const value = rows[row]![column]!
    if (typeof value !== 'number') break
    numbers[row] = value
  }
  const plain = row === rows.length
  out.bool(plain)
  if (plain) out.takeF64s(numbers)
  else for (const values of rows) out.value(values[column]!)
}

function readColumn(state: StateReader, rows: number): readonly Value[] | Float64Array {
  if (state.bool()) return new Float64Array(state.f64Bytes(rows).slice().buffer)
  const values: Value[] = []
  while (values.length < rows) values.push(state.value())
  return values
}
