import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { Value } from '../../core/values.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { grownF64, grownU8 } from './grow.ts'

/** MIN or MAX of DOUBLE; NaN is the greatest value. */
class ExtremeDouble implements Accumulator {
  best = new Float64Array(0)
  has = new Uint8Array(0)
  readonly #greatest: boolean

  constructor(greatest: boolean) {
    this.#greatest = greatest
  }

  reserve(slots: number): void {
    this.best = grownF64(this.best, slots)
    this.has = grownU8(this.has, slots)
  }

  add(slot: number, args: readonly Value[]): void {
    const value = args[0] as number | null
    if (value === null) return
    const best = this.best[slot]!
    if (this.has[slot] === 1 && !(this.#greatest ? above(value, best) : above(best, value))) return
    this.has[slot] = 1
    this.best[slot] = value
  }

  result(slot: number): Value {
    return this.has[slot] === 1 ? this.best[slot]! : null
  }

  write(from: number, to: number, out: ColumnBuilder): void {
    out.appendNumbers(this.best, this.has, from, to)
  }

  clear(slots: number): void {
    this.has.fill(0, 0, slots)
  }
}

const above = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b))

export function extremeDoubleKind(greatest: boolean): AccumulatorKind {
  return {
    create: () => new ExtremeDouble(greatest),
    emitAdd(code, slot, [arg], state) {
      const { value, isNull } = arg!
      const [x, best, has] = [code.name('x'), state('best'), state('has')]
      const now = `${best}[${slot}]`
      const beats = greatest
        ? `${x} > ${now} || (${x} !== ${x} && ${now} === ${now})`
        : `${x} < ${now} || (${now} !== ${now} && ${x} === ${x})`
      const step = `const ${x} = ${value}; if (${has}[${slot}] === 0 || ${beats}) { ${has}[${slot}] = 1; ${now} = ${x} }`
      code.line(isNull === 'false' ? `{ ${step} }` : `if (!(${isNull})) { ${step} }`)
    },
  }
}
