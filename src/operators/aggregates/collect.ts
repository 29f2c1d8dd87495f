import type { Value } from '../../core/values.ts'
import type { BoundAggregate } from '../../expr/bound.ts'
import { comparator } from '../../expr/compare.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import { sortOrder } from '../sort-order.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'

/** A row that went in, in order of arrival. */
export interface Entry {
  readonly args: readonly Value[]
  readonly keys: readonly Value[]
  readonly sequence: number
}

/** The answer over the entries, in the order that the call asked for. */
export type Finish = (entries: readonly Entry[]) => Value

export interface CollectForm {
  readonly finish: Finish
  /** Keep rows whose first argument is NULL. */
  readonly keepNulls: boolean
}

/** Keeps every row of a group: for answers that need them all, or that may lose any of them again. */
class Collect implements Accumulator {
  readonly #form: CollectForm
  readonly #order: ((a: Entry, b: Entry) => number) | undefined
  readonly #equal: (a: Entry, args: readonly Value[]) => boolean
  #slots: Entry[][] = []
  #sequence = 0

  constructor(form: CollectForm, call: BoundAggregate) {
    this.#form = form
    this.#order = call.orderBy.length === 0 ? undefined : sortOrder(call.orderBy)
    const comparators = call.args.map((arg) => comparator(arg.type))
    this.#equal = (entry, args) =>
      args.every((value, i) => {
        const other = entry.args[i]!
        return value === null || other === null ? value === other : comparators[i]!(value, other) === 0
      })
  }

  reserve(slots: number): void {
    while (this.#slots.length < slots) this.#slots.push([])
  }

  add(slot: number, args: readonly Value[], order: readonly Value[]): void {
    if (args[0] === null && !this.#form.keepNulls) return
    this.#slots[slot]!.push({ args, keys: order, sequence: this.#sequence++ })
  }

  retract(slot: number, args: readonly Value[]): void {
    const entries = this.#slots[slot]!
    const index = entries.findIndex((entry) => this.#equal(entry, args))
    if (index >= 0) entries.splice(index, 1)
  }

  result(slot: number): Value {
    const entries = this.#slots[slot]!
    return this.#form.finish(this.#order === undefined ? entries : entries.toSorted(this.#order))
  }

  clear(slots: number): void {
    this.#slots = this.#slots.slice(slots)
  }

  /** Entries stand in order of arrival; their sequence numbers are given anew. */
  snapshot(out: StateWriter, slots: number): void {
    for (let slot = 0; slot < slots; slot++) {
      out.list(this.#slots[slot]!, ({ args, keys }) => {
        out.values(args)
        out.values(keys)
      })
    }
  }

  restore(state: StateReader, slots: number): void {
    const entry = (): Entry => ({ args: state.values(), keys: state.values(), sequence: this.#sequence++ })
    for (let slot = 0; slot < slots; slot++) this.#slots[slot] = state.list(entry)
  }
}

export const collectKind = (call: BoundAggregate, form: CollectForm): AccumulatorKind => ({
  cells: 0,
  create: () => new Collect(form, call),
})
