import { type ExactInteger, exact } from '../core/values.ts'

const ISO =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:(Z)|([+-])([0-9]{2})(?::?([0-9]{2}))?)?)?$/

/** Days since 1970-01-01 of `YYYY-MM-DD`, year 1 … 9999; undefined when it is no date. */
export function parseDateText(text: string): number | undefined {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text)
  return match === null ? undefined : daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
}

/**
 * ISO 8601 → microseconds: a date, or a date, `T` or blank, and a time to the minute or second with 1–9 fraction digits
 * (rounded half up) and `Z`, `±hh`, `±hhmm`, `±hh:mm` or nothing (UTC).
 */
export function parseIsoText(text: string): ExactInteger | undefined {
  const match = ISO.exec(text)
  if (match === null) return undefined
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
  if (days === undefined) return undefined
  const [hour, minute, second] = [Number(match[4] ?? 0), Number(match[5] ?? 0), Number(match[6] ?? 0)]
  const [offsetHours, offsetMinutes] = [Number(match[10] ?? 0), Number(match[11] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return undefined
  const offset = (offsetHours * 60 + offsetMinutes) * (match[9] === '-' ? -1 : 1)
  const seconds = days * 86_400 + hour * 3600 + (minute - offset) * 60 + second
  const nanos = Number((match[7] ?? '').padEnd(9, '0'))
  return exact(BigInt(seconds) * 1_000_000n + BigInt(Math.floor((nanos + 500) / 1000)))
}

/** Days since 1970-01-01; undefined when there is no such day. */
function daysOf(year: number, month: number, day: number): number | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime() / 86_400_000
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** An integer time in microseconds; `auto`: its size tells s (< 10¹¹), ms (< 10¹⁴), µs (< 10¹⁷) or ns. */
export function microsOf(value: ExactInteger, unit: 'auto' | 's' | 'ms' | 'us' | 'ns'): ExactInteger | undefined {
  if (typeof value === 'number' && unit === 'auto') {
    const size = Math.abs(value)
    const micros = value * (size < 1e11 ? 1e6 : size < 1e14 ? 1e3 : 1)
    if (size < 1e17 && Number.isSafeInteger(micros)) return micros
  }
  const v = BigInt(value)
  const size = v < 0n ? -v : v
  let known = unit
  if (unit === 'auto') known = size < 10n ** 11n ? 's' : size < 10n ** 14n ? 'ms' : size < 10n ** 17n ? 'us' : 'ns'
  if (known === 'us') return exact(v)
  if (known === 'ns') return exact(floorDivide(v + 500n, 1000n))
  const micros = v * (known === 's' ? 1_000_000n : 1000n)
  return micros > 9223372036854775807n || micros < -9223372036854775807n ? undefined : exact(micros)
}

const floorDivide = (a: bigint, b: bigint): bigint => (a >= 0n || a % b === 0n ? a / b : a / b - 1n)

/** `YYYY-MM-DD`; years beyond 0 … 9999 with a sign and six digits. */
export function formatDate(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, -14)
}

/** `2026-01-31T10:00:00Z` with 0, 3 or 6 fraction digits. */
export function formatIso(micros: ExactInteger): string {
  const v = BigInt(micros)
  const seconds = Number(floorDivide(v, 1_000_000n))
  const part = Number(v - BigInt(seconds) * 1_000_000n)
  const days = Math.floor(seconds / 86_400)
  const rest = seconds - days * 86_400
  const two = (n: number): string => String(n).padStart(2, '0')
  const text = `${dayText(days)}T${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`
  if (part === 0) return `${text}Z`
  const digits = String(part).padStart(6, '0')
  return `${text}.${digits.endsWith('000') ? digits.slice(0, 3) : digits}Z`
}

/** As `formatDate`, also beyond what Date can hold (±271,821 years). */
function dayText(days: number): string {
  if (Math.abs(days) <= 100_000_000) return formatDate(days)
  // 400 years are 146,097 days
  const cycles = Math.floor(days / 146_097)
  const text = formatDate(days - cycles * 146_097)
  const year = Number(text.slice(0, 4)) + cycles * 400
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}${text.slice(4)}`
}
