import type { Value } from '../../core/values.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import type { GroupCells, Place } from './group-cells.ts'

type Finish = (trues: number, falses: number) => Value

/** BOOL_AND, BOOL_OR and COUNT_IF. Its cells: how many rows were true and how many false. */
class TruthCounts implements Accumulator {
  readonly #finish: Finish
  readonly #cells: GroupCells
  readonly #offset: number

  constructor(finish: Finish, place: Place) {
    this.#finish = finish
    this.#cells = place.cells
    this.#offset = place.offset
  }

  add(slot: number, args: readonly Value[]): void {
    this.#step(slot, args[0]!, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    this.#step(slot, args[0]!, -1)
  }

  #step(slot: number, value: Value, sign: 1 | -1): void {
    if (value === null) return
    this.#cells.data[this.#at(slot) + (value === true ? 0 : 1)]! += sign
  }

  #at(slot: number): number {
    return slot * this.#cells.stride + this.#offset
  }

  result(slot: number): Value {
    const { data } = this.#cells
    const at = this.#at(slot)
    return this.#finish(data[at]!, data[at + 1]!)
  }

  clear(): void {}

  snapshot(): void {}

  restore(): void {}
}

const finishes: Readonly<Record<string, Finish>> = {
  BOOL_AND: (trues, falses) => (trues + falses === 0 ? null : falses === 0),
  BOOL_OR: (trues, falses) => (trues + falses === 0 ? null : trues > 0),
  COUNT_IF: (trues) => trues,
}

export const truthNames: readonly string[] = Object.keys(finishes)

export function truthKind(name: string): AccumulatorKind {
  return {
    cells: 2,
    create: (place) => new TruthCounts(finishes[name]!, place),
    emitAdd(code, [arg], names) {
      const step = `if (${arg!.value}) ${names.cell(0)}++; else ${names.cell(1)}++`
      code.line(arg!.isNull === 'false' ? step : `if (!(${arg!.isNull})) { ${step} }`)
    },
  }
}
