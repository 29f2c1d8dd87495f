import type { Value } from '../../core/values.ts'
import type { BoundAggregate } from '../../expr/bound.ts'
import { comparator } from '../../expr/compare.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import { sortOrder } from '../sort-order.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { readSlots, writeSlots } from './slot-state.ts'

interface Best {
  readonly value: Value
  readonly rank: Value
}

/** True when `next` takes the place of `best`; `best` came first. */
type Beats = (next: Value, best: Value) => boolean

/** MIN, MAX, FIRST, LAST, ARG_MIN, ARG_MAX over appended rows: one value per group. */
class Keeps implements Accumulator {
  #slots: (Best | undefined)[] = []
  readonly #rankOf: (args: readonly Value[], order: readonly Value[]) => Value
  readonly #beats: Beats

  constructor(rankOf: (args: readonly Value[], order: readonly Value[]) => Value, beats: Beats) {
    this.#rankOf = rankOf
    this.#beats = beats
  }

  reserve(slots: number): void {
    while (this.#slots.length < slots) this.#slots.push(undefined)
  }

  add(slot: number, args: readonly Value[], order: readonly Value[]): void {
    const value = args[0]!
    const rank = this.#rankOf(args, order)
    if (value === null || rank === null) return
    const best = this.#slots[slot]
    if (best === undefined || this.#beats(rank, best.rank)) this.#slots[slot] = { value, rank }
  }

  result(slot: number): Value {
    return this.#slots[slot]?.value ?? null
  }

  clear(slots: number): void {
    this.#slots.fill(undefined, 0, slots)
  }

  snapshot(out: StateWriter, slots: number): void {
    writeSlots(out, this.#slots, slots, ({ value, rank }) => {
      out.value(value)
      out.value(rank)
    })
  }

  restore(state: StateReader, slots: number): void {
    this.#slots = readSlots(state, slots, () => ({ value: state.value(), rank: state.value() }))
  }
}

/** By the value itself. */
export function extremeKind(call: BoundAggregate, greatest: boolean): AccumulatorKind {
  const compare = comparator(call.args[0]!.type)
  const beats: Beats = greatest ? (next, best) => compare(next, best) > 0 : (next, best) => compare(next, best) < 0
  return { cells: 0, create: () => new Keeps((args) => args[0]!, beats) }
}

/** By the second argument; of equal ones the first row stays. A NULL first argument is skipped like the row. */
export function extremeByKind(call: BoundAggregate, greatest: boolean): AccumulatorKind {
  const compare = comparator(call.args[1]!.type)
  const beats: Beats = greatest ? (next, best) => compare(next, best) > 0 : (next, best) => compare(next, best) < 0
  return { cells: 0, create: () => new Keeps((args) => args[1]!, beats) }
}

/** By the order that was asked for (the event time when there is one), ties by arrival. */
export function firstKind(call: BoundAggregate, last: boolean): AccumulatorKind {
  if (call.orderBy.length === 0) {
    const constant = () => 0
    return { cells: 0, create: () => new Keeps(constant, () => last) }
  }
  const order = sortOrder(call.orderBy)
  const compare = (next: Value, best: Value) =>
    order({ keys: next as readonly Value[], sequence: 0 }, { keys: best as readonly Value[], sequence: 0 })
  const beats: Beats = last ? (next, best) => compare(next, best) >= 0 : (next, best) => compare(next, best) < 0
  return { cells: 0, create: () => new Keeps((_args, keys) => keys, beats) }
}
