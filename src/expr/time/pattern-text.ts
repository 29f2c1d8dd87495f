import type { ExactInteger } from '../../core/values.ts'
import {
  type CivilDate,
  civilOfDays,
  dayOfMicros,
  dayOfYear,
  daysInMonth,
  daysOfCivil,
  isoDayOfWeek,
  isoWeek,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MICROS_PER_SECOND,
  microsOf,
  timeOfMicros,
} from './civil.ts'
import type { PatternField, PatternPart } from './pattern.ts'
import { pad } from './time-text.ts'

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ')

interface Moment extends CivilDate {
  readonly days: number
  /** Microseconds since midnight. */
  readonly time: number
  readonly hour: number
}

/** Writes an instant by a pattern. */
export function formatTime(micros: ExactInteger, parts: readonly PatternPart[]): string {
  const days = dayOfMicros(micros)
  const time = timeOfMicros(micros)
  const moment: Moment = { ...civilOfDays(days), days, time, hour: Math.floor(time / MICROS_PER_HOUR) }
  let result = ''
  for (const part of parts) result += part.kind === 'text' ? part.text : fieldText(part, moment)
  return result
}

type FieldPart = Extract<PatternPart, { kind: 'field' }>

function fieldText({ field, width, letters }: FieldPart, moment: Moment): string {
  const value = fieldValue(field, moment)
  if (typeof value === 'string') {
    return letters === 'upper' ? value.toUpperCase() : letters === 'lower' ? value.toLowerCase() : value
  }
  if (field === 'micro' || field === 'milli')
    return pad(value, field === 'micro' ? 6 : 3)
      .slice(0, width || 6)
      .padEnd(width, '0')
  return pad(value, width)
}

function fieldValue(field: PatternField, { year, month, day, days, time, hour }: Moment): number | string {
  switch (field) {
    case 'year':
      return year
    case 'year2':
      return year % 100
    case 'month':
      return month
    case 'monthName':
      return MONTHS[month - 1]!
    case 'monthShort':
      return MONTHS[month - 1]!.slice(0, 3)
    case 'day':
      return day
    case 'dayOfYear':
      return dayOfYear(days)
    case 'weekday':
      return DAYS[isoDayOfWeek(days) - 1]!
    case 'weekdayShort':
      return DAYS[isoDayOfWeek(days) - 1]!.slice(0, 3)
    case 'isoWeekday':
      return isoDayOfWeek(days)
    case 'sundayWeekday':
      return isoDayOfWeek(days) % 7
    case 'isoWeek':
      return isoWeek(days).week
    case 'quarter':
      return Math.ceil(month / 3)
    case 'hour':
      return hour
    case 'hour12':
      return ((hour + 11) % 12) + 1
    case 'minute':
      return Math.floor(time / MICROS_PER_MINUTE) % 60
    case 'second':
      return Math.floor(time / MICROS_PER_SECOND) % 60
    case 'milli':
      return Math.floor((time % MICROS_PER_SECOND) / 1000)
    case 'micro':
      return time % MICROS_PER_SECOND
    case 'ampm':
      return hour < 12 ? 'AM' : 'PM'
    case 'offset':
      return '+00'
    case 'epoch':
      return days * 86_400 + Math.floor(time / MICROS_PER_SECOND)
  }
}

/** Longest run of digits that a field reads, and its range. */
const NUMBERS: Partial<Record<PatternField, readonly [digits: number, low: number, high: number]>> = {
  year: [4, 1, 9999],
  year2: [2, 0, 99],
  month: [2, 1, 12],
  day: [2, 1, 31],
  dayOfYear: [3, 1, 366],
  hour: [2, 0, 24],
  hour12: [2, 1, 12],
  minute: [2, 0, 59],
  second: [2, 0, 60],
  epoch: [12, 0, 999_999_999_999],
  isoWeekday: [1, 1, 7],
  sundayWeekday: [1, 0, 6],
  isoWeek: [2, 1, 53],
  quarter: [1, 1, 4],
}

/** Reads a text by a pattern; undefined when it does not match. Blanks in the pattern match any blanks. */
export function parseTime(text: string, parts: readonly PatternPart[]): ExactInteger | undefined {
  const found: Partial<Record<PatternField, number>> = {}
  let at = 0
  for (const part of parts) {
    const end = part.kind === 'text' ? afterText(text, at, part.text) : readField(text, at, part.field, found)
    if (end === undefined) return undefined
    at = end
  }
  return text.slice(at).trim() === '' ? assemble(found) : undefined
}

function afterText(text: string, at: number, wanted: string): number | undefined {
  if (wanted.trim() === '') {
    let i = at
    while (i < text.length && /\s/.test(text[i]!)) i++
    return i > at || wanted === '' ? i : undefined
  }
  return text.startsWith(wanted, at) ? at + wanted.length : undefined
}

function readField(
  text: string,
  at: number,
  field: PatternField,
  found: Partial<Record<PatternField, number>>,
): number | undefined {
  const take = (match: RegExpExecArray | null, value: (text: string) => number): number | undefined => {
    if (match === null) return undefined
    const read = value(match[0])
    if (Number.isNaN(read)) return undefined
    found[field] = read
    return at + match[0].length
  }
  const rest = text.slice(at, at + 40)
  const range = NUMBERS[field]
  if (range !== undefined) {
    const [digits, low, high] = range
    const end = take(new RegExp(`^\\d{1,${digits}}`).exec(rest), Number)
    return end !== undefined && found[field]! >= low && found[field]! <= high ? end : undefined
  }
  switch (field) {
    case 'milli':
    case 'micro':
      return take(/^\d{1,9}/.exec(rest), (digits) => Math.round(Number(digits.padEnd(9, '0')) / 1000))
    case 'ampm':
      return take(/^[ap]\.?m\.?/i.exec(rest), (word) => (/^p/i.test(word) ? 12 : 0))
    case 'offset':
      return take(/^(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)/i.exec(rest), offsetMinutes)
    case 'monthName':
    case 'monthShort':
      return take(/^\p{L}+/u.exec(rest), (word) => indexOfName(MONTHS, word))
    default:
      return take(/^\p{L}+/u.exec(rest), (word) => indexOfName(DAYS, word))
  }
}

function indexOfName(names: readonly string[], word: string): number {
  const lower = word.toLowerCase()
  const index = names.findIndex((name) => name.toLowerCase() === lower || name.slice(0, 3).toLowerCase() === lower)
  return index < 0 ? Number.NaN : index + 1
}

function offsetMinutes(text: string): number {
  if (!/^[+-]/.test(text)) return 0
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(3).replace(':', '') || '0')
  return text.startsWith('-') ? -minutes : minutes
}

/** Two-digit years: 70 … 99 are 19xx. */
const fullYear = (short: number): number => (short < 70 ? 2000 + short : 1900 + short)

function assemble(found: Partial<Record<PatternField, number>>): ExactInteger | undefined {
  if (found.epoch !== undefined) return found.epoch * MICROS_PER_SECOND
  const year = found.year ?? (found.year2 === undefined ? 1970 : fullYear(found.year2))
  const month = found.month ?? found.monthName ?? found.monthShort ?? 1
  const day = found.day ?? 1
  if (day > daysInMonth(year, month)) return undefined
  const days =
    found.dayOfYear === undefined ? daysOfCivil(year, month, day) : daysOfCivil(year, 1, 1) + found.dayOfYear - 1
  const hour = found.hour12 === undefined ? (found.hour ?? 0) : (found.hour12 % 12) + (found.ampm ?? 0)
  const time =
    hour * MICROS_PER_HOUR +
    ((found.minute ?? 0) - (found.offset ?? 0)) * MICROS_PER_MINUTE +
    (found.second ?? 0) * MICROS_PER_SECOND +
    (found.micro ?? found.milli ?? 0)
  return microsOf(days, time)
}
