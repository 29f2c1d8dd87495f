import type { Interval, Value } from '../../core/values.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { readRecords, writeRecords } from './slot-state.ts'

const DAY = 86_400_000_000

/** SUM and AVG of INTERVAL: months, days and microseconds apart. AVG carries fractions down: a month is 30 days. */
class SumInterval implements Accumulator {
  readonly #average: boolean
  #slots: { n: number; months: number; days: number; micros: number }[] = []

  constructor(average: boolean) {
    this.#average = average
  }

  reserve(slots: number): void {
    while (this.#slots.length < slots) this.#slots.push({ n: 0, months: 0, days: 0, micros: 0 })
  }

  add(slot: number, args: readonly Value[]): void {
    this.#step(slot, args[0] as Interval | null, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    this.#step(slot, args[0] as Interval | null, -1)
  }

  #step(slot: number, value: Interval | null, sign: 1 | -1): void {
    if (value === null) return
    const sums = this.#slots[slot]!
    sums.n += sign
    sums.months += sign * value.months
    sums.days += sign * value.days
    sums.micros += sign * value.micros
  }

  result(slot: number): Value {
    const { n, months, days, micros } = this.#slots[slot]!
    if (n === 0) return null
    if (!this.#average) return { months, days, micros }
    const wholeMonths = Math.trunc(months / n)
    const allDays = (months / n - wholeMonths) * 30 + days / n
    const wholeDays = Math.trunc(allDays)
    return { months: wholeMonths, days: wholeDays, micros: Math.round((allDays - wholeDays) * DAY + micros / n) }
  }

  clear(slots: number): void {
    this.#slots = this.#slots.slice(slots)
  }

  snapshot(out: StateWriter, slots: number): void {
    writeRecords(out, 4, slots, (slot) => {
      const { n, months, days, micros } = this.#slots[slot]!
      return [n, months, days, micros]
    })
  }

  restore(state: StateReader, slots: number): void {
    this.#slots = readRecords(state, 4, slots, ([n, months, days, micros]) => ({
      n: n!,
      months: months!,
      days: days!,
      micros: micros!,
    }))
  }
}

export const sumIntervalKind = (average: boolean): AccumulatorKind => ({
  cells: 0,
  create: () => new SumInterval(average),
})
