import type { ColumnBuilder } from '../../core/column-builder.ts'
import type { Value } from '../../core/values.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { type Place, RowsTaken } from './group-cells.ts'

/** COUNT(*) without arguments; COUNT(x) counts values that are not NULL. It needs nothing but the rows it skips. */
class Count implements Accumulator {
  readonly #rows: RowsTaken

  constructor(place: Place) {
    this.#rows = new RowsTaken(place.cells)
  }

  add(slot: number, args: readonly Value[]): void {
    if (args.includes(null)) this.#rows.skip(slot, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    if (args.includes(null)) this.#rows.skip(slot, -1)
  }

  skip(slot: number, sign: 1 | -1): void {
    this.#rows.skip(slot, sign)
  }

  result(slot: number): Value {
    return this.#rows.of(slot)
  }

  write(from: number, to: number, out: ColumnBuilder): void {
    for (let slot = from; slot < to; slot++) out.appendNumber(this.#rows.of(slot))
  }

  clear(): void {
    this.#rows.clear()
  }

  snapshot(out: StateWriter, slots: number): void {
    this.#rows.snapshot(out, slots)
  }

  restore(state: StateReader): void {
    this.#rows.restore(state)
  }
}

export const countKind: AccumulatorKind = {
  cells: 0,
  create: (place) => new Count(place),
  emitAdd(code, args, names) {
    const nulls = args.map((arg) => arg.isNull).filter((text) => text !== 'false')
    if (nulls.length > 0) code.line(`if (${nulls.join(' || ')}) ${names.self()}.skip(${names.slot}, 1)`)
  },
}
