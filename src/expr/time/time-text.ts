import type { ExactInteger, Interval } from '../../core/values.ts'
import {
  civilOfDays,
  dayOfMicros,
  daysInMonth,
  daysOfCivil,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MICROS_PER_SECOND,
  microsOf,
  timeOfMicros,
} from './civil.ts'

export const pad = (value: number, width: number): string => String(value).padStart(width, '0')

/** `2026-01-31`. */
export function dateText(days: number): string {
  const { year, month, day } = civilOfDays(days)
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** `10:00:00.5`: fraction without trailing zeros. */
function timeText(micros: number): string {
  const seconds = Math.floor(micros / MICROS_PER_SECOND)
  const fraction = micros - seconds * MICROS_PER_SECOND
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return fraction === 0 ? clock : `${clock}.${pad(fraction, 6).replace(/0+$/, '')}`
}

/** PostgreSQL form: `2026-01-31 10:00:00`; `zoned` adds `+00`. */
export function timestampText(micros: ExactInteger, zoned = false): string {
  return `${dateText(dayOfMicros(micros))} ${timeText(timeOfMicros(micros))}${zoned ? '+00' : ''}`
}

/** JSON form: `2026-01-31T10:00:00Z` with 0, 3 or 6 fraction digits. */
export function timestampJson(micros: ExactInteger): string {
  const time = timeOfMicros(micros)
  const fraction = time % MICROS_PER_SECOND
  const clock = timeText(time - fraction)
  const digits = fraction === 0 ? '' : fraction % 1000 === 0 ? `.${pad(fraction / 1000, 3)}` : `.${pad(fraction, 6)}`
  return `${dateText(dayOfMicros(micros))}T${clock}${digits}Z`
}

/** PostgreSQL form: `1 year 2 mons 3 days 04:05:06.5`; `00:00:00` for none. */
export function intervalText({ months, days, micros }: Interval): string {
  const years = Math.trunc(months / 12)
  const rest = months % 12
  const parts: string[] = []
  let signed = false
  const part = (value: number, one: string, many: string) => {
    if (value === 0) return
    parts.push(`${signed && value > 0 ? '+' : ''}${value} ${value === 1 ? one : many}`)
    signed = value < 0
  }
  part(years, 'year', 'years')
  part(rest, 'mon', 'mons')
  part(days, 'day', 'days')
  if (micros !== 0 || parts.length === 0) {
    parts.push(`${micros < 0 ? '-' : signed ? '+' : ''}${timeText(Math.abs(micros))}`)
  }
  return parts.join(' ')
}

/** ISO 8601: `P1Y2M3DT4H5M6.5S`; `PT0S` for none. */
export function intervalIso({ months, days, micros }: Interval): string {
  const years = Math.trunc(months / 12)
  const date = [years && `${years}Y`, months % 12 && `${months % 12}M`, days && `${days}D`].filter(Boolean).join('')
  const hours = Math.trunc(micros / MICROS_PER_HOUR)
  const minutes = Math.trunc((micros % MICROS_PER_HOUR) / MICROS_PER_MINUTE)
  const time = [hours && `${hours}H`, minutes && `${minutes}M`, secondsIso(micros % MICROS_PER_MINUTE)]
    .filter(Boolean)
    .join('')
  if (date === '' && time === '') return 'PT0S'
  return `P${date}${time === '' ? '' : `T${time}`}`
}

function secondsIso(micros: number): string {
  if (micros === 0) return ''
  const seconds = Math.trunc(Math.abs(micros) / MICROS_PER_SECOND)
  const fraction = Math.abs(micros) % MICROS_PER_SECOND
  const digits = fraction === 0 ? '' : `.${pad(fraction, 6).replace(/0+$/, '')}`
  return `${micros < 0 ? '-' : ''}${seconds}${digits}S`
}

const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})$/
const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?$/

function daysOf(year: number, month: number, day: number): number | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  return daysOfCivil(year, month, day)
}

/** Days of `2026-01-31`; undefined when it is no date of the years 1 … 9999. A time behind it is cut off. */
export function parseDate(text: string): number | undefined {
  const trimmed = text.trim()
  const match = DATE.exec(trimmed)
  if (match !== null) return daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
  const micros = parseTimestamp(trimmed)
  return micros === undefined ? undefined : dayOfMicros(micros)
}

/**
 * Microseconds of ISO 8601 text: blank or `T`, 0–9 fraction digits rounded to microseconds; an offset is applied and
 * the result is UTC.
 */
export function parseTimestamp(text: string): ExactInteger | undefined {
  const match = TIMESTAMP.exec(text.trim())
  if (match === null) return undefined
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
  const [hour, minute, second] = [Number(match[4] ?? 0), Number(match[5] ?? 0), Number(match[6] ?? 0)]
  if (days === undefined || hour > 24 || minute > 59 || second > 60) return undefined
  if (hour === 24 && (minute > 0 || second > 0 || Number(match[7] ?? 0) > 0)) return undefined
  const fraction = match[7] === undefined ? 0 : Math.round(Number(match[7].padEnd(9, '0')) / 1000)
  const offset = offsetMicros(match[8])
  if (offset === undefined) return undefined
  const time = ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + fraction - offset
  const micros = microsOf(days, time)
  const day = dayOfMicros(micros)
  return day < -719_162 || day > 2_932_896 ? undefined : micros
}

/** True when a timestamp as text says its distance from UTC. */
export const hasOffset = (text: string): boolean => TIMESTAMP.exec(text.trim())?.[8] !== undefined

function offsetMicros(text: string | undefined): number | undefined {
  if (text === undefined || !/[+-]/.test(text)) return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(3).replace(':', '') || '0')
  if (hours > 15 || minutes > 59) return undefined
  return (text[0] === '-' ? -1 : 1) * (hours * MICROS_PER_HOUR + minutes * MICROS_PER_MINUTE)
}
