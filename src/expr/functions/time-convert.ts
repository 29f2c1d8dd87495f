import { type DataType, types } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import { caster } from '../cast/cast.ts'
import { roundHalfEven } from '../cast/numbers.ts'
import { canWiden, isNumeric, isTime } from '../coerce.ts'
import { divideFloor, exactOfDouble, rescale } from '../exact.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { checkTimestamp, dayOfMicros } from '../time/civil.ts'
import { timeUnit } from '../time/interval-text.ts'
import { anyPattern, formatPattern, type PatternPart, postgresPattern, strftimePattern } from '../time/pattern.ts'
import { formatTime, parseTime } from '../time/pattern-text.ts'
import { accepts, define, example, overload } from './define.ts'

const { string: text, timestamp, timestamptz } = types

type PatternReader = (pattern: string) => PatternPart[] | undefined

/** Patterns of one call, read once. */
function keptPatterns(read: PatternReader): (pattern: string) => PatternPart[] {
  const kept = new Map<string, PatternPart[]>()
  return (pattern) => {
    let found = kept.get(pattern)
    if (found === undefined) {
      found = read(pattern)
      if (found === undefined) throw new RowFailure('row_invalid_argument', `"${pattern}" is no time pattern`)
      if (kept.size >= 256) kept.clear()
      kept.set(pattern, found)
    }
    return found
  }
}

/** True when a constant pattern cannot be read: the call has no overload then. */
const isBadPattern = (pattern: Argument, read: PatternReader): boolean =>
  typeof pattern.constant?.value === 'string' && read(pattern.constant.value) === undefined

function formatting(name: string, read: PatternReader): (args: readonly Argument[]) => ScalarOverload | undefined {
  return (args) => {
    const [time, pattern] = args
    if (args.length !== 2 || time === undefined || !accepts(pattern, text)) return undefined
    const type = time.type.kind === 'timestamptz' ? timestamptz : timestamp
    if (!canWiden(time.type, type) || isBadPattern(pattern!, read)) return undefined
    const patterns = keptPatterns(read)
    return overload({
      name,
      parameters: [type, text],
      type: text,
      fallible: pattern!.constant === undefined,
      call: (t, p) => formatTime(t as ExactInteger, patterns(p as string)),
    })
  }
}

/** Reads a text by a pattern, as a TIMESTAMP or a DATE. */
function parsing(
  name: string,
  type: DataType,
  read: PatternReader,
  args: readonly Argument[],
): ScalarOverload | undefined {
  const [source, pattern] = args
  if (args.length !== 2 || !accepts(source, text) || !accepts(pattern, text)) return undefined
  if (isBadPattern(pattern!, read)) return undefined
  const patterns = keptPatterns(read)
  return overload({
    name,
    parameters: [text, text],
    type,
    fallible: true,
    call: (s, p) => {
      const micros = parseTime(s as string, patterns(p as string))
      if (micros === undefined) {
        throw new RowFailure(
          'row_invalid_argument',
          `${JSON.stringify(s)} does not match the pattern ${JSON.stringify(p)}`,
        )
      }
      return type.kind === 'date' ? dayOfMicros(micros) : micros
    },
  })
}

/** A count of units since 1970 as microseconds; fractions of a microsecond round. */
function microsOfNumber(type: DataType): (value: Value, unit: Value) => ExactInteger {
  const scale = type.kind === 'decimal' ? type.scale : 0
  const digits: Record<string, number> = { second: 6, millisecond: 3, microsecond: 0, nanosecond: -3 }
  return (value, unit) => {
    const shift = digits[timeUnit(unit as string)?.name ?? '']
    if (shift === undefined) {
      throw new RowFailure('row_invalid_argument', `"${String(unit)}" is none of 's', 'ms', 'us', 'ns'`)
    }
    if (type.kind === 'double') {
      const micros = roundHalfEven((value as number) * 10 ** shift)
      if (!Number.isFinite(micros))
        throw new RowFailure('row_numeric_overflow', 'timestamp outside the years 1 to 9999')
      return checkTimestamp(exactOfDouble(micros))
    }
    return checkTimestamp(rescale(value as ExactInteger, scale, shift))
  }
}

/** TO_TIMESTAMP(num [, unit]), TO_TIMESTAMP(str [, pattern]). */
function toTimestamp(args: readonly Argument[]): ScalarOverload | undefined {
  const [source, more] = args
  if (source === undefined || args.length > 2) return undefined
  if (isNumeric(source.type)) {
    if (more !== undefined && !accepts(more, text)) return undefined
    const convert = microsOfNumber(source.type)
    return overload({
      name: 'TO_TIMESTAMP',
      parameters: more === undefined ? [source.type] : [source.type, text],
      type: timestamp,
      fallible: true,
      call: (value, unit = 's') => convert(value!, unit),
    })
  }
  return more === undefined
    ? converted('TO_TIMESTAMP', timestamp, args)
    : parsing('TO_TIMESTAMP', timestamp, anyPattern, args)
}

/** TO_DATE(x), TIMESTAMP(x), DATE(x): the cast; numbers are seconds. */
function converted(name: string, type: DataType, args: readonly Argument[]): ScalarOverload | undefined {
  const from = args.length === 1 ? args[0]!.type : undefined
  if (from === undefined) return undefined
  if (from.kind !== 'string' && from.kind !== 'null' && !isTime(from) && !isNumeric(from)) return undefined
  const cast = isNumeric(from) ? undefined : caster(from.kind === 'null' ? text : from, type)
  const convert = microsOfNumber(from)
  return overload({
    name,
    parameters: [from.kind === 'null' ? text : from],
    type,
    fallible: true,
    call: (value) => {
      if (cast !== undefined) return cast(value as Exclude<Value, null>)
      const micros = convert(value!, 's')
      return type.kind === 'date' ? dayOfMicros(micros) : micros
    },
  })
}

/** FROM_UNIXTIME(sec) → TIMESTAMP; with a pattern → STRING. */
function fromUnixtime(args: readonly Argument[]): ScalarOverload | undefined {
  const [seconds, pattern] = args
  if (seconds === undefined || args.length > 2 || !isNumeric(seconds.type)) return undefined
  const convert = microsOfNumber(seconds.type)
  const form = { name: 'FROM_UNIXTIME', fallible: true }
  if (pattern === undefined) {
    return overload({ ...form, parameters: [seconds.type], type: timestamp, call: (value) => convert(value!, 's') })
  }
  if (!accepts(pattern, text) || isBadPattern(pattern, anyPattern)) return undefined
  const patterns = keptPatterns(anyPattern)
  return overload({
    ...form,
    parameters: [seconds.type, text],
    type: text,
    call: (value, p) => formatTime(convert(value!, 's'), patterns(p as string)),
  })
}

/** Whole units since 1970, rounded down. */
const unixTime = (name: string, size: number, sql: string, result: string): ScalarFunction =>
  define({
    name,
    signatures: name === 'UNIX_TIMESTAMP' ? [`${name}([t])`] : [`${name}(t)`],
    summary: `${name === 'UNIX_TIMESTAMP' ? 'Seconds' : name === 'UNIX_MILLIS' ? 'Milliseconds' : 'Microseconds'} since 1970-01-01.`,
    examples: [example(sql, result)],
    resolve: (args) => {
      const [time] = args
      if (time === undefined || args.length !== 1) return undefined
      const type = time.type.kind === 'timestamptz' ? timestamptz : timestamp
      if (!canWiden(time.type, type)) return undefined
      return overload({
        name,
        parameters: [type],
        type: types.bigint,
        call: (t) => (size === 1 ? (t as ExactInteger) : divideFloor(t as ExactInteger, size)),
        inline: (_code, t = '') => (size === 1 ? t : `Math.floor(${t} / ${size})`),
      })
    },
  })

const AT = "TIMESTAMP '2026-01-02 03:04:05.678'"

export const timeConvertFunctions: readonly ScalarFunction[] = [
  define({
    name: 'TO_TIMESTAMP',
    signatures: ["TO_TIMESTAMP(num [, 's'|'ms'|'us'|'ns'])", 'TO_TIMESTAMP(s [, pattern])'],
    summary: 'A TIMESTAMP of a count since 1970 or of a text.',
    examples: [
      example('TO_TIMESTAMP(1767225600)', '2026-01-01 00:00:00'),
      example("TO_TIMESTAMP('02.01.2026', 'DD.MM.YYYY')", '2026-01-02 00:00:00'),
    ],
    resolve: toTimestamp,
  }),
  define({
    name: 'TO_DATE',
    signatures: ['TO_DATE(s [, pattern])'],
    summary: 'A DATE of a text.',
    examples: [
      example("TO_DATE('2026-01-31')", '2026-01-31'),
      example("TO_DATE('31/01/2026', 'dd/MM/yyyy')", '2026-01-31'),
    ],
    resolve: (args) =>
      args.length === 2 ? parsing('TO_DATE', types.date, anyPattern, args) : converted('TO_DATE', types.date, args),
  }),
  define({
    name: 'FROM_UNIXTIME',
    signatures: ['FROM_UNIXTIME(sec)', 'FROM_UNIXTIME(sec, pattern)'],
    summary: 'A TIMESTAMP of seconds since 1970; with a pattern its text.',
    examples: [
      example('FROM_UNIXTIME(1767225600)', '2026-01-01 00:00:00'),
      example("FROM_UNIXTIME(1767225600, 'yyyy-MM-dd')", "'2026-01-01'"),
    ],
    resolve: fromUnixtime,
  }),
  define({
    name: 'TIMESTAMP',
    signatures: ['TIMESTAMP(x)', 'TIMESTAMP()'],
    summary: 'A TIMESTAMP of a text, a time or seconds since 1970; without an argument the clock.',
    examples: [example("TIMESTAMP('2026-01-31 10:00')", '2026-01-31 10:00:00')],
    resolve: (args) => converted('TIMESTAMP', timestamp, args),
  }),
  define({
    name: 'DATE',
    signatures: ['DATE(x)'],
    summary: 'A DATE of a text, a time or seconds since 1970.',
    examples: [example("DATE(TIMESTAMP '2026-01-31 10:00')", '2026-01-31')],
    resolve: (args) => converted('DATE', types.date, args),
  }),
  unixTime('UNIX_TIMESTAMP', 1_000_000, "UNIX_TIMESTAMP(DATE '2026-01-01')", '1767225600'),
  unixTime('UNIX_MILLIS', 1000, "UNIX_MILLIS(DATE '2026-01-01')", '1767225600000'),
  unixTime('UNIX_MICROS', 1, "UNIX_MICROS(DATE '2026-01-01')", '1767225600000000'),
  define({
    name: 'TO_CHAR',
    signatures: ["TO_CHAR(t, 'YYYY-MM-DD HH24:MI:SS.MS')"],
    summary: 'Text of a time by a PostgreSQL template.',
    examples: [example(`TO_CHAR(${AT}, 'YYYY-MM-DD HH24:MI:SS.MS')`, "'2026-01-02 03:04:05.678'")],
    resolve: formatting('TO_CHAR', postgresPattern),
  }),
  define({
    name: 'DATE_FORMAT',
    signatures: ['DATE_FORMAT(t, pattern)'],
    summary: 'Text of a time: `%Y %y %m %d %H %h %i %s %f %a %b`, or without `%` yyyy MM dd HH mm ss SSS.',
    examples: [
      example(`DATE_FORMAT(${AT}, '%Y-%m-%d %H:%i:%s')`, "'2026-01-02 03:04:05'"),
      example(`DATE_FORMAT(${AT}, 'yyyy-MM-dd HH:mm:ss.SSS')`, "'2026-01-02 03:04:05.678'"),
    ],
    resolve: formatting('DATE_FORMAT', formatPattern),
  }),
  define({
    name: 'STRFTIME',
    signatures: ['STRFTIME(t, pattern)'],
    summary: 'Text of a time by the letters of C.',
    examples: [example(`STRFTIME(${AT}, '%d.%m.%Y %H:%M')`, "'02.01.2026 03:04'")],
    resolve: formatting('STRFTIME', strftimePattern),
  }),
  define({
    name: 'STRPTIME',
    signatures: ['STRPTIME(s, pattern)'],
    summary: 'A TIMESTAMP of a text by the letters of C.',
    examples: [example("STRPTIME('02.01.2026 03:04', '%d.%m.%Y %H:%M')", '2026-01-02 03:04:00')],
    resolve: (args) => parsing('STRPTIME', timestamp, strftimePattern, args),
  }),
]
