import { type DataType, decimal, types } from '../../core/types.ts'
import type { ExactInteger, Interval, Value } from '../../core/values.ts'
import { isTime } from '../coerce.ts'
import { addExact, multiplyExact } from '../exact.ts'
import type { Argument, ScalarFunction, ScalarOverload } from '../functions.ts'
import {
  civilOfDays,
  dayOfMicros,
  dayOfYear,
  isoDayOfWeek,
  isoWeek,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  timeOfMicros,
} from '../time/civil.ts'
import { timeUnit } from '../time/interval-text.ts'
import { define, example, overload } from './define.ts'

const seconds = decimal(20, 6)

/** A field of a time: from its day and its microseconds since midnight, or from an interval. */
interface TimeField {
  readonly type: DataType
  readonly of: (days: number, time: number) => ExactInteger
  /** Absent where an interval has no such field. */
  readonly ofInterval?: (i: Interval) => ExactInteger
  /** A DATE or an instant below a day only, as a JavaScript expression over the microseconds. */
  readonly inline?: (micros: string) => string
}

/** Microseconds within the minute. */
const inMinute = (time: number): number => time % MICROS_PER_MINUTE

const ofTime = (size: number, count: number): Omit<TimeField, 'type'> => ({
  of: (_days, time) => Math.floor(time / size) % count,
  inline: (micros) => `Math.floor(${micros} / ${size}) - Math.floor(${micros} / ${size * count}) * ${count}`,
})

const bigint = types.bigint

/** PostgreSQL counts a year of an interval as 365.25 days here, a month as 30. */
const epochOfInterval = ({ months, days, micros }: Interval): ExactInteger => {
  const years = Math.trunc(months / 12)
  return addExact(multiplyExact(years * 31_557_600 + ((months % 12) * 30 + days) * 86_400, 1_000_000), micros)
}

const fields: Readonly<Record<string, TimeField>> = {
  nanosecond: {
    type: bigint,
    of: (_days, time) => inMinute(time) * 1000,
    ofInterval: (i) => inMinute(i.micros) * 1000,
  },
  microsecond: { type: bigint, of: (_days, time) => inMinute(time), ofInterval: (i) => inMinute(i.micros) },
  millisecond: {
    type: bigint,
    of: (_days, time) => Math.floor(inMinute(time) / 1000),
    ofInterval: (i) => Math.trunc(inMinute(i.micros) / 1000),
  },
  second: { type: seconds, of: (_days, time) => inMinute(time), ofInterval: (i) => inMinute(i.micros) },
  minute: {
    type: bigint,
    ...ofTime(MICROS_PER_MINUTE, 60),
    ofInterval: (i) => Math.trunc(i.micros / MICROS_PER_MINUTE) % 60,
  },
  hour: { type: bigint, ...ofTime(MICROS_PER_HOUR, 24), ofInterval: (i) => Math.trunc(i.micros / MICROS_PER_HOUR) },
  day: { type: bigint, of: (days) => civilOfDays(days).day, ofInterval: (i) => i.days },
  week: { type: bigint, of: (days) => isoWeek(days).week },
  month: { type: bigint, of: (days) => civilOfDays(days).month, ofInterval: (i) => i.months % 12 },
  quarter: {
    type: bigint,
    of: (days) => Math.ceil(civilOfDays(days).month / 3),
    ofInterval: (i) => Math.trunc((i.months % 12) / 3) + 1,
  },
  year: { type: bigint, of: (days) => civilOfDays(days).year, ofInterval: (i) => Math.trunc(i.months / 12) },
  dow: { type: bigint, of: (days) => isoDayOfWeek(days) % 7 },
  isodow: { type: bigint, of: isoDayOfWeek },
  doy: { type: bigint, of: dayOfYear },
  epoch: {
    type: seconds,
    of: (days, time) => addExact(multiplyExact(days, MICROS_PER_DAY), time),
    ofInterval: epochOfInterval,
  },
  decade: {
    type: bigint,
    of: (days) => Math.floor(civilOfDays(days).year / 10),
    ofInterval: (i) => Math.trunc(i.months / 120),
  },
  century: {
    type: bigint,
    of: (days) => Math.floor((civilOfDays(days).year + 99) / 100),
    ofInterval: (i) => Math.trunc(i.months / 1200),
  },
}

function fieldNamed(name: string): TimeField | undefined {
  const lower = name.toLowerCase()
  return Object.hasOwn(fields, lower) ? fields[lower] : fields[timeUnit(lower)?.name ?? '']
}

/** The overload that reads a field; `before` are parameters that stand before the time. */
function fieldOverload(
  name: string,
  field: TimeField,
  type: DataType,
  before: readonly DataType[],
): ScalarOverload | undefined {
  const form = { name, parameters: [...before, type], type: field.type }
  const at = before.length
  if (type.kind === 'interval') {
    const { ofInterval } = field
    return ofInterval && overload({ ...form, call: (...args) => addExact(ofInterval(args[at] as Interval), 0) })
  }
  if (!isTime(type)) return undefined
  if (type.kind === 'date') return overload({ ...form, call: (...args) => field.of(args[at] as number, 0) })
  const { inline } = field
  return overload({
    ...form,
    call: (...args: Value[]) => {
      const micros = args[at] as ExactInteger
      return field.of(dayOfMicros(micros), timeOfMicros(micros))
    },
    inline: inline && ((_code, ...operands) => `(${inline(operands[at]!)})`),
  })
}

/** A bare NULL counts as a TIMESTAMP. */
const timeType = (arg: Argument): DataType => (arg.type.kind === 'null' ? types.timestamp : arg.type)

function extract(name: string, args: readonly Argument[]): ScalarOverload | undefined {
  const [wanted, time] = args
  const constant = wanted?.constant?.value
  const field = typeof constant === 'string' ? fieldNamed(constant) : undefined
  if (field === undefined || time === undefined || args.length !== 2) return undefined
  return fieldOverload(name, field, timeType(time), [types.string])
}

const single = (name: string, sql: string, result: string): ScalarFunction =>
  define({
    name,
    signatures: [`${name}(t)`],
    summary: `EXTRACT(${name} FROM t) as a whole number.`,
    examples: [example(sql, result)],
    resolve: (args) => {
      if (args.length !== 1) return undefined
      const field = name === 'SECOND' ? wholeSecond : fields[name.toLowerCase()]!
      return fieldOverload(name, field, timeType(args[0]!), [])
    },
  })

const wholeSecond: TimeField = {
  type: bigint,
  ...ofTime(1_000_000, 60),
  ofInterval: (i) => Math.trunc(inMinute(i.micros) / 1_000_000),
}

const AT = "TIMESTAMP '2026-01-02 03:04:05.678'"

export const timeFieldFunctions: readonly ScalarFunction[] = [
  define({
    name: 'EXTRACT',
    signatures: ['EXTRACT(field FROM t | INTERVAL)'],
    summary:
      'A field: MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK (ISO) MONTH QUARTER YEAR DOW (0 = Sunday) ISODOW DOY EPOCH NANOSECOND DECADE CENTURY.',
    examples: [
      example(`EXTRACT(SECOND FROM ${AT})`, '5.678'),
      example(`EXTRACT(MILLISECOND FROM ${AT})`, '5678'),
      example("EXTRACT(DOW FROM DATE '2026-01-04')", '0'),
      example("EXTRACT(WEEK FROM DATE '2026-01-04')", '1'),
    ],
    resolve: (args) => extract('EXTRACT', args),
  }),
  define({
    name: 'DATE_PART',
    signatures: ["DATE_PART('field', t)"],
    summary: 'A field, as EXTRACT.',
    examples: [example(`DATE_PART('hour', ${AT})`, '3')],
    resolve: (args) => extract('DATE_PART', args),
  }),
  single('YEAR', `YEAR(${AT})`, '2026'),
  single('QUARTER', `QUARTER(${AT})`, '1'),
  single('MONTH', `MONTH(${AT})`, '1'),
  single('WEEK', `WEEK(${AT})`, '1'),
  single('DAY', `DAY(${AT})`, '2'),
  single('HOUR', `HOUR(${AT})`, '3'),
  single('MINUTE', `MINUTE(${AT})`, '4'),
  single('SECOND', `SECOND(${AT})`, '5'),
]
