import { types } from '../../core/types.ts'
import { type ExactInteger, exact, type Interval, type Value, wide } from '../../core/values.ts'
import { isTime } from '../coerce.ts'
import { negateExact, subtractExact } from '../exact.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { civilOfDays, dayOfMicros, timeOfMicros } from '../time/civil.ts'
import { shiftTimestamp } from '../time/interval.ts'
import { type TimeUnit, timeUnit } from '../time/interval-text.ts'
import { shiftInZone } from '../time/zones.ts'
import { accepts, define, example, overload } from './define.ts'

/** DATE_ADD(t, i [, zone]), DATE_SUB: a DATE becomes a TIMESTAMP. */
function moved(name: string, args: readonly Argument[], sign: 1 | -1): ScalarOverload | undefined {
  const [time, by, zone] = args
  if (zone !== undefined) return movedInZone(name, args, sign)
  if (args.length !== 2 || time === undefined || !isTime(time.type) || !accepts(by, types.interval)) return undefined
  const type = time.type.kind === 'timestamptz' ? types.timestamptz : types.timestamp
  return overload({
    name,
    parameters: [type, types.interval],
    type,
    fallible: true,
    call: (t, i) => shiftTimestamp(t as ExactInteger, i as Interval, sign),
  })
}

/** Months and days of a TIMESTAMPTZ on the wall clock of a zone. */
function movedInZone(name: string, args: readonly Argument[], sign: 1 | -1): ScalarOverload | undefined {
  const [time, by, zone] = args
  if (args.length !== 3 || !accepts(by, types.interval) || !accepts(zone, types.string)) return undefined
  if (time?.type.kind !== 'timestamptz' && time?.type.kind !== 'null') return undefined
  return overload({
    name,
    parameters: [types.timestamptz, types.interval, types.string],
    type: types.timestamptz,
    fallible: true,
    call: (t, i, where) => shiftInZone(t as ExactInteger, i as Interval, sign, where as string),
  })
}

/** Completed units from `a` to `b`; negative when `b` is earlier. */
function completed(unit: TimeUnit, a: ExactInteger, b: ExactInteger): ExactInteger {
  if (b < a) return negateExact(completed(unit, b, a))
  if (unit.months === 0) {
    const distance = wide(subtractExact(b, a))
    if (unit.name === 'nanosecond') return exact(distance * 1000n)
    return exact(distance / BigInt(unit.days * 86_400_000_000 + unit.micros))
  }
  const [from, to] = [civilOfDays(dayOfMicros(a)), civilOfDays(dayOfMicros(b))]
  const months = (to.year - from.year) * 12 + to.month - from.month
  const isShort = to.day < from.day || (to.day === from.day && timeOfMicros(b) < timeOfMicros(a))
  return Math.trunc((isShort ? months - 1 : months) / unit.months)
}

function difference(args: readonly Argument[]): ScalarOverload | undefined {
  const [unit, a, b] = args
  if (args.length !== 3 || !accepts(unit, types.string)) return undefined
  const type = [a, b].some((arg) => arg?.type.kind === 'timestamptz') ? types.timestamptz : types.timestamp
  if (!accepts(a, type) || !accepts(b, type)) return undefined
  const constant = unit!.constant?.value
  if (typeof constant === 'string' && timeUnit(constant) === undefined) return undefined
  return overload({
    name: 'DATEDIFF',
    parameters: [types.string, type, type],
    type: types.bigint,
    fallible: typeof constant !== 'string',
    call: (name: Value, from, to) => {
      const found = timeUnit(name as string)
      if (found === undefined) throw new RowFailure('row_invalid_argument', `"${String(name)}" is no unit of time`)
      return completed(found, from as ExactInteger, to as ExactInteger)
    },
  })
}

const at = (text: string): string => `DATE '${text}'`

export const timeDistanceFunctions: readonly ScalarFunction[] = [
  define({
    name: 'DATE_ADD',
    signatures: ['DATE_ADD(t, INTERVAL)', 'DATE_ADD(TIMESTAMPTZ, INTERVAL, zone)'],
    summary: 'A later time.',
    examples: [example(`DATE_ADD(${at('2026-01-31')}, INTERVAL '1' MONTH)`, '2026-02-28 00:00:00')],
    resolve: (args) => moved('DATE_ADD', args, 1),
  }),
  define({
    name: 'DATE_SUB',
    signatures: ['DATE_SUB(t, INTERVAL)', 'DATE_SUB(TIMESTAMPTZ, INTERVAL, zone)'],
    summary: 'An earlier time.',
    examples: [example(`DATE_SUB(${at('2026-03-01')}, INTERVAL '1' DAY)`, '2026-02-28 00:00:00')],
    resolve: (args) => moved('DATE_SUB', args, -1),
  }),
  define({
    name: 'DATEDIFF',
    aliases: ['TIMESTAMPDIFF'],
    signatures: ['DATEDIFF(unit, a, b)'],
    summary: 'Completed units from a to b.',
    examples: [
      example(`DATEDIFF('month', ${at('2026-01-31')}, ${at('2026-03-01')})`, '1'),
      example(`DATEDIFF('days', ${at('2026-03-02')}, ${at('2026-03-01')})`, '-1'),
    ],
    resolve: difference,
  }),
]
