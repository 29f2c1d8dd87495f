import { types } from '../../core/types.ts'
import type { BoundExpr } from '../../expr/bound.ts'
import { scalarFunctions } from '../../expr/catalogue.ts'
import { textInZone, textToInstant } from '../../expr/functions/time-zones.ts'
import type { ScalarOverload } from '../../expr/functions.ts'
import { timeUnit } from '../../expr/time/interval-text.ts'
import { asArgument, literal } from './casts.ts'
import { foldConstant } from './constants.ts'
import type { Environment } from './context.ts'
import { sessionZone } from './settings.ts'

// `SET timezone`: expressions over TIMESTAMPTZ are bound with the zone as an argument; what runs them knows no session.

const isInstant = (expr: BoundExpr): boolean => expr.type.kind === 'timestamptz'

function call(overload: ScalarOverload, args: readonly BoundExpr[], span: BoundExpr['span']): BoundExpr {
  const nullable = overload.nullable || args.some((arg) => arg.nullable)
  return foldConstant({ kind: 'call', overload, args, type: overload.type, nullable, span })
}

/** The wall time of an instant, or the instant of a wall time. */
function atZone(expr: BoundExpr, zone: string): BoundExpr {
  const args = [expr, literal(types.string, zone)]
  const overload = scalarFunctions.get('AT TIME ZONE')!.resolve(args.map(asArgument))!
  return call(overload, args, expr.span)
}

/** A cast from or to TIMESTAMPTZ goes by the wall clock of the session; every other expression is itself. */
export function castInZone(expr: BoundExpr, environment: Environment): BoundExpr {
  const zone = sessionZone(environment)
  if (zone === undefined || expr.kind !== 'cast') return expr
  const { arg, type, safe, span } = expr
  const to = (from: BoundExpr): BoundExpr => foldConstant({ ...expr, arg: from })
  if (isInstant(arg)) {
    if (type.kind === 'timestamp') return atZone(arg, zone)
    if (type.kind === 'date') return to(atZone(arg, zone))
    if (type.kind !== 'string') return expr
    const text = call(textInZone, [arg, literal(types.string, zone)], span)
    return type.length === undefined ? text : to(text)
  }
  if (type.kind !== 'timestamptz') return expr
  if (arg.type.kind === 'timestamp') return atZone(arg, zone)
  if (arg.type.kind === 'date') return atZone(foldConstant({ ...expr, type: types.timestamp }), zone)
  return arg.type.kind === 'string' ? call(textToInstant(safe), [arg, literal(types.string, zone)], span) : expr
}

/** Functions of a wall time: an instant that they are given is one of the session's zone. */
const ofWallTime: ReadonlySet<string> = new Set(
  (
    'EXTRACT DATE_PART YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND TO_CHAR DATE_FORMAT STRFTIME TO_DATE TIMESTAMP ' +
    'DATE LAST_DAY'
  ).split(' '),
)

/** Functions that take the zone as their last argument. */
const withZone: ReadonlySet<string> = new Set('DATE_TRUNC DATE_ADD DATE_SUB GENERATE_SERIES'.split(' '))

export interface ZonedCall {
  readonly name: string
  readonly args: readonly BoundExpr[]
  /** The result is a wall time that stands for an instant. */
  readonly back: boolean
}

/** A call as it is over instants of the session's zone; undefined when the zone changes nothing. */
export function callInZone(name: string, args: readonly BoundExpr[], environment: Environment): ZonedCall | undefined {
  const zone = sessionZone(environment)
  if (zone === undefined || !args.some(isInstant)) return undefined
  const walled = args.map((arg) => (isInstant(arg) ? atZone(arg, zone) : arg))
  if (ofWallTime.has(name)) {
    return unitOf(args[0]) === 'epoch' ? undefined : { name, args: walled, back: name === 'LAST_DAY' }
  }
  const last = literal(types.string, zone)
  if (withZone.has(name))
    return args.length === (name === 'GENERATE_SERIES' ? 4 : 3) ? undefined : zoned(name, args, last)
  // FLOOR(t TO unit)
  if (name === 'FLOOR') return zoned('DATE_TRUNC', [args[1]!, args[0]!], last)
  // Whole days and months are those of the calendar, hours are absolute.
  if (name === 'DATEDIFF') return isCalendarUnit(args[0]) ? { name, args: walled, back: false } : undefined
  if (name !== '+' && name !== '-') return undefined
  const [left, right] = args
  if (isInstant(left!) && right?.type.kind === 'interval')
    return zoned(name === '+' ? 'DATE_ADD' : 'DATE_SUB', args, last)
  return name === '+' && left?.type.kind === 'interval' ? zoned('DATE_ADD', [right!, left], last) : undefined
}

const zoned = (name: string, args: readonly BoundExpr[], zone: BoundExpr): ZonedCall => ({
  name,
  args: [...args, zone],
  back: false,
})

const unitOf = (arg: BoundExpr | undefined): string | undefined =>
  arg?.kind === 'literal' && typeof arg.value === 'string' ? arg.value.toLowerCase() : undefined

function isCalendarUnit(arg: BoundExpr | undefined): boolean {
  const unit = timeUnit(unitOf(arg) ?? '')
  return unit !== undefined && (unit.months > 0 || unit.days > 0)
}

/** The instant that a wall time of the session stands for. */
export const backInZone = (expr: BoundExpr, environment: Environment): BoundExpr => {
  const zone = sessionZone(environment)
  return zone === undefined ? expr : atZone(expr, zone)
}
