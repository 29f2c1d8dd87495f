import type { Interval } from '../../core/values.ts'
import { MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND } from './civil.ts'

/** A unit of time: what one of it is. */
export interface TimeUnit {
  readonly name: TimeUnitName
  readonly months: number
  readonly days: number
  readonly micros: number
}

type TimeUnitName =
  | 'nanosecond'
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'quarter'
  | 'year'
  | 'decade'
  | 'century'

const unit = (name: TimeUnitName, months: number, days: number, micros: number): TimeUnit => ({
  name,
  months,
  days,
  micros,
})

const UNITS: readonly (readonly [TimeUnit, readonly string[]])[] = [
  [unit('nanosecond', 0, 0, 0.001), ['ns', 'nanosecond', 'nanoseconds']],
  [unit('microsecond', 0, 0, 1), ['us', 'µs', 'microsecond', 'microseconds']],
  [unit('millisecond', 0, 0, 1000), ['ms', 'millisecond', 'milliseconds']],
  [unit('second', 0, 0, MICROS_PER_SECOND), ['s', 'sec', 'secs', 'second', 'seconds']],
  [unit('minute', 0, 0, MICROS_PER_MINUTE), ['m', 'min', 'mins', 'minute', 'minutes']],
  [unit('hour', 0, 0, MICROS_PER_HOUR), ['h', 'hr', 'hrs', 'hour', 'hours']],
  [unit('day', 0, 1, 0), ['d', 'day', 'days']],
  [unit('week', 0, 7, 0), ['w', 'week', 'weeks']],
  [unit('month', 1, 0, 0), ['mon', 'mons', 'month', 'months']],
  [unit('quarter', 3, 0, 0), ['quarter', 'quarters']],
  [unit('year', 12, 0, 0), ['y', 'yr', 'yrs', 'year', 'years']],
  [unit('decade', 120, 0, 0), ['decade', 'decades']],
  [unit('century', 1200, 0, 0), ['century', 'centuries']],
]

const byName = new Map(UNITS.flatMap(([u, names]) => names.map((name) => [name, u] as const)))

/** A unit in any spelling, case-insensitive. */
export const timeUnit = (name: string): TimeUnit | undefined => byName.get(name.toLowerCase())

/** `count` units; a fraction of a month becomes days of 1/30, of a day becomes time. Nanoseconds round to microseconds. */
function intervalOf(count: number, of: TimeUnit): Interval {
  const months = count * of.months
  const wholeMonths = Math.trunc(months)
  const days = count * of.days + (months - wholeMonths) * 30
  const wholeDays = Math.trunc(days + Math.sign(days) * 1e-9)
  const micros = Math.round(count * of.micros + (days - wholeDays) * 86_400_000_000)
  return { months: wholeMonths + 0, days: wholeDays + 0, micros: micros + 0 }
}

/**
 * Interval text: `1 day 02:30:00`, `5m`, `1h30m`, `2 years 3 mons`, `-1 week`, `P1DT2H`; undefined when it is none. A bare
 * number counts seconds.
 */
export function parseInterval(text: string): Interval | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  if (/^[+-]?P/i.test(trimmed)) return parseIso(trimmed)
  const total = { months: 0, days: 0, micros: 0 }
  const token = /\s*([+-]?)(?:(\d+):(\d{2})(?::(\d{2}(?:\.\d{1,9})?))?|(\d+(?:\.\d+)?)\s*([a-zµ]+)?)/iy
  while (token.lastIndex < trimmed.length) {
    const match = token.exec(trimmed)
    if (match === null) return undefined
    const sign = match[1] === '-' ? -1 : 1
    const part = match[2] !== undefined ? clockPart(match) : countPart(match)
    if (part === undefined) return undefined
    total.months += sign * part.months
    total.days += sign * part.days
    total.micros += sign * part.micros
  }
  if (!Number.isSafeInteger(total.micros)) return undefined
  return { months: total.months + 0, days: total.days + 0, micros: total.micros + 0 }
}

function clockPart(match: RegExpExecArray): Interval | undefined {
  const [hours, minutes, seconds] = [Number(match[2]), Number(match[3]), Number(match[4] ?? 0)]
  if (minutes > 59 || seconds >= 60) return undefined
  return {
    months: 0,
    days: 0,
    micros: hours * MICROS_PER_HOUR + minutes * MICROS_PER_MINUTE + Math.round(seconds * MICROS_PER_SECOND),
  }
}

function countPart(match: RegExpExecArray): Interval | undefined {
  const named = timeUnit(match[6] ?? 's')
  return named && intervalOf(Number(match[5]), named)
}

const ISO =
  /^([+-]?)P(?:(-?[\d.]+)Y)?(?:(-?[\d.]+)M)?(?:(-?[\d.]+)W)?(?:(-?[\d.]+)D)?(?:T(?:(-?[\d.]+)H)?(?:(-?[\d.]+)M)?(?:(-?[\d.]+)S)?)?$/i
const ISO_UNITS = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const

function parseIso(text: string): Interval | undefined {
  const match = ISO.exec(text)
  if (match === null || match.slice(2).every((part) => part === undefined)) return undefined
  const sign = match[1] === '-' ? -1 : 1
  let [months, days, micros] = [0, 0, 0]
  for (const [i, name] of ISO_UNITS.entries()) {
    const count = Number(match[i + 2] ?? 0)
    if (Number.isNaN(count)) return undefined
    const part = intervalOf(sign * count, timeUnit(name)!)
    months += part.months
    days += part.days
    micros += part.micros
  }
  return { months, days, micros }
}
