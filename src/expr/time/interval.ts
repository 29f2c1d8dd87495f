import { type ExactInteger, exact, type Interval } from '../../core/values.ts'
import { addExact, isSafe, multiplyExact } from '../exact.ts'
import { RowFailure } from '../functions.ts'
import {
  checkTimestamp,
  civilOfDays,
  dayOfMicros,
  daysInMonth,
  daysOfCivil,
  MICROS_PER_DAY,
  microsOf,
  timeOfMicros,
} from './civil.ts'

function checked(months: number, days: number, micros: number): Interval {
  if (!isSafe(micros) || Math.abs(months) > 2147483647 || Math.abs(days) > 2147483647) {
    throw new RowFailure('row_numeric_overflow', 'interval out of range')
  }
  return { months: months + 0, days: days + 0, micros: micros + 0 }
}

/** Days and time, of one sign. */
export function intervalOfMicros(micros: ExactInteger): Interval {
  const days = typeof micros === 'number' ? Math.trunc(micros / MICROS_PER_DAY) : Number(micros / 86_400_000_000n)
  return checked(0, days, Number(addExact(micros, multiplyExact(-days, MICROS_PER_DAY))))
}

export const addIntervals = (a: Interval, b: Interval): Interval =>
  checked(a.months + b.months, a.days + b.days, a.micros + b.micros)

export const negateInterval = (a: Interval): Interval => checked(-a.months, -a.days, -a.micros)

/** Fractions of a month become days of 1/30, fractions of a day become time. */
export function scaleInterval(a: Interval, factor: number): Interval {
  const months = a.months * factor
  const wholeMonths = Math.trunc(months)
  const days = a.days * factor + (months - wholeMonths) * 30
  const wholeDays = Math.trunc(days)
  const micros = a.micros * factor + Math.round((days - wholeDays) * MICROS_PER_DAY)
  if (!Number.isFinite(micros)) throw new RowFailure('row_numeric_overflow', 'interval out of range')
  return checked(wholeMonths, wholeDays, Math.round(micros))
}

/** Length for comparing: a month is 30 days, a day 24 hours. */
const lengthMicros = (a: Interval): ExactInteger =>
  addExact(multiplyExact(a.months * 30 + a.days, MICROS_PER_DAY), a.micros)

export function compareIntervals(a: Interval, b: Interval): number {
  const [x, y] = [lengthMicros(a), lengthMicros(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** Adds the months (clipped to the month's end), then days and time; `sign` −1 takes them away. */
export function shiftTimestamp(micros: ExactInteger, by: Interval, sign: 1 | -1): ExactInteger {
  let moved = micros
  if (by.months !== 0) moved = microsOf(shiftMonths(dayOfMicros(micros), sign * by.months), timeOfMicros(micros))
  if (by.days !== 0) moved = addExact(moved, multiplyExact(sign * by.days, MICROS_PER_DAY))
  return checkTimestamp(addExact(moved, sign * by.micros))
}

/** The day `months` later, clipped to the month's end. */
export function shiftMonths(days: number, months: number): number {
  const { year, month, day } = civilOfDays(days)
  const total = year * 12 + (month - 1) + months
  const newYear = Math.floor(total / 12)
  const newMonth = total - newYear * 12 + 1
  return daysOfCivil(newYear, newMonth, Math.min(day, daysInMonth(newYear, newMonth)))
}

/** Interval without months as microseconds; undefined with months. */
export const fixedMicros = (by: Interval): ExactInteger | undefined =>
  by.months === 0 ? exact(BigInt(by.days) * 86_400_000_000n + BigInt(by.micros)) : undefined
