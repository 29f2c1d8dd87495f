import type { Value } from '../../core/values.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import type { GroupCells, Place } from './group-cells.ts'
import { readWide, writeWide } from './slot-state.ts'

/**
 * MIN or MAX of INT, BIGINT, DECIMAL, DATE and times: safe values in a cell, wide ones beside it. Its second cell is 1
 * once there is a value.
 */
class ExtremeNumber implements Accumulator {
  readonly wide = new Map<number, bigint>()
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
    const value = args[0] as number | bigint | null
    if (value === null) return
    const { data } = this.#cells
    const at = this.#at(slot)
    if (data[at + 1] === 1) {
      const now = this.wide.get(slot) ?? data[at]!
      if (this.#greatest ? value <= now : value >= now) return
    }
    data[at + 1] = 1
    if (typeof value === 'bigint') {
      this.wide.set(slot, value)
      // The nearest float64: generated code compares with it and hands ties to `add`.
      data[at] = Number(value)
    } else {
      this.wide.delete(slot)
      data[at] = value
    }
  }

  result(slot: number): Value {
    const { data } = this.#cells
    const at = this.#at(slot)
    if (data[at + 1] !== 1) return null
    return this.wide.get(slot) ?? data[at]!
  }

  clear(): void {
    this.wide.clear()
  }

  snapshot(out: StateWriter): void {
    writeWide(out, this.wide)
  }

  restore(state: StateReader): void {
    readWide(state, this.wide)
  }
}

export function extremeNumberKind(greatest: boolean): AccumulatorKind {
  return {
    cells: 2,
    create: (place) => new ExtremeNumber(greatest, place),
    emitAdd(code, [arg], names) {
      const { value, isNull } = arg!
      const [best, has] = [names.cell(0), names.cell(1)]
      const beats = `${value} ${greatest ? '>' : '<'} ${best}`
      const add = `${names.self()}.add(${names.slot}, [${value}])`
      const step = `if (${has} === 0) { ${has} = 1; ${best} = ${value} } else if (${beats}) ${add}`
      code.line(isNull === 'false' ? step : `if (!(${isNull})) { ${step} }`)
    },
  }
}
