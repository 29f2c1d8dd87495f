import { CHANGE, type ChangeCode } from '../../core/change.ts'
import type { Value } from '../../core/values.ts'
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

  /** A window that closes has already given its rows. */
  *close(_pane: Pane): Iterable<Output> {}
}
