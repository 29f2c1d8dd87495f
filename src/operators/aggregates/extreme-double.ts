import type { Value } from '../../core/values.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import type { GroupCells, Place } from './group-cells.ts'

/** MIN or MAX of DOUBLE; NaN is the greatest value. Its cells: the value, and 1 once there is one. */
class ExtremeDouble implements Accumulator {
  readonly #greatest: boolean
  readonly #cells: GroupCells
  readonly #offset: number

  constructor(greatest: boolean, place: Place) {
    this.#greatest = greatest
    this.#cells = place.cells
    this.#offset = place.offset
  }

  #at(slot: number): number {
    return slot * this.#cells.stride + this.#offset
  }

  add(slot: number, args: readonly Value[]): void {
    const value = args[0] as number | null
    if (value === null) return
    const { data } = this.#cells
    const at = this.#at(slot)
    const best = data[at]!
    if (data[at + 1] === 1 && !(this.#greatest ? above(value, best) : above(best, value))) return
    data[at] = value
    data[at + 1] = 1
  }

  result(slot: number): Value {
    const { data } = this.#cells
    const at = this.#at(slot)
    return data[at + 1] === 1 ? data[at]! : null
  }

  clear(): void {}

  snapshot(): void {}

  restore(): void {}
}

const above = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b))

export function extremeDoubleKind(greatest: boolean): AccumulatorKind {
  return {
    cells: 2,
    create: (place) => new ExtremeDouble(greatest, place),
    emitAdd(code, [arg], names) {
      const { value, isNull } = arg!
      const x = code.name('x')
      const [best, has] = [names.cell(0), names.cell(1)]
      const beats = greatest
        ? `${x} > ${best} || (${x} !== ${x} && ${best} === ${best})`
        : `${x} < ${best} || (${best} !== ${best} && ${x} === ${x})`
      const step = `const ${x} = ${value}; if (${has} === 0 || ${beats}) { ${has} = 1; ${best} = ${x} }`
      code.line(isNull === 'false' ? `{ ${step} }` : `if (!(${isNull})) { ${step} }`)
    },
  }
}
