import { type ExactInteger, exact } from '../../core/values.ts'

/** Days since 1970-01-01 of `2026-01-31` (years 1…9999); undefined when the text is no such date. */
export function parseDate(text: string): number | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim())
  return found === null ? undefined : dayNumber(Number(found[1]), Number(found[2]), Number(found[3]))
}

function dayNumber(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const valid = year >= 1 && date.getUTCFullYear() === year && date.getUTCMonth() === month - 1
  return valid && date.getUTCDate() === day ? Math.round(date.getTime() / 86_400_000) : undefined
}

const form =
  /^(\d{4}-\d{2}-\d{2})(?:[ Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$/

/** Microseconds since 1970-01-01T00:00:00Z of an ISO 8601 text; an offset is applied, fractions round to µs. */
export function parseTimestamp(text: string): ExactInteger | undefined {
  const found = form.exec(text.trim())
  if (found === null) return undefined
  const days = parseDate(found[1]!)
  const [hour, minute, second] = [Number(found[2] ?? 0), Number(found[3] ?? 0), Number(found[4] ?? 0)]
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined
  const offset = offsetMinutes(found[6])
  if (offset === undefined) return undefined
  const fraction = Math.round(Number(`0.${found[5] ?? '0'}`) * 1e6)
  const seconds = days * 86_400 + hour * 3600 + (minute - offset) * 60 + second
  return exact(BigInt(seconds) * 1_000_000n + BigInt(fraction))
}

function offsetMinutes(text: string | undefined): number | undefined {
  if (text === undefined || /^(z|utc)$/i.test(text)) return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(3).replace(':', '') || 0)
  if (hours > 18 || minutes > 59) return undefined
  return (text[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}
