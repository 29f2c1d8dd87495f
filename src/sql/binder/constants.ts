import { type DataType, typeName } from '../../core/types.ts'
import { type Interval, isWide, type Value } from '../../core/values.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import { caster } from '../../expr/cast/cast.ts'
import { numberLiteral } from '../../expr/coerce.ts'
import { RowFailure } from '../../expr/functions.ts'
import { hasOffset } from '../../expr/time/time-text.ts'
import { utcMicros } from '../../expr/time/zones.ts'
import { parseInterval } from '../parser/intervals.ts'
import { parseDate, parseTimestamp } from '../parser/times.ts'
import { literal, literalAs } from './casts.ts'
import type { Binder } from './context.ts'
import { fault } from './failure.ts'
import { sessionZone } from './settings.ts'

const forms: Readonly<Partial<Record<DataType['kind'], string>>> = {
  date: "'2026-01-31'",
  timestamp: "'2026-01-31 10:00:00'",
  timestamptz: "'2026-01-31T10:00:00+02:00'",
  interval: "'1 day 02:30:00' or '5m'",
  boolean: "'true' or 'false'",
  json: '\'{"a":1}\'',
}

/** A string literal as the type that its context needs. */
export function checkedLiteral(arg: BoundExpr, type: DataType, binder: Binder): BoundExpr {
  const text = arg.kind === 'literal' && typeof arg.value === 'string' ? arg.value : ''
  const value = textAs(text, type, sessionZone(binder.environment))
  if (value !== undefined) return literal(type, value, arg.span)
  const span: Span = arg.span ?? { start: 0, end: 0 }
  const numeric = forms[type.kind] === undefined
  return fault('sql_invalid_literal', `${binder.textOf(span)} is no valid ${typeName(type)}`, span, {
    hint: numeric
      ? `write a number without quotes, or CAST another value AS ${typeName(type)}`
      : `write ${forms[type.kind]}`,
  })
}

/** The value of a text; undefined when it has no valid form. `zone` is that of instants without an offset. */
export function textAs(text: string, type: DataType, zone?: string): Value | undefined {
  switch (type.kind) {
    case 'string':
      return type.length === undefined ? text : [...text].slice(0, type.length).join('')
    case 'date':
      return parseDate(text)
    case 'timestamp':
      return parseTimestamp(text)
    case 'timestamptz': {
      const value = parseTimestamp(text)
      return value === undefined || zone === undefined || hasOffset(text) ? value : utcMicros(value, zone)
    }
    case 'interval':
      return parseInterval(text)
    case 'boolean':
      return /^(true|t|yes|on|1)$/i.test(text) ? true : /^(false|f|no|off|0)$/i.test(text) ? false : undefined
    case 'json':
      return isJson(text) ? text : undefined
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'decimal':
    case 'double':
      return numberText(text.trim(), type)
    default:
      return undefined
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function numberText(text: string, type: DataType): Value | undefined {
  const found = /^([+-]?)(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)$/.exec(text)
  if (type.kind === 'double') return found === null ? undefined : Number(text)
  const number = found === null ? undefined : numberLiteral(found[2]!)
  if (number === undefined) return undefined
  const value = found![1] === '-' ? -number.value : number.value
  return literalAs(number.type, value, type)
}

/** A call or a cast over literals, computed now where that cannot fail; everything else unchanged. */
export function foldConstant(expr: BoundExpr): BoundExpr {
  if (expr.kind === 'cast' && expr.arg.kind === 'literal') return foldCast(expr, expr.arg)
  if (expr.kind !== 'call' || !expr.overload.deterministic || expr.args.length === 0) return expr
  const values: Value[] = []
  for (const arg of expr.args) {
    if (arg.kind !== 'literal') return expr
    values.push(arg.value)
  }
  if (!expr.overload.seesNull && values.includes(null)) return literal(expr.type, null, expr.span)
  try {
    return literal(expr.type, expr.overload.call(...values), expr.span)
  } catch (failure) {
    // What fails for every row fails when a row comes: an empty input or an unused CASE branch does not.
    if (failure instanceof RowFailure) return expr
    throw failure
  }
}

function foldCast(expr: Extract<BoundExpr, { kind: 'cast' }>, arg: Extract<BoundExpr, { kind: 'literal' }>): BoundExpr {
  if (arg.value === null) return literal(expr.type, null, expr.span)
  const text = typeof arg.value === 'string' && arg.type.kind === 'string'
  const value = text ? textAs(arg.value as string, expr.type) : literalAs(arg.type, arg.value, expr.type)
  if (value !== undefined) return literal(expr.type, value, expr.span)
  try {
    return literal(expr.type, caster(arg.type, expr.type)(arg.value), expr.span)
  } catch (failure) {
    if (!(failure instanceof RowFailure)) throw failure
    return expr.safe ? literal(expr.type, null, expr.span) : expr
  }
}

const isInterval = (value: Value): value is Interval =>
  typeof value === 'object' && value !== null && 'months' in value && 'micros' in value

/** An expression that must be a constant interval: a length of time in microseconds; undefined when it is none. */
export function constantMicros(expr: BoundExpr): number | undefined {
  const folded = foldConstant(expr)
  if (folded.kind !== 'literal') return undefined
  const interval = typeof folded.value === 'string' ? parseInterval(folded.value) : folded.value
  if (interval === undefined || interval === null || !isInterval(interval) || interval.months !== 0) return undefined
  return interval.days * 86_400_000_000 + interval.micros
}

/** A whole number that is known when planning; undefined when it is none. */
export function constantInteger(expr: BoundExpr): number | undefined {
  const folded = foldConstant(expr)
  if (folded.kind !== 'literal' || typeof folded.value !== 'number' || isWide(folded.value)) return undefined
  return Number.isInteger(folded.value) && folded.type.kind !== 'decimal' ? folded.value : undefined
}
