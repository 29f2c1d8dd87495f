import { typeName } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import { castable } from '../../expr/coerce.ts'
import type { CastExpr, Expr, Name } from '../ast.ts'
import { bindCase } from './branches.ts'
import { bindCall } from './calls.ts'
import { castTo, isStringLiteral, literal } from './casts.ts'
import { foldConstant, textAs } from './constants.ts'
import { bindArray, bindMap, bindStruct } from './constructors.ts'
import type { AggregateSink, Binder, Environment, WindowNames } from './context.ts'
import { fault, unsupported } from './failure.ts'
import { bindColumn, bindField, bindIndex } from './names.ts'
import { bindBetween, bindBinary, bindIn, bindIs, bindLike, bindUnary } from './operators.ts'
import type { Scope } from './scope.ts'
import { castInZone } from './session-zone.ts'
import { sessionZone } from './settings.ts'

type ExprOf<K extends Expr['kind']> = Extract<Expr, { kind: K }>

const binders: { readonly [K in Expr['kind']]: (expr: ExprOf<K>, binder: Binder) => BoundExpr } = {
  literal: bindLiteral,
  array: (expr, binder) => bindArray(expr.items, expr.span, binder),
  map: (expr, binder) => bindMap(expr.items, expr.span, binder),
  row: (expr, binder) => bindStruct(expr.items, [], expr.span, binder),
  column: bindColumn,
  field: bindField,
  index: bindIndex,
  wildcard: (expr) => unsupported('a wildcard in a path', expr.span, 'use JSON_QUERY with a path'),
  parameter: (expr, binder) => {
    const found = binder.environment.parameters.get(expr.name)
    if (found !== undefined) return literal(found.type, found.value, expr.span)
    return fault('sql_parameter_unbound', `parameter "${expr.name}" has no value`, expr.span, {
      hint: `bind it where the script is started: --param ${expr.name}=value`,
    })
  },
  unary: bindUnary,
  binary: bindBinary,
  is: bindIs,
  between: bindBetween,
  in: bindIn,
  like: bindLike,
  quantified: (expr) => unsupported(`${expr.op} ${expr.quantifier.toUpperCase()} (…)`, expr.span, 'use IN with a list'),
  case: bindCase,
  cast: bindCast,
  call: bindCall,
  subquery: (expr) => unsupported('a subquery outside FROM', expr.span, 'put the query into FROM'),
  exists: (expr) => unsupported('EXISTS', expr.span, 'put the query into FROM'),
}

/** TIMESTAMPTZ '…' without an offset is wall time of the session. */
function bindLiteral(expr: ExprOf<'literal'>, binder: Binder): BoundExpr {
  const zone = expr.type.kind === 'timestamptz' ? sessionZone(binder.environment) : undefined
  if (zone === undefined) return literal(expr.type, expr.value, expr.span)
  const text = /'([^']*)'$/.exec(binder.environment.text.slice(expr.span.start, expr.span.end))?.[1] ?? ''
  return literal(expr.type, textAs(text, expr.type, zone) ?? expr.value, expr.span)
}

function bindCast(expr: CastExpr, binder: Binder): BoundExpr {
  const operand = binder.bind(expr.operand)
  const type = expr.type.type
  if (!castable(operand.type, type)) {
    return fault('sql_type_mismatch', `${typeName(operand.type)} cannot be cast to ${typeName(type)}`, expr.span, {
      hint: 'cast over STRING or JSON, or take a field or an element first',
    })
  }
  const { environment } = binder
  if (isStringLiteral(operand) && operand.kind === 'literal') {
    const value = textAs(String(operand.value), type, sessionZone(environment))
    if (value !== undefined) return literal(type, value, expr.span)
  }
  return { ...foldConstant(castInZone(castTo(operand, type, expr.safe), environment)), span: expr.span }
}

export interface BinderOptions {
  readonly environment: Environment
  readonly scope: Scope
  readonly place: string
  readonly aggregates?: AggregateSink | undefined
  readonly windows?: WindowNames | undefined
  readonly alias?: ((name: Name) => BoundExpr | undefined) | undefined
  readonly aliasFirst?: boolean | undefined
}

/** A binder for one clause. */
export function clauseBinder(options: BinderOptions): Binder {
  const { environment, scope, place, aggregates, windows } = options
  const binder: Binder = {
    environment,
    scope,
    place,
    aggregates,
    windows,
    alias: (name) => options.alias?.(name),
    aliasFirst: options.aliasFirst ?? false,
    bind: (expr) => (binders[expr.kind] as (expr: Expr, binder: Binder) => BoundExpr)(expr, binder),
    textOf: (span: Span) => shorten(environment.text.slice(span.start, span.end)),
    inside: (inner) => clauseBinder({ ...options, place: inner, aggregates: undefined }),
  }
  return binder
}

const shorten = (text: string): string => {
  const flat = text.replace(/\s+/g, ' ')
  return flat.length > 60 ? `${flat.slice(0, 59)}…` : flat
}
