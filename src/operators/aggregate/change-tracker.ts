import { CHANGE, type ChangeCode } from '../../core/change.ts'
import type { DataType } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Output } from '../operator.ts'
import { differInSign, sameValues } from '../same-values.ts'
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
  /** Results may be −0, which is no change from 0. */
  readonly #signed: boolean
  readonly #touched: { pane: Pane; window: number; slots: Set<number> }[] = []

  constructor(output: GroupOutput, oldImages: boolean) {
    this.#output = output
    this.#oldImages = oldImages
    this.#signed = output.resultTypes.some(holdsDouble)
  }

  touch(pane: Pane, window: number, slots: Int32Array): void {
    let entry = this.#touched.find((other) => other.pane === pane)
    if (entry === undefined) {
      entry = { pane, window, slots: new Set() }
      this.#touched.push(entry)
    }
    if (pane.settled > 0) this.#recall(pane, window, slots, entry.slots)
    for (const slot of slots) entry.slots.add(slot)
  }

  /** What groups of a restored pane had emitted, before the first of their rows is added. */
  #recall(pane: Pane, window: number, slots: Int32Array, touched: ReadonlySet<number>): void {
    for (const slot of slots) {
      if (slot >= pane.settled || touched.has(slot) || pane.emitted.has(slot)) continue
      const values = isGone(pane, slot) ? undefined : this.#output.silentValues(pane, window, slot)
      if (values !== undefined) pane.emitted.set(slot, values)
    }
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
    const now = isGone(pane, slot) ? undefined : this.#output.values(pane, window, slot)
    // A group without rows, or whose result does not fit its type, has no row.
    if (now === undefined) {
      if (old === undefined) return
      pane.emitted.delete(slot)
      pane.unlike.delete(slot)
      yield { values: old, change: CHANGE.delete }
      return
    }
    if (old === undefined) yield { values: now, change: CHANGE.insert }
    else if (sameValues(old, now)) {
      if (this.#signed) noteSign(pane, slot, old, now)
      return
    } else {
      if (this.#oldImages) yield { values: old, change: CHANGE.updateBefore }
      yield { values: now, change: CHANGE.updateAfter }
    }
    pane.emitted.set(slot, now)
    if (this.#signed) pane.unlike.delete(slot)
  }

  /**
   * Between two elements every group has emitted what its results are now: they say it, but for a sign of zero. A
   * program whose results differ from those of an earlier one over the same state must raise the state's version.
   */
  snapshot(out: StateWriter, { emitted, unlike }: Pane): void {
    out.list(unlike, (slot) => {
      out.u32(slot)
      out.values(emitted.get(slot)!)
    })
  }

  /** Into a pane whose groups are there. */
  restore(state: StateReader, pane: Pane): void {
    state.list(() => {
      const slot = state.u32()
      const values = state.values()
      if (slot >= pane.slots) state.refuse(`has emitted group ${slot} of ${pane.slots}`)
      pane.emitted.set(slot, values)
      pane.unlike.add(slot)
    })
    pane.settled = pane.slots
  }

  /** A window that closes has already given its rows. */
  *close(_pane: Pane): Iterable<Output> {}
}

/** A group that has a key has no row once all its rows were taken back. */
const isGone = (pane: Pane, slot: number): boolean => pane.cells.rows(slot) === 0 && pane.table !== undefined

function noteSign({ unlike }: Pane, slot: number, old: readonly Value[], now: readonly Value[]): void {
  if (differInSign(old, now)) unlike.add(slot)
  else unlike.delete(slot)
}

function holdsDouble(type: DataType): boolean {
  switch (type.kind) {
    case 'double':
      return true
    case 'array':
      return holdsDouble(type.element)
    case 'map':
      return holdsDouble(type.key) || holdsDouble(type.value)
    case 'struct':
      return type.fields.some((field) => holdsDouble(field.type))
    default:
      return false
  }
}
