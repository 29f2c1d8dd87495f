import type { ExactInteger } from '../../core/values.ts'
import { addExact, divideFloor, subtractExact } from '../exact.ts'
import { RowFailure } from '../functions.ts'
import { daysOfCivil, MICROS_PER_DAY } from './civil.ts'

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

/** Local time minus UTC, microseconds, at an instant. */
export function zoneOffset(micros: ExactInteger, zone: string): number {
  const seconds = Number(divideFloor(micros, 1_000_000))
  const found: Record<string, string> = {}
  for (const { type, value } of formatOf(zone).formatToParts(seconds * 1000)) found[type] = value
  const part = (name: string) => Number(found[name])
  const year = found['era'] === 'BC' ? 1 - part('year') : part('year')
  const days = daysOfCivil(year, part('month'), part('day'))
  const local = days * 86_400 + part('hour') * 3600 + part('minute') * 60 + part('second')
  return (local - seconds) * 1_000_000
}

/** Wall time in the zone, as microseconds. */
export const localMicros = (micros: ExactInteger, zone: string): ExactInteger =>
  addExact(micros, zoneOffset(micros, zone))

/** The instant of a wall time; one that occurs twice is the first, one that is skipped moves on by the gap. */
export function utcMicros(local: ExactInteger, zone: string): ExactInteger {
  const before = zoneOffset(subtractExact(local, MICROS_PER_DAY), zone)
  const candidate = subtractExact(local, before)
  if (zoneOffset(candidate, zone) === before) return candidate
  const after = zoneOffset(addExact(local, MICROS_PER_DAY), zone)
  const other = subtractExact(local, after)
  return zoneOffset(other, zone) === after ? other : candidate
}
