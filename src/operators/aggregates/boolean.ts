import type { Value } from '../../core/values.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { grownF64 } from './grow.ts'

type Finish = (trues: number, falses: number) => Value

/** BOOL_AND, BOOL_OR and COUNT_IF: how many rows were true and how many false. */
class TruthCounts implements Accumulator {
  trues = new Float64Array(0)
  falses = new Float64Array(0)
  readonly #finish: Finish

  constructor(finish: Finish) {
    this.#finish = finish
  }

  reserve(slots: number): void {
    this.trues = grownF64(this.trues, slots)
    this.falses = grownF64(this.falses, slots)
  }

  add(slot: number, args: readonly Value[]): void {
    this.#step(slot, args[0]!, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    this.#step(slot, args[0]!, -1)
  }

  #step(slot: number, value: Value, sign: 1 | -1): void {
    if (value === true) this.trues[slot]! += sign
    else if (value === false) this.falses[slot]! += sign
  }

  result(slot: number): Value {
    return this.#finish(this.trues[slot]!, this.falses[slot]!)
  }

  clear(slots: number): void {
    this.trues.fill(0, 0, slots)
    this.falses.fill(0, 0, slots)
  }
}

const finishes: Readonly<Record<string, Finish>> = {
  BOOL_AND: (trues, falses) => (trues + falses === 0 ? null : falses === 0),
  BOOL_OR: (trues, falses) => (trues + falses === 0 ? null : trues > 0),
  COUNT_IF: (trues) => trues,
}

export const truthNames: readonly string[] = Object.keys(finishes)

export function truthKind(name: string): AccumulatorKind {
  return {
    create: () => new TruthCounts(finishes[name]!),
    emitAdd(code, slot, [arg], state) {
      const step = `if (${arg!.value}) ${state('trues')}[${slot}]++; else ${state('falses')}[${slot}]++`
      code.line(arg!.isNull === 'false' ? step : `if (!(${arg!.isNull})) { ${step} }`)
    },
  }
}
