import { types } from '../../core/types.ts'
import type { ExactInteger, Interval, Value } from '../../core/values.ts'
import { isTime } from '../coerce.ts'
import { addExact, divideFloor, multiplyExact, subtractExact } from '../exact.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import {
  checkDate,
  checkTimestamp,
  civilOfDays,
  dayOfMicros,
  daysInMonth,
  daysOfCivil,
  isoDayOfWeek,
  MICROS_PER_DAY,
  microsOf,
} from '../time/civil.ts'
import { fixedMicros } from '../time/interval.ts'
import { type TimeUnit, timeUnit } from '../time/interval-text.ts'
import { localMicros, utcMicros, zoneOffset } from '../time/zones.ts'
import { accepts, define, example, overload } from './define.ts'

/** First day of the unit of a day or more that `days` lies in. */
function truncateDay(days: number, unit: TimeUnit): number {
  if (unit.name === 'day') return days
  if (unit.name === 'week') return days - isoDayOfWeek(days) + 1
  const { year, month } = civilOfDays(days)
  switch (unit.name) {
    case 'month':
      return daysOfCivil(year, month, 1)
    case 'quarter':
      return daysOfCivil(year, month - ((month - 1) % 3), 1)
    case 'year':
      return daysOfCivil(year, 1, 1)
    case 'decade':
      return daysOfCivil(Math.max(1, year - (year % 10)), 1, 1)
    default:
      return daysOfCivil(year - ((year - 1) % 100), 1, 1)
  }
}

function truncateMicros(micros: ExactInteger, unit: TimeUnit): ExactInteger {
  if (unit.months > 0 || unit.days > 0) return microsOf(truncateDay(dayOfMicros(micros), unit), 0)
  const size = Math.max(1, unit.micros)
  return multiplyExact(divideFloor(micros, size), size)
}

/** Units below a day keep the offset of the instant: an hour that occurs twice stays the one it was. */
function truncateInZone(micros: ExactInteger, unit: TimeUnit, zone: string): ExactInteger {
  if (unit.months > 0 || unit.days > 0) return utcMicros(truncateMicros(localMicros(micros, zone), unit), zone)
  const offset = zoneOffset(micros, zone)
  return subtractExact(truncateMicros(addExact(micros, offset), unit), offset)
}

function unitOf(text: Value): TimeUnit {
  const unit = timeUnit(text as string)
  if (unit === undefined) throw new RowFailure('row_invalid_argument', `"${String(text)}" is no unit of time`)
  return unit
}

/** Units of a fixed length are floors of the microseconds; weeks begin on a Monday, 1970-01-05. */
function inlineTruncation(unit: Value | undefined, flipped: boolean): ScalarOverload['inline'] {
  const found = typeof unit === 'string' ? timeUnit(unit) : undefined
  if (found === undefined || found.months > 0 || found.micros === 0.001) return undefined
  const size = found.days * MICROS_PER_DAY + found.micros
  const phase = found.name === 'week' ? 4 * MICROS_PER_DAY : 0
  return (_code, a = '', b = '') => {
    const t = flipped ? a : b
    return `(Math.floor((${t} - ${phase}) / ${size}) * ${size} + ${phase})`
  }
}

/** `flipped`: the time stands before the unit, as in FLOOR(t TO unit). */
export function truncateTime(
  name: string,
  unit: Argument,
  time: Argument,
  flipped = false,
  zone?: Argument,
): ScalarOverload | undefined {
  if (!isTime(time.type) || !accepts(unit, types.string)) return undefined
  const constant = unit.constant?.value
  if (typeof constant === 'string' && timeUnit(constant) === undefined) return undefined
  const type = time.type
  const cut = (text: Value, t: Value): Value =>
    type.kind === 'date' ? truncateDay(t as number, dayUnit(text)) : truncateMicros(t as ExactInteger, unitOf(text))
  const inZone = (text: Value, t: Value, where: Value): Value =>
    type.kind === 'timestamptz' ? truncateInZone(t as ExactInteger, unitOf(text), where as string) : cut(text, t)
  return overload({
    name,
    parameters: [...(flipped ? [type, types.string] : [types.string, type]), ...(zone ? [types.string] : [])],
    type,
    fallible: typeof constant !== 'string' || zone !== undefined,
    inline: zone === undefined && type.kind !== 'date' ? inlineTruncation(constant, flipped) : undefined,
    call: (a = null, b = null, where) => {
      const [text, t] = flipped ? [b, a] : [a, b]
      return where === undefined ? cut(text, t) : inZone(text, t, where)
    },
  })
}

/** Of a DATE, units below a day change nothing. */
function dayUnit(text: Value): TimeUnit {
  const unit = unitOf(text)
  return unit.months === 0 && unit.days === 0 ? timeUnit('day')! : unit
}

function dateTrunc(args: readonly Argument[]): ScalarOverload | undefined {
  const [unit, time, zone] = args
  if (unit === undefined || time === undefined || args.length > 3) return undefined
  if (zone !== undefined && !accepts(zone, types.string)) return undefined
  return truncateTime('DATE_TRUNC', unit, time, false, zone)
}

/** DATE_BIN(stride, t [, origin]): the start of the stride that t lies in; origin default 1970-01-01. */
function dateBin(args: readonly Argument[]): ScalarOverload | undefined {
  const [stride, time, origin] = args
  if (stride === undefined || time === undefined || args.length > 3 || !isTime(time.type)) return undefined
  if (!accepts(stride, types.interval)) return undefined
  const type = time.type.kind === 'date' ? types.timestamp : time.type
  if (origin !== undefined && !accepts(origin, type)) return undefined
  return overload({
    name: 'DATE_BIN',
    parameters: [types.interval, type, ...(origin === undefined ? [] : [type])],
    type,
    fallible: true,
    call: (step, t, from = 0) => {
      const size = fixedMicros(step as Interval)
      if (size === undefined || typeof size === 'bigint' || size <= 0) {
        throw new RowFailure('row_invalid_argument', 'the stride of DATE_BIN is positive and has no months')
      }
      const distance = subtractExact(t as ExactInteger, from as ExactInteger)
      return checkTimestamp(addExact(multiplyExact(divideFloor(distance, size), size), from as ExactInteger))
    },
  })
}

function lastDay(args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length === 1 ? args[0]!.type : undefined
  if (type === undefined || !isTime(type)) return undefined
  const last = (days: number) => {
    const { year, month } = civilOfDays(days)
    return checkDate(daysOfCivil(year, month, daysInMonth(year, month)))
  }
  const call: ScalarOverload['call'] =
    type.kind === 'date'
      ? (t) => last(t as number)
      : (t) => multiplyExact(last(dayOfMicros(t as ExactInteger)), MICROS_PER_DAY)
  return overload({ name: 'LAST_DAY', parameters: [type], type, call })
}

export const truncateFunctions: readonly ScalarFunction[] = [
  define({
    name: 'DATE_TRUNC',
    signatures: ["DATE_TRUNC('unit', t [, zone])"],
    summary: 'The start of the unit that t lies in; weeks begin on Monday.',
    examples: [example("DATE_TRUNC('week', TIMESTAMP '2026-01-04 10:00')", '2025-12-29 00:00:00')],
    resolve: dateTrunc,
  }),
  define({
    name: 'DATE_BIN',
    signatures: ['DATE_BIN(stride, t [, origin])'],
    summary: 'The start of the stride that t lies in, counted from origin (default 1970-01-01).',
    examples: [example("DATE_BIN(15m, TIMESTAMP '2026-01-01 10:07:12')", '2026-01-01 10:00:00')],
    resolve: dateBin,
  }),
  define({
    name: 'LAST_DAY',
    signatures: ['LAST_DAY(t)'],
    summary: 'Last day of the month.',
    examples: [example("LAST_DAY(DATE '2026-02-03')", '2026-02-28')],
    resolve: lastDay,
  }),
]
