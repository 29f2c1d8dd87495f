import { type DataType, typeName, types } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import type { CallExpr } from '../ast.ts'
import { bindAggregate } from './aggregate-call.ts'
import { bindCoalesce, castCondition, commonTypeFor } from './branches.ts'
import { callFunction, castArgument, functionNotFound } from './call-function.ts'
import { alignLiterals, castTo, literal } from './casts.ts'
import { foldConstant } from './constants.ts'
import { bindArray, bindMap, bindStruct } from './constructors.ts'
import type { Binder } from './context.ts'
import { fault, unsupported } from './failure.ts'
import { windowFunctions } from './later-functions.ts'
import { castInZone } from './session-zone.ts'
import { sessionZone } from './settings.ts'

const windowKinds = /^(TUMBLE|HOP|SESSION|CUMULATE)(_START|_END)?$/

export function bindCall(call: CallExpr, binder: Binder): BoundExpr {
  const name = call.name.text
  const upper = name.toUpperCase()
  if (call.over !== undefined || windowFunctions.has(upper))
    return unsupported('OVER', call.span, 'GROUP BY a window instead')
  const window = windowKinds.exec(upper)
  if (window !== null) return windowCall(call, window, binder)
  if (Object.hasOwn(specials, upper)) {
    binder.environment.functionsUsed.add(binder.environment.functions.scalar.get(upper)?.name ?? upper)
    return specials[upper]!(call, binder)
  }
  const aggregate = binder.environment.functions.aggregate.get(upper)
  if (aggregate !== undefined) return bindAggregate(call, aggregate, binder)
  if (call.star || call.distinct || call.filter !== undefined || call.orderBy.length + call.withinGroup.length > 0) {
    if (!binder.environment.functions.scalar.has(upper)) return functionNotFound(name, call.name.span, binder)
    return fault('sql_argument_mismatch', `${upper} is not an aggregate`, call.span, {
      hint: 'DISTINCT, FILTER, ORDER BY and * belong to aggregates',
    })
  }
  if (!binder.environment.functions.scalar.has(upper)) return functionNotFound(name, call.name.span, binder)
  return callFunction(
    upper,
    call.args.map((arg) => binder.bind(arg)),
    call.span,
    binder,
  )
}

/** TUMBLE_START() and its kin; TUMBLE(…) itself stands in GROUP BY and FROM only. */
function windowCall(call: CallExpr, found: RegExpExecArray, binder: Binder): BoundExpr {
  const [name, kind, edge] = found
  if (kind !== 'TUMBLE') return unsupported(`the window ${kind}`, call.span, 'use TUMBLE')
  const column =
    edge === undefined ? undefined : binder.windows?.find(edge === '_START' ? 'window_start' : 'window_end')
  if (column !== undefined) return { ...column, span: call.span }
  return fault('sql_window_mismatch', `${name} stands where there is no window`, call.span, {
    hint: 'write GROUP BY TUMBLE(ts, 5m), then TUMBLE_START() in the SELECT list',
  })
}

type Special = (call: CallExpr, binder: Binder) => BoundExpr

type ContextName = Extract<BoundExpr, { kind: 'context' }>['name']

const clock = (name: ContextName, type: DataType, span: Span): BoundExpr => ({
  kind: 'context',
  name,
  type,
  nullable: false,
  span,
})

const context =
  (name: ContextName, type: DataType): Special =>
  (call, binder) => {
    expectArguments(call, binder, 0, 0)
    return clock(name, type, call.span)
  }

/** CURRENT_DATE and LOCALTIMESTAMP are of the wall clock of the session. */
const wallClock =
  (name: ContextName, type: DataType): Special =>
  (call, binder) => {
    expectArguments(call, binder, 0, 0)
    if (sessionZone(binder.environment) === undefined) return clock(name, type, call.span)
    return castInZone(castTo(clock('now', types.timestamptz, call.span), type), binder.environment)
  }

/** A function of the catalogue that without an argument reads the clock. */
const orClock =
  (name: string, withoutArgument: (span: Span, binder: Binder) => BoundExpr): Special =>
  (call, binder) => {
    if (call.args.length === 0) return withoutArgument(call.span, binder)
    const args = call.args.map((arg) => binder.bind(arg))
    return callFunction(name, args, call.span, binder)
  }

const coalesce: Special = (call, binder) => {
  expectArguments(call, binder, 1, 64)
  return bindCoalesce(call.args, call.span, binder)
}

const specials: Readonly<Record<string, Special>> = {
  COALESCE: coalesce,
  IFNULL: coalesce,
  NVL: coalesce,
  NULLIF: nullIf,
  IF: ifCall,
  IIF: ifCall,
  NOW: context('now', types.timestamptz),
  CURRENT_TIMESTAMP: context('now', types.timestamptz),
  LOCALTIMESTAMP: wallClock('proctime', types.timestamp),
  PROCTIME: context('proctime', types.timestamp),
  CURRENT_DATE: wallClock('current_date', types.date),
  EVENT_TIME: (call, binder) => {
    expectArguments(call, binder, 0, 0)
    const name = { kind: 'name', text: '_event_time', quoted: false, span: call.span } as const
    return binder.bind({ kind: 'column', parts: [name], span: call.span })
  },
  TYPEOF: (call, binder) => {
    expectArguments(call, binder, 1, 1)
    return literal(types.string, typeName(binder.bind(call.args[0]!).type), call.span)
  },
  TIMESTAMP: (call, binder) =>
    call.args.length === 0
      ? wallClock('proctime', types.timestamp)(call, binder)
      : callFunction(
          'TIMESTAMP',
          call.args.map((arg) => binder.bind(arg)),
          call.span,
          binder,
        ),
  UNIX_TIMESTAMP: orClock('UNIX_TIMESTAMP', (span, binder) =>
    callFunction('UNIX_TIMESTAMP', [clock('now', types.timestamptz, span)], span, binder),
  ),
  ARRAY: (call, binder) => bindArray(call.args, call.span, binder),
  MAP: (call, binder) => bindMap(call.args, call.span, binder),
  STRUCT: (call, binder) => bindStruct(call.args, call.argNames ?? [], call.span, binder),
  ROW: (call, binder) => bindStruct(call.args, call.argNames ?? [], call.span, binder),
}

function expectArguments(call: CallExpr, binder: Binder, from: number, to: number): void {
  if (call.args.length >= from && call.args.length <= to && !call.star && !call.distinct) return
  const name = call.name.text.toUpperCase()
  const wanted = from === to ? String(from) : `${from} or more`
  fault('sql_argument_mismatch', `${name} takes ${wanted} arguments, not ${call.args.length}`, call.span, {
    hint: `accepted: ${binder.environment.functions.scalar.get(name)?.signatures.join('; ') ?? forms[name] ?? `${name}(…)`}`,
  })
}

const forms: Readonly<Record<string, string>> = {
  COALESCE: 'COALESCE(any, …)',
  IFNULL: 'IFNULL(a, b)',
  NVL: 'NVL(a, b)',
  NULLIF: 'NULLIF(a, b)',
  IF: 'IF(condition, a, b)',
  IIF: 'IIF(condition, a, b)',
  TYPEOF: 'TYPEOF(any)',
  PROCTIME: 'PROCTIME()',
  NOW: 'NOW()',
}

/** NULLIF(a, b): CASE WHEN a = b THEN NULL ELSE a END. */
function nullIf(call: CallExpr, binder: Binder): BoundExpr {
  expectArguments(call, binder, 2, 2)
  const [a, b] = call.args.map((arg) => binder.bind(arg))
  const when = callFunction('=', alignLiterals(a!, b!), call.span, binder)
  const branches = [{ when, result: literal(a!.type, null) }]
  return { kind: 'case', branches, otherwise: a!, type: a!.type, nullable: true, span: call.span }
}

function ifCall(call: CallExpr, binder: Binder): BoundExpr {
  expectArguments(call, binder, 2, 3)
  const when = castCondition(binder.bind(call.args[0]!), call.args[0]!, binder)
  const written = call.args.slice(1)
  const results = written.map((arg) => binder.bind(arg))
  const type = commonTypeFor(results, written, binder)
  const [result, otherwise] = results.map((arg) => foldConstant(castArgument(arg, type, binder)))
  const nullable = otherwise === undefined || otherwise.nullable || result!.nullable
  return { kind: 'case', branches: [{ when, result: result! }], otherwise, type, nullable, span: call.span }
}
