import type { ExactInteger } from '../../core/values.ts'
import { addExact, divideFloor, multiplyExact, subtractExact } from '../exact.ts'
import { RowFailure } from '../functions.ts'

export const MICROS_PER_SECOND = 1_000_000
export const MICROS_PER_MINUTE = 60_000_000
export const MICROS_PER_HOUR = 3_600_000_000
export const MICROS_PER_DAY = 86_400_000_000

/** 0001-01-01 and 9999-12-31 as days since 1970-01-01. */
export const DATE_MIN = -719_162
export const DATE_MAX = 2_932_896
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z in microseconds. */
const TIMESTAMP_MIN = -62_135_596_800_000_000n
const TIMESTAMP_MAX = 253_402_300_799_999_999n

export interface CivilDate {
  readonly year: number
  /** 1 … 12. */
  readonly month: number
  /** 1 … 31. */
  readonly day: number
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar; a month outside 1 … 12 carries into the year. */
export function daysOfCivil(year: number, month: number, day: number): number {
  const months = year * 12 + (month - 1)
  const m = months - 12 * Math.floor(months / 12) + 1
  const y = Math.floor(months / 12) - (m <= 2 ? 1 : 0)
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

export function civilOfDays(days: number): CivilDate {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

const isLeapYear = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days since 1970-01-01, rounded down, of an instant in microseconds. */
export const dayOfMicros = (micros: ExactInteger): number => Number(divideFloor(micros, MICROS_PER_DAY))

/** Microseconds since midnight. */
export const timeOfMicros = (micros: ExactInteger): number =>
  typeof micros === 'number'
    ? micros - Math.floor(micros / MICROS_PER_DAY) * MICROS_PER_DAY
    : Number(subtractExact(micros, multiplyExact(dayOfMicros(micros), MICROS_PER_DAY)))

export const microsOf = (days: number, time: number): ExactInteger =>
  addExact(multiplyExact(days, MICROS_PER_DAY), time)

/** The day itself when it is of the years 1 … 9999; else the row fails. */
export function checkDate(days: number): number {
  if (days >= DATE_MIN && days <= DATE_MAX) return days
  throw new RowFailure('row_numeric_overflow', 'date outside the years 1 to 9999')
}

/** The instant itself when it is of the years 1 … 9999; else the row fails. */
export function checkTimestamp(micros: ExactInteger): ExactInteger {
  // Every safe integer is an instant of the years 1684 to 2255.
  if (typeof micros === 'number' || (micros >= TIMESTAMP_MIN && micros <= TIMESTAMP_MAX)) return micros
  throw new RowFailure('row_numeric_overflow', 'timestamp outside the years 1 to 9999')
}

/** Monday = 1 … Sunday = 7. */
export const isoDayOfWeek = (days: number): number => ((((days + 3) % 7) + 7) % 7) + 1

/** 1 … 366. */
export const dayOfYear = (days: number): number => days - daysOfCivil(civilOfDays(days).year, 1, 1) + 1

/** ISO 8601 week: the week belongs to the year of its Thursday. */
export function isoWeek(days: number): { year: number; week: number } {
  const thursday = days - isoDayOfWeek(days) + 4
  const { year } = civilOfDays(thursday)
  return { year, week: Math.floor((thursday - daysOfCivil(year, 1, 1)) / 7) + 1 }
}
