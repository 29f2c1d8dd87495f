import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { Value } from '../../core/values.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { grownF64 } from './grow.ts'

/** COUNT(*) without arguments; COUNT(x) counts values that are not NULL. */
class Count implements Accumulator {
  counts = new Float64Array(0)

  reserve(slots: number): void {
    this.counts = grownF64(this.counts, slots)
  }

  add(slot: number, args: readonly Value[]): void {
    if (!args.includes(null)) this.counts[slot]! += 1
  }

  retract(slot: number, args: readonly Value[]): void {
    if (!args.includes(null)) this.counts[slot]! -= 1
  }

  result(slot: number): Value {
    return this.counts[slot]!
  }

  write(from: number, to: number, out: ColumnBuilder): void {
    out.appendNumbers(this.counts, undefined, from, to)
  }

  clear(slots: number): void {
    this.counts.fill(0, 0, slots)
  }
}

export const countKind: AccumulatorKind = {
  create: () => new Count(),
  emitAdd(code, slot, args, state) {
    const nulls = args.map((arg) => arg.isNull).filter((text) => text !== 'false')
    const step = `${state('counts')}[${slot}]++`
    code.line(nulls.length === 0 ? step : `if (!(${nulls.join(' || ')})) ${step}`)
  },
}
