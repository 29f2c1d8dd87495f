import type { ExactInteger, Interval } from '../../core/values.ts'
import { addExact, divideFloor, subtractExact } from '../exact.ts'
import { RowFailure } from '../functions.ts'
import { daysOfCivil, MICROS_PER_DAY } from './civil.ts'
import { shiftTimestamp } from './interval.ts'
import { hasOffset, pad, parseTimestamp, timestampText } from './time-text.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/** A zone that does not exist fails the row. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        calendar: 'gregory',
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      })
    } catch {
      throw new RowFailure('row_invalid_argument', `"${zone}" is no time zone`)
    }
    formats.set(zone, format)
  }
  return format
}

/** Seconds of UTC between which the offset of a zone does not change. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly offset: number
}

/** The last stretch of each zone that was asked for: neighbouring instants share it. */
const stretches = new Map<string, Stretch>()

/** Zones change their offset at most once within this many seconds. */
const STRETCH_SECONDS = 86_400

/** Local time minus UTC, microseconds, at an instant. */
export function zoneOffset(micros: ExactInteger, zone: string): number {
  const seconds = Number(divideFloor(micros, 1_000_000))
  const known = stretches.get(zone)
  if (known !== undefined && seconds >= known.from && seconds < known.to) return known.offset
  const from = Math.floor(seconds / STRETCH_SECONDS) * STRETCH_SECONDS
  const to = from + STRETCH_SECONDS
  const offset = offsetAt(from, zone)
  if (offsetAt(to, zone) !== offset) return offsetAt(seconds, zone)
  stretches.set(zone, { from, to, offset })
  return offset
}

function offsetAt(seconds: number, zone: string): number {
  const found: Record<string, string> = {}
  for (const { type, value } of formatOf(zone).formatToParts(seconds * 1000)) found[type] = value
  const part = (name: string) => Number(found[name])
  const year = found['era'] === 'BC' ? 1 - part('year') : part('year')
  const days = daysOfCivil(year, part('month'), part('day'))
  const local = days * 86_400 + part('hour') * 3600 + part('minute') * 60 + part('second')
  return (local - seconds) * 1_000_000
}

/** True for the name of a zone: IANA, `UTC`, or an offset such as `+02:00`. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch (failure) {
    if (failure instanceof RowFailure) return false
    throw failure
  }
}

/** Wall time in the zone, as microseconds. */
export const localMicros = (micros: ExactInteger, zone: string): ExactInteger =>
  addExact(micros, zoneOffset(micros, zone))

/**
 * The instant of a wall time. As in PostgreSQL, one that occurs twice is the second (standard time), and one that is
 * skipped moves on by the gap.
 */
export function utcMicros(local: ExactInteger, zone: string): ExactInteger {
  const before = zoneOffset(subtractExact(local, MICROS_PER_DAY), zone)
  const after = zoneOffset(addExact(local, MICROS_PER_DAY), zone)
  const late = subtractExact(local, after)
  if (before === after || zoneOffset(late, zone) === after) return late
  return subtractExact(local, before)
}

/** Months and days pass on the wall clock of the zone, the rest in absolute time. */
export function shiftInZone(micros: ExactInteger, by: Interval, sign: 1 | -1, zone: string): ExactInteger {
  const { months, days, micros: rest } = by
  let moved = micros
  for (const part of [
    { months, days: 0, micros: 0 },
    { months: 0, days, micros: 0 },
  ]) {
    if (part.months === 0 && part.days === 0) continue
    moved = utcMicros(shiftTimestamp(localMicros(moved, zone), part, sign), zone)
  }
  return shiftTimestamp(moved, { months: 0, days: 0, micros: rest }, sign)
}

/** `+02`, `-03:30`: how an offset is written behind a time. */
export function offsetText(micros: number): string {
  const seconds = Math.abs(micros) / 1_000_000
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  while (parts.length > 1 && parts.at(-1) === 0) parts.pop()
  return `${micros < 0 ? '-' : '+'}${parts.map((part) => pad(part, 2)).join(':')}`
}

/** PostgreSQL form of an instant, on the wall clock of the zone: `2026-07-01 12:00:00+02`. */
export function instantText(micros: ExactInteger, zone: string): string {
  const offset = zoneOffset(micros, zone)
  return `${timestampText(addExact(micros, offset))}${offsetText(offset)}`
}

/** The instant of a text: one without an offset is wall time of the zone. Undefined when it is none. */
export function parseInstant(text: string, zone: string): ExactInteger | undefined {
  const found = parseTimestamp(text)
  return found === undefined || hasOffset(text) ? found : utcMicros(found, zone)
}
