import { jsonText } from '../../core/json-text.ts'
import type { DataType } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'

/** DISTINCT inside a call: a value goes in when it first comes and out when its last row is taken back. */
class Distinct implements Accumulator {
  readonly #inner: Accumulator
  readonly #types: readonly DataType[]
  #slots: Map<string, number>[] = []

  constructor(inner: Accumulator, types: readonly DataType[]) {
    this.#inner = inner
    this.#types = types
  }

  reserve(slots: number): void {
    while (this.#slots.length < slots) this.#slots.push(new Map())
    this.#inner.reserve?.(slots)
  }

  add(slot: number, args: readonly Value[], order: readonly Value[]): void {
    const key = this.#key(args)
    const counts = this.#slots[slot]!
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    if (count === 0) this.#inner.add(slot, args, order)
    else this.#inner.skip?.(slot, 1)
  }

  retract(slot: number, args: readonly Value[], order: readonly Value[]): void {
    const key = this.#key(args)
    const counts = this.#slots[slot]!
    const count = counts.get(key) ?? 0
    if (count > 1) {
      counts.set(key, count - 1)
      this.#inner.skip?.(slot, -1)
    } else {
      counts.delete(key)
      this.#inner.retract!(slot, args, order)
    }
  }

  skip(slot: number, sign: 1 | -1): void {
    this.#inner.skip?.(slot, sign)
  }

  #key(args: readonly Value[]): string {
    const [only] = args
    if (args.length === 1 && typeof only === 'string') return only
    return args
      .map((value, i) => (value === null ? 'null' : jsonText(value === 0 ? 0 : value, this.#types[i]!)))
      .join('\u0000')
  }

  result(slot: number): Value {
    return this.#inner.result(slot)
  }

  clear(slots: number): void {
    for (let slot = 0; slot < slots; slot++) this.#slots[slot]?.clear()
    this.#inner.clear(slots)
  }

  snapshot(out: StateWriter, slots: number): void {
    for (let slot = 0; slot < slots; slot++) {
      out.list(this.#slots[slot]!, ([key, count]) => {
        out.text(key)
        out.f64(count)
      })
    }
    this.#inner.snapshot(out, slots)
  }

  restore(state: StateReader, slots: number): void {
    for (let slot = 0; slot < slots; slot++) {
      this.#slots[slot] = new Map(state.list(() => [state.text(), state.f64()] as const))
    }
    this.#inner.restore(state, slots)
  }
}

export const distinctKind = (kind: AccumulatorKind, types: readonly DataType[]): AccumulatorKind => ({
  cells: kind.cells,
  create: (place) => new Distinct(kind.create(place), types),
})
