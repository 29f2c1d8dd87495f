import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { Value } from '../../core/values.ts'
import { RowFailure } from '../../expr/functions.ts'
import type { LoopCode, Operand } from '../../expr/loop.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { type DoubleDouble, ddAdd, ddDivide, ddOf, ddValue } from './double-double.ts'
import { grownF64 } from './grow.ts'

/** 2^64. */
const HUGE = 2 ** 64

/**
 * SUM and AVG of DOUBLE. The sum is a double-double: `high + low`, by Knuth's two-sum, so that taking rows back agrees
 * with a fresh sum within 1e-12 relative. NaN and infinities are counted beside it and never enter it (rulings 32).
 */
class SumDouble implements Accumulator {
  high = new Float64Array(0)
  low = new Float64Array(0)
  counts = new Float64Array(0)
  /** Slots that hold NaN or an infinity: [NaN, +Infinity, −Infinity] counts. */
  readonly special = new Map<number, [number, number, number]>()
  /** Slots whose sum has passed the range of DOUBLE on the way: what left it, divided by `HUGE`. */
  readonly huge = new Map<number, DoubleDouble>()
  readonly #average: boolean

  constructor(average: boolean) {
    this.#average = average
  }

  reserve(slots: number): void {
    this.high = grownF64(this.high, slots)
    this.low = grownF64(this.low, slots)
    this.counts = grownF64(this.counts, slots)
  }

  add(slot: number, args: readonly Value[]): void {
    if (args[0] !== null) this.step(slot, args[0] as number, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    if (args[0] !== null) this.step(slot, args[0] as number, -1)
  }

  /** `sign` 1 adds `x`, −1 takes it back. */
  step(slot: number, x: number, sign: 1 | -1): void {
    this.counts[slot]! += sign
    if (!Number.isFinite(x)) {
      const kinds = this.special.get(slot) ?? [0, 0, 0]
      kinds[Number.isNaN(x) ? 0 : x > 0 ? 1 : 2] += sign
      if (kinds.every((count) => count === 0)) this.special.delete(slot)
      else this.special.set(slot, kinds)
      return
    }
    const signed = sign * x
    const high = this.high[slot]!
    const sum = high + signed
    if (!Number.isFinite(sum)) {
      this.#moveOut(slot, signed)
      return
    }
    const part = sum - high
    this.high[slot] = sum
    this.low[slot]! += high - (sum - part) + (signed - part)
  }

  result(slot: number): Value {
    const count = this.counts[slot]!
    if (count === 0) return null
    return this.#answer(slot, count)
  }

  /** The mean is taken of both halves of the sum. */
  #answer(slot: number, count: number): number {
    if (this.huge.size > 0 && this.huge.has(slot) && !this.special.has(slot)) return this.#hugeAnswer(slot, count)
    if (!this.#average || (this.special.size > 0 && this.special.has(slot))) return this.#total(slot)
    return ddValue(ddDivide({ high: this.high[slot]!, low: this.low[slot]! }, count))
  }

  /** Dividing by a power of two is exact, so nothing is lost. */
  #moveOut(slot: number, signed: number): void {
    let sum = this.huge.get(slot) ?? ddOf(0)
    for (const part of [this.high[slot]!, this.low[slot]!, signed]) sum = ddAdd(sum, ddOf(part / HUGE))
    this.huge.set(slot, sum)
    this.high[slot] = 0
    this.low[slot] = 0
  }

  #hugeAnswer(slot: number, count: number): number {
    const sum = ddAdd(ddAdd(this.huge.get(slot)!, ddOf(this.high[slot]! / HUGE)), ddOf(this.low[slot]! / HUGE))
    const answer = this.#average ? ddValue(ddDivide(sum, count)) * HUGE : ddValue(sum) * HUGE
    if (!Number.isFinite(answer)) throw new RowFailure('row_numeric_overflow', 'the sum does not fit DOUBLE')
    return answer
  }

  #total(slot: number): number {
    const kinds = this.special.size === 0 ? undefined : this.special.get(slot)
    if (kinds !== undefined) {
      const [nan, plus, minus] = kinds
      if (nan > 0 || (plus > 0 && minus > 0)) return Number.NaN
      if (plus > 0) return Number.POSITIVE_INFINITY
      if (minus > 0) return Number.NEGATIVE_INFINITY
    }
    return this.high[slot]! + this.low[slot]!
  }

  write(from: number, to: number, out: ColumnBuilder): void {
    for (let slot = from; slot < to; slot++) {
      const count = this.counts[slot]!
      if (count === 0) out.append(null)
      else out.appendNumber(this.#answer(slot, count))
    }
  }

  clear(slots: number): void {
    this.high.fill(0, 0, slots)
    this.low.fill(0, 0, slots)
    this.counts.fill(0, 0, slots)
    this.special.clear()
    this.huge.clear()
  }
}

export function sumDoubleKind(average: boolean): AccumulatorKind {
  return { create: () => new SumDouble(average), emitAdd: emitStep }
}

function emitStep(code: LoopCode, slot: string, args: readonly Operand[], state: (name: string) => string): void {
  const arg = args[0]!
  const [x, h, s, p] = [code.name('x'), code.name('h'), code.name('s'), code.name('p')]
  const high = state('high')
  const step = [
    `const ${x} = ${arg.value}, ${h} = ${high}[${slot}], ${s} = ${h} + ${x}`,
    `if (${s} - ${s} === 0) {`,
    `const ${p} = ${s} - ${h}`,
    `${high}[${slot}] = ${s}; ${state('low')}[${slot}] += ${h} - (${s} - ${p}) + (${x} - ${p}); ${state('counts')}[${slot}]++`,
    `} else ${state('self')}.step(${slot}, ${x}, 1)`,
  ].join('\n')
  code.line(arg.isNull === 'false' ? `{ ${step} }` : `if (!(${arg.isNull})) { ${step} }`)
}
