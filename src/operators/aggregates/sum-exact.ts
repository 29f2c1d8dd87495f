import { type Column, RATIO_SCALE } from '../../core/column.ts'
import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { DataType } from '../../core/types.ts'
import { type ExactInteger, exact, SAFE_MAX, type Value } from '../../core/values.ts'
import type { BoundAggregate } from '../../expr/bound.ts'
import { RowFailure } from '../../expr/functions.ts'
import type { LoopCode, Operand } from '../../expr/loop.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { grownF64 } from './grow.ts'

/**
 * SUM and AVG of integers and decimals (their scaled integers). The sum is `low`, a safe integer, plus what has left
 * the safe lane, kept as a bigint by slot: no input overflows it (rulings 32); only a result that does not fit its type
 * fails.
 */
class SumExact implements Accumulator {
  low = new Float64Array(0)
  counts = new Float64Array(0)
  readonly wide = new Map<number, bigint>()
  readonly #finish: Finish
  /** Set for means of integers: their type, with 16 digits behind the point. */
  readonly #ratio: DataType | undefined

  constructor(finish: Finish, ratio: DataType | undefined) {
    this.#finish = finish
    this.#ratio = ratio
  }

  reserve(slots: number): void {
    this.low = grownF64(this.low, slots)
    this.counts = grownF64(this.counts, slots)
  }

  add(slot: number, args: readonly Value[]): void {
    if (args[0] !== null) this.step(slot, args[0] as ExactInteger, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    if (args[0] !== null) this.step(slot, args[0] as ExactInteger, -1)
  }

  /** `sign` 1 adds `x`, −1 takes it back. */
  step(slot: number, x: ExactInteger, sign: 1 | -1): void {
    this.counts[slot]! += sign
    const low = this.low[slot]!
    if (typeof x === 'number') {
      const sum = low + sign * x
      if (Number.isSafeInteger(sum)) {
        this.low[slot] = sum
        return
      }
    }
    this.wide.set(slot, (this.wide.get(slot) ?? 0n) + BigInt(low) + BigInt(sign) * BigInt(x))
    this.low[slot] = 0
  }

  result(slot: number): Value {
    const count = this.counts[slot]!
    if (count === 0) return null
    const low = this.low[slot]!
    const wide = this.wide.size === 0 ? undefined : this.wide.get(slot)
    return this.#finish(wide === undefined ? low : exact(wide + BigInt(low)), count)
  }

  write(from: number, to: number, out: ColumnBuilder): void {
    for (let slot = from; slot < to; slot++) out.append(this.result(slot))
  }

  /** Means stay (sum, count) until something reads them (rulings 32). */
  column(from: number, to: number): Column | undefined {
    if (this.#ratio === undefined || this.wide.size > 0) return undefined
    const counts = this.counts.subarray(from, to)
    const validity = counts.includes(0) ? Uint8Array.from(counts, (count) => (count === 0 ? 0 : 1)) : undefined
    return { kind: 'decimal', lane: 'ratio', type: this.#ratio, validity, sums: this.low.subarray(from, to), counts }
  }

  clear(slots: number): void {
    this.low.fill(0, 0, slots)
    this.counts.fill(0, 0, slots)
    this.wide.clear()
  }
}

type Finish = (sum: ExactInteger, count: number) => Value

export function sumExactKind(call: BoundAggregate, average: boolean): AccumulatorKind {
  const finish = average ? averageOf(call) : sumOf(call.type)
  const from = call.args[0]!.type
  const isRatio = average && from.kind !== 'decimal' && call.type.kind === 'decimal' && call.type.scale === RATIO_SCALE
  return { create: () => new SumExact(finish, isRatio ? call.type : undefined), emitAdd: emitStep }
}

function emitStep(code: LoopCode, slot: string, args: readonly Operand[], state: (name: string) => string): void {
  const arg = args[0]!
  const sum = code.name('s')
  const low = state('low')
  const step = [
    `const ${sum} = ${low}[${slot}] + ${arg.value}`,
    `if (${sum} <= ${SAFE_MAX} && ${sum} >= -${SAFE_MAX}) { ${low}[${slot}] = ${sum}; ${state('counts')}[${slot}]++ }`,
    `else ${state('self')}.step(${slot}, ${arg.value}, 1)`,
  ].join('\n')
  code.line(arg.isNull === 'false' ? `{ ${step} }` : `if (!(${arg.isNull})) { ${step} }`)
}

/** The largest unscaled value of the type: 10^p − 1, or 2⁶³ − 1. */
const limitOf = (type: DataType): bigint =>
  type.kind === 'decimal' ? 10n ** BigInt(type.precision) - 1n : 9223372036854775807n

function sumOf(type: DataType): Finish {
  const limit = limitOf(type)
  return (sum) => {
    if (typeof sum === 'number') return sum
    if (sum > limit || sum < -limit) throw new RowFailure('row_numeric_overflow', 'SUM does not fit its type')
    return exact(sum)
  }
}

/** sum / count with the result's scale, rounded half away from zero. */
function averageOf(call: BoundAggregate): Finish {
  const from = call.args[0]!.type
  const scaleIn = from.kind === 'decimal' ? from.scale : 0
  const scaleOut = call.type.kind === 'decimal' ? call.type.scale : 0
  const factor = 10n ** BigInt(scaleOut - scaleIn)
  const limit = limitOf(call.type)
  return (sum, count) => {
    const n = BigInt(count)
    const scaled = BigInt(sum) * factor
    const magnitude = scaled < 0n ? -scaled : scaled
    const rounded = (2n * magnitude + n) / (2n * n)
    if (rounded > limit) throw new RowFailure('row_numeric_overflow', 'AVG does not fit its type')
    return exact(scaled < 0n ? -rounded : rounded)
  }
}
