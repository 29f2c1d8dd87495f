import type { Interval } from '../../core/values.ts'
import type { Duration } from '../ast.ts'
import type { Cursor } from './cursor.ts'

type Part = { readonly months: number } | { readonly days: number } | { readonly micros: number }

const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const unitTable: readonly (readonly [string, Part])[] = [
  ['nanosecond nanoseconds ns', { micros: 0.001 }],
  ['microsecond microseconds us', { micros: 1 }],
  ['millisecond milliseconds ms', { micros: 1000 }],
  ['second seconds sec secs s', { micros: SECOND }],
  ['minute minutes min mins m', { micros: MINUTE }],
  ['hour hours hr hrs h', { micros: HOUR }],
  ['day days d', { days: 1 }],
  ['week weeks w', { days: 7 }],
  ['month months mon mons', { months: 1 }],
  ['year years y', { months: 12 }],
]

const units: ReadonlyMap<string, Part> = new Map(
  unitTable.flatMap(([names, part]) => names.split(' ').map((name) => [name, part] as const)),
)

export const isIntervalUnit = (word: string): boolean => units.has(word.toLowerCase())

/** `amount` units; undefined when the unit is unknown or a fraction of a month does not come out whole. */
export function intervalOf(amount: number, unit: string): Interval | undefined {
  const part = units.get(unit.toLowerCase())
  if (part === undefined) return undefined
  if ('micros' in part) return { months: 0, days: 0, micros: Math.round(amount * part.micros) }
  if ('days' in part) {
    const days = Math.trunc(amount * part.days)
    return { months: 0, days, micros: Math.round((amount * part.days - days) * 24 * HOUR) }
  }
  const months = amount * part.months
  return Number.isInteger(months) ? { months, days: 0, micros: 0 } : undefined
}

const plus = (a: Interval, b: Interval): Interval => ({
  months: a.months + b.months,
  days: a.days + b.days,
  micros: a.micros + b.micros,
})

const zero: Interval = { months: 0, days: 0, micros: 0 }

/** The text of INTERVAL '…' without a unit behind it: `1 day 02:30:00`, `5m`, `1h30m`, `-3 days`, `P1DT2H`. */
export function parseInterval(text: string): Interval | undefined {
  const iso = parseIso(text.trim())
  if (iso !== undefined) return iso
  const part = /\s*([+-]?)\s*(?:(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,9})?))?|(\d+(?:\.\d+)?|\.\d+)\s*([a-zA-Z]+))/y
  let sum = zero
  let at = 0
  const end = text.trimEnd().length
  while (at < end) {
    part.lastIndex = at
    const found = part.exec(text)
    if (found === null) return undefined
    at = part.lastIndex
    const sign = found[1] === '-' ? -1 : 1
    const value = found[2] === undefined ? intervalOf(sign * Number(found[5]), found[6]!) : clock(found, sign)
    if (value === undefined) return undefined
    sum = plus(sum, value)
  }
  return at > 0 && fits(sum) ? sum : undefined
}

function clock(found: RegExpExecArray, sign: number): Interval | undefined {
  const [minutes, seconds] = [Number(found[3]), Number(found[4] ?? 0)]
  if (minutes > 59 || seconds >= 60) return undefined
  return {
    months: 0,
    days: 0,
    micros: sign * Math.round(Number(found[2]) * HOUR + minutes * MINUTE + seconds * SECOND),
  }
}

function parseIso(text: string): Interval | undefined {
  const number = '([+-]?\\d+(?:\\.\\d+)?)'
  const form = new RegExp(
    `^P(?:${number}Y)?(?:${number}M)?(?:${number}W)?(?:${number}D)?(?:T(?:${number}H)?(?:${number}M)?(?:${number}S)?)?$`,
  )
  const found = form.exec(text)
  if (found === null || !/\d/.test(text)) return undefined
  let sum = zero
  for (const [i, unit] of ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'].entries()) {
    if (found[i + 1] === undefined) continue
    const value = intervalOf(Number(found[i + 1]), unit)
    if (value === undefined) return undefined
    sum = plus(sum, value)
  }
  return fits(sum) ? sum : undefined
}

const fits = (interval: Interval): boolean =>
  Number.isSafeInteger(interval.months) && Number.isSafeInteger(interval.days) && Number.isSafeInteger(interval.micros)

const validForms = "write INTERVAL '5' MINUTE, INTERVAL '1 day 02:30:00' or INTERVAL '5m'"

/** Behind the word INTERVAL: `'5' MINUTE`, `5 MINUTES`, `'1 day 02:30:00'`, `'5m'`, `'1-2' YEAR TO MONTH` is refused. */
export function intervalBody(cursor: Cursor, start: number): Interval {
  const token = cursor.token
  if (token.kind === 'glued') return gluedDuration(cursor)
  const negative = cursor.acceptSymbol('-')
  const amount = cursor.token
  if (amount.kind !== 'string' && amount.kind !== 'number') cursor.fail(['a string or a number'], validForms)
  cursor.next()
  const unit = cursor.token.kind === 'word' && isIntervalUnit(cursor.token.upper) ? cursor.next() : undefined
  if (unit !== undefined && cursor.isWord('TO')) {
    cursor.unsupported('INTERVAL … TO …', cursor.token.span, validForms)
  }
  const text = amount.text.trim()
  const plain = /^[+-]?(\d+(\.\d+)?|\.\d+)$/.test(text)
  const value = unit !== undefined && plain ? intervalOf(Number(text), unit.text) : undefined
  const interval = unit === undefined && amount.kind === 'string' ? parseInterval(text) : value
  if (interval === undefined || !fits(interval)) {
    return cursor.raise('sql_invalid_literal', `"${text}" is no valid interval`, cursor.spanFrom(start), {
      hint: unit === undefined && plain ? `name the unit: INTERVAL '${text}' SECOND` : validForms,
    })
  }
  return negative ? { months: -interval.months, days: -interval.days, micros: -interval.micros } : interval
}

function gluedDuration(cursor: Cursor): Interval {
  const token = cursor.next()
  const interval = /^[\d._]/.test(token.text) ? parseInterval(token.text.replaceAll('_', '')) : undefined
  if (interval !== undefined) return interval
  return cursor.raise('sql_invalid_literal', `"${token.text}" is no valid interval`, token.span, {
    hint: 'units are us, ms, s, m, h, d, w, month, year: 5m, 1h30m, 5 MINUTES',
  })
}

/** True when a length of time in the free spelling follows: `5m`, `5 MINUTES`. */
export const isBareDuration = (cursor: Cursor): boolean =>
  cursor.token.kind === 'glued' || (cursor.token.kind === 'number' && isIntervalUnit(cursor.ahead(1).upper))

/** A length of time where the grammar needs an interval. */
export function duration(cursor: Cursor): Duration {
  const start = cursor.start
  if (!cursor.acceptWord('INTERVAL') && !isBareDuration(cursor)) {
    if (cursor.token.kind !== 'string')
      cursor.fail(['an interval'], "expected an interval: 5m, 5 MINUTES, INTERVAL '5' MINUTE")
  }
  const interval = intervalBody(cursor, start)
  return { kind: 'duration', interval, span: cursor.spanFrom(start) }
}
