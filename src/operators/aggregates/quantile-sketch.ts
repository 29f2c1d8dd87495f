import type { Value } from '../../core/values.ts'
import { compareDoubles } from '../../expr/compare.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { readRecords, readSlots, writeRecords, writeSlots } from './slot-state.ts'

/** Half of the promised rank error: an answer is at most `ERROR · n` ranks off. */
const ERROR = 0.005

/** `value` stands for `gap` rows; its rank is uncertain by `spread`. */
interface Tuple {
  readonly value: number
  readonly gap: number
  readonly spread: number
}

/** A summary of quantiles after Greenwald and Khanna: some 1/ERROR tuples whatever the number of rows. */
class QuantileSketch {
  #tuples: Tuple[] = []
  #buffer: number[] = []
  #count = 0

  add(value: number): void {
    this.#buffer.push(value)
    if (this.#buffer.length >= 256) this.#flush()
  }

  /** Merges the buffered values, then joins tuples whose rows and uncertainty fit the error. */
  #flush(): void {
    if (this.#buffer.length === 0) return
    const values = this.#buffer.sort(compareDoubles)
    this.#buffer = []
    const merged: Tuple[] = []
    let next = 0
    for (const value of values) {
      while (next < this.#tuples.length && compareDoubles(this.#tuples[next]!.value, value) <= 0) {
        merged.push(this.#tuples[next++]!)
      }
      const isEdge = merged.length === 0 || next === this.#tuples.length
      const above = this.#tuples[next]
      merged.push({ value, gap: 1, spread: isEdge || above === undefined ? 0 : above.gap + above.spread - 1 })
    }
    while (next < this.#tuples.length) merged.push(this.#tuples[next++]!)
    this.#count += values.length
    this.#tuples = compressed(merged, Math.floor(2 * ERROR * this.#count))
  }

  snapshot(out: StateWriter): void {
    out.f64(this.#count)
    out.f64s(Float64Array.from(this.#buffer))
    out.u32(this.#tuples.length)
    writeRecords(out, 3, this.#tuples.length, (i) => {
      const { value, gap, spread } = this.#tuples[i]!
      return [value, gap, spread]
    })
  }

  static restored(state: StateReader): QuantileSketch {
    const sketch = new QuantileSketch()
    sketch.#count = state.f64()
    sketch.#buffer = [...state.f64s()]
    sketch.#tuples = readRecords(state, 3, state.u32(), ([value, gap, spread]) => ({
      value: value!,
      gap: gap!,
      spread: spread!,
    }))
    return sketch
  }

  quantile(share: number): number | null {
    this.#flush()
    if (this.#count === 0) return null
    const wanted = Math.max(1, Math.ceil(share * this.#count))
    const allowed = ERROR * this.#count
    let rank = 0
    for (const [i, tuple] of this.#tuples.entries()) {
      rank += tuple.gap
      const following = this.#tuples[i + 1]
      if (following === undefined || rank + following.gap + following.spread > wanted + allowed) return tuple.value
    }
    return null
  }
}

function compressed(tuples: readonly Tuple[], limit: number): Tuple[] {
  const kept: Tuple[] = []
  for (let i = tuples.length - 1; i >= 0; i--) {
    const tuple = tuples[i]!
    const above = kept.at(-1)
    const joins = above !== undefined && i > 0 && kept.length > 1 && tuple.gap + above.gap + above.spread <= limit
    if (joins) kept[kept.length - 1] = { ...above, gap: above.gap + tuple.gap }
    else kept.push(tuple)
  }
  return kept.reverse()
}

/** APPROX_PERCENTILE: rank error at most 1 %; several shares give an array. */
class ApproximatePercentile implements Accumulator {
  readonly #shares: readonly number[]
  #slots: (QuantileSketch | undefined)[] = []

  constructor(shares: readonly number[]) {
    this.#shares = shares
  }

  reserve(slots: number): void {
    while (this.#slots.length < slots) this.#slots.push(undefined)
  }

  add(slot: number, args: readonly Value[]): void {
    const value = args[0] as number | null
    if (value === null) return
    let sketch = this.#slots[slot]
    if (sketch === undefined) {
      sketch = new QuantileSketch()
      this.#slots[slot] = sketch
    }
    sketch.add(value)
  }

  result(slot: number): Value {
    const sketch = this.#slots[slot]
    if (sketch === undefined) return null
    const answers = this.#shares.map((share) => sketch.quantile(share))
    return answers.length === 1 ? answers[0]! : answers
  }

  clear(slots: number): void {
    this.#slots.fill(undefined, 0, slots)
  }

  snapshot(out: StateWriter, slots: number): void {
    writeSlots(out, this.#slots, slots, (sketch) => sketch.snapshot(out))
  }

  restore(state: StateReader, slots: number): void {
    this.#slots = readSlots(state, slots, () => QuantileSketch.restored(state))
  }
}

export const sketchKind = (shares: readonly number[]): AccumulatorKind => ({
  cells: 0,
  create: () => new ApproximatePercentile(shares),
})
