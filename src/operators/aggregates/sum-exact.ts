import { type Column, RATIO_SCALE } from '../../core/column.ts'
import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { DataType } from '../../core/types.ts'
import { type ExactInteger, exact, SAFE_MAX, type Value } from '../../core/values.ts'
import type { BoundAggregate } from '../../expr/bound.ts'
import { RowFailure } from '../../expr/functions.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import { type Accumulator, type AccumulatorKind, unlessNull } from './accumulator.ts'
import { type GroupCells, type Place, RowsTaken } from './group-cells.ts'
import { readWide, writeWide } from './slot-state.ts'

/**
 * SUM and AVG of integers and decimals (their scaled integers). The sum is `low`, a safe integer, plus what has left
 * the safe lane, kept as a bigint by slot: no input overflows it (rulings 32); only a result that does not fit its type
 * fails.
 */
class SumExact implements Accumulator {
  readonly wide = new Map<number, bigint>()
  readonly #finish: Finish
  /** Set for means of integers: their type, with 16 digits behind the point. */
  readonly #ratio: DataType | undefined

  readonly #cells: GroupCells
  readonly #offset: number
  readonly #rows: RowsTaken

  constructor(finish: Finish, ratio: DataType | undefined, place: Place) {
    this.#finish = finish
    this.#ratio = ratio
    this.#cells = place.cells
    this.#offset = place.offset
    this.#rows = new RowsTaken(place.cells)
  }

  add(slot: number, args: readonly Value[]): void {
    if (args[0] === null) this.#rows.skip(slot, 1)
    else this.step(slot, args[0] as ExactInteger, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    if (args[0] === null) this.#rows.skip(slot, -1)
    else this.step(slot, args[0] as ExactInteger, -1)
  }

  skip(slot: number, sign: 1 | -1): void {
    this.#rows.skip(slot, sign)
  }

  #at(slot: number): number {
    return slot * this.#cells.stride + this.#offset
  }

  /** `sign` 1 adds `x`, −1 takes it back. */
  step(slot: number, x: ExactInteger, sign: 1 | -1): void {
    const { data } = this.#cells
    const at = this.#at(slot)
    const low = data[at]!
    if (typeof x === 'number') {
      const sum = low + sign * x
      if (Number.isSafeInteger(sum)) {
        data[at] = sum
        return
      }
    }
    this.wide.set(slot, (this.wide.get(slot) ?? 0n) + BigInt(low) + BigInt(sign) * BigInt(x))
    data[at] = 0
  }

  result(slot: number): Value {
    const count = this.#rows.of(slot)
    if (count === 0) return null
    const low = this.#cells.data[this.#at(slot)]!
    const wide = this.wide.size === 0 ? undefined : this.wide.get(slot)
    return this.#finish(wide === undefined ? low : exact(wide + BigInt(low)), count)
  }

  write(from: number, to: number, out: ColumnBuilder): void {
    for (let slot = from; slot < to; slot++) out.append(this.result(slot))
  }

  /** Means stay (sum, count) until something reads them (rulings 32). */
  column(from: number, to: number): Column | undefined {
    if (this.#ratio === undefined || this.wide.size > 0) return undefined
    const counts = new Float64Array(to - from)
    const sums = new Float64Array(to - from)
    const { data } = this.#cells
    for (let slot = from; slot < to; slot++) {
      counts[slot - from] = this.#rows.of(slot)
      sums[slot - from] = data[this.#at(slot)]!
    }
    const validity = counts.includes(0) ? Uint8Array.from(counts, (count) => (count === 0 ? 0 : 1)) : undefined
    return { kind: 'decimal', lane: 'ratio', type: this.#ratio, validity, sums, counts }
  }

  clear(): void {
    this.#rows.clear()
    this.wide.clear()
  }

  snapshot(out: StateWriter, slots: number): void {
    this.#rows.snapshot(out, slots)
    writeWide(out, this.wide)
  }

  restore(state: StateReader): void {
    this.#rows.restore(state)
    readWide(state, this.wide)
  }
}

type Finish = (sum: ExactInteger, count: number) => Value

export function sumExactKind(call: BoundAggregate, average: boolean): AccumulatorKind {
  const finish = average ? averageOf(call) : sumOf(call.type)
  const from = call.args[0]!.type
  const isRatio = average && from.kind !== 'decimal' && call.type.kind === 'decimal' && call.type.scale === RATIO_SCALE
  return {
    cells: 1,
    create: (place) => new SumExact(finish, isRatio ? call.type : undefined, place),
    emitAdd(code, [arg], names) {
      const { value, isNull } = arg!
      const sum = code.name('s')
      const low = names.cell(0)
      const step = [
        `const ${sum} = ${low} + ${value}`,
        `if (${sum} <= ${SAFE_MAX} && ${sum} >= -${SAFE_MAX}) ${low} = ${sum}`,
        `else ${names.self()}.step(${names.slot}, ${value}, 1)`,
      ]
      code.line(unlessNull(isNull, step.join('\n'), names))
    },
  }
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
