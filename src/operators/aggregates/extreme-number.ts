import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { Value } from '../../core/values.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { grownF64, grownU8 } from './grow.ts'

/** MIN or MAX of INT, BIGINT, DECIMAL, DATE and times: safe values in an array, wide ones beside it. */
class ExtremeNumber implements Accumulator {
  best = new Float64Array(0)
  has = new Uint8Array(0)
  readonly wide = new Map<number, bigint>()
  readonly #greatest: boolean

  constructor(greatest: boolean) {
    this.#greatest = greatest
  }

  reserve(slots: number): void {
    this.best = grownF64(this.best, slots)
    this.has = grownU8(this.has, slots)
  }

  add(slot: number, args: readonly Value[]): void {
    const value = args[0] as number | bigint | null
    if (value === null) return
    if (this.has[slot] === 1) {
      const now = this.wide.get(slot) ?? this.best[slot]!
      if (this.#greatest ? value <= now : value >= now) return
    }
    this.has[slot] = 1
    if (typeof value === 'bigint') {
      this.wide.set(slot, value)
      // The nearest float64: generated code compares with it and hands ties to `add`.
      this.best[slot] = Number(value)
    } else {
      this.wide.delete(slot)
      this.best[slot] = value
    }
  }

  result(slot: number): Value {
    if (this.has[slot] !== 1) return null
    return this.wide.get(slot) ?? this.best[slot]!
  }

  write(from: number, to: number, out: ColumnBuilder): void {
    if (this.wide.size === 0) out.appendNumbers(this.best, this.has, from, to)
    else for (let slot = from; slot < to; slot++) out.append(this.result(slot))
  }

  clear(slots: number): void {
    this.has.fill(0, 0, slots)
    this.wide.clear()
  }
}

export function extremeNumberKind(greatest: boolean): AccumulatorKind {
  return {
    create: () => new ExtremeNumber(greatest),
    emitAdd(code, slot, [arg], state) {
      const { value, isNull } = arg!
      const best = state('best')
      const has = state('has')
      const beats = `${value} ${greatest ? '>' : '<'} ${best}[${slot}]`
      const step = `if (${has}[${slot}] === 0) { ${has}[${slot}] = 1; ${best}[${slot}] = ${value} } else if (${beats}) ${state('self')}.add(${slot}, [${value}])`
      code.line(isNull === 'false' ? step : `if (!(${isNull})) { ${step} }`)
    },
  }
}
