import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { Value } from '../../core/values.ts'
import { RowFailure } from '../../expr/functions.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import { type Accumulator, type AccumulatorKind, unlessNull } from './accumulator.ts'
import { type DoubleDouble, ddAdd, ddDivide, ddOf, ddValue } from './double-double.ts'
import { type GroupCells, type Place, RowsTaken } from './group-cells.ts'

/** 2^64. */
const HUGE = 2 ** 64

/**
 * SUM and AVG of DOUBLE. The sum is a double-double: `high + low`, by Knuth's two-sum, so that taking rows back agrees
 * with a fresh sum within 1e-12 relative. NaN and infinities are counted beside it and never enter it (rulings 32).
 */
class SumDouble implements Accumulator {
  /** Slots that hold NaN or an infinity: [NaN, +Infinity, −Infinity] counts. */
  readonly special = new Map<number, [number, number, number]>()
  /** Slots whose sum has passed the range of DOUBLE on the way: what left it, divided by `HUGE`. */
  readonly huge = new Map<number, DoubleDouble>()
  readonly #average: boolean
  readonly #cells: GroupCells
  readonly #offset: number
  readonly #rows: RowsTaken

  constructor(average: boolean, place: Place) {
    this.#average = average
    this.#cells = place.cells
    this.#offset = place.offset
    this.#rows = new RowsTaken(place.cells)
  }

  add(slot: number, args: readonly Value[]): void {
    if (args[0] === null) this.#rows.skip(slot, 1)
    else this.step(slot, args[0] as number, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    if (args[0] === null) this.#rows.skip(slot, -1)
    else this.step(slot, args[0] as number, -1)
  }

  skip(slot: number, sign: 1 | -1): void {
    this.#rows.skip(slot, sign)
  }

  /** Index of the cell that holds the high half; the low half is behind it. */
  #at(slot: number): number {
    return slot * this.#cells.stride + this.#offset
  }

  /** `sign` 1 adds `x`, −1 takes it back. */
  step(slot: number, x: number, sign: 1 | -1): void {
    if (!Number.isFinite(x)) {
      const kinds = this.special.get(slot) ?? [0, 0, 0]
      kinds[Number.isNaN(x) ? 0 : x > 0 ? 1 : 2] += sign
      if (kinds.every((count) => count === 0)) this.special.delete(slot)
      else this.special.set(slot, kinds)
      return
    }
    const signed = sign * x
    const { data } = this.#cells
    const at = this.#at(slot)
    const high = data[at]!
    const sum = high + signed
    if (!Number.isFinite(sum)) {
      this.#moveOut(slot, signed)
      return
    }
    const part = sum - high
    data[at] = sum
    data[at + 1]! += high - (sum - part) + (signed - part)
  }

  result(slot: number): Value {
    const count = this.#rows.of(slot)
    if (count === 0) return null
    return this.#answer(slot, count)
  }

  /** The mean is taken of both halves of the sum. */
  #answer(slot: number, count: number): number {
    if (this.huge.size > 0 && this.huge.has(slot) && !this.special.has(slot)) return this.#hugeAnswer(slot, count)
    if (!this.#average || (this.special.size > 0 && this.special.has(slot))) return this.#total(slot)
    return ddValue(ddDivide(this.#sum(slot), count))
  }

  /** Dividing by a power of two is exact, so nothing is lost. */
  #moveOut(slot: number, signed: number): void {
    let sum = this.huge.get(slot) ?? ddOf(0)
    const { high, low } = this.#sum(slot)
    for (const part of [high, low, signed]) sum = ddAdd(sum, ddOf(part / HUGE))
    this.huge.set(slot, sum)
    this.#cells.data.fill(0, this.#at(slot), this.#at(slot) + 2)
  }

  #hugeAnswer(slot: number, count: number): number {
    const { high, low } = this.#sum(slot)
    const sum = ddAdd(ddAdd(this.huge.get(slot)!, ddOf(high / HUGE)), ddOf(low / HUGE))
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
    return ddValue(this.#sum(slot))
  }

  #sum(slot: number): DoubleDouble {
    const { data } = this.#cells
    const at = this.#at(slot)
    return { high: data[at]!, low: data[at + 1]! }
  }

  write(from: number, to: number, out: ColumnBuilder): void {
    for (let slot = from; slot < to; slot++) {
      const count = this.#rows.of(slot)
      if (count === 0) out.append(null)
      else out.appendNumber(this.#answer(slot, count))
    }
  }

  clear(): void {
    this.#rows.clear()
    this.special.clear()
    this.huge.clear()
  }

  snapshot(out: StateWriter, slots: number): void {
    this.#rows.snapshot(out, slots)
    out.list(this.special, ([slot, counts]) => {
      out.u32(slot)
      for (const count of counts) out.f64(count)
    })
    out.list(this.huge, ([slot, { high, low }]) => {
      out.u32(slot)
      out.f64(high)
      out.f64(low)
    })
  }

  restore(state: StateReader): void {
    this.#rows.restore(state)
    state.list(() => this.special.set(state.u32(), [state.f64(), state.f64(), state.f64()]))
    state.list(() => this.huge.set(state.u32(), { high: state.f64(), low: state.f64() }))
  }
}

export function sumDoubleKind(average: boolean): AccumulatorKind {
  return {
    cells: 2,
    create: (place) => new SumDouble(average, place),
    emitAdd(code, [arg], names) {
      const [x, h, s, p] = [code.name('x'), code.name('h'), code.name('s'), code.name('p')]
      const [high, low] = [names.cell(0), names.cell(1)]
      const step = [
        `const ${x} = ${arg!.value}, ${h} = ${high}, ${s} = ${h} + ${x}`,
        `if (${s} - ${s} === 0) {`,
        `const ${p} = ${s} - ${h}`,
        `${high} = ${s}; ${low} += ${h} - (${s} - ${p}) + (${x} - ${p})`,
        `} else ${names.self()}.step(${names.slot}, ${x}, 1)`,
      ]
      code.line(unlessNull(arg!.isNull, step.join('\n'), names))
    },
  }
}
