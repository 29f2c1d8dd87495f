import { didYouMean, nearestNames } from '../../core/suggest.ts'
import { type DataType, typeName, types } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import { castable } from '../../expr/coerce.ts'
import type { Argument, ScalarFunction, ScalarOverload } from '../../expr/functions.ts'
import { asArgument, castTo, isStringLiteral } from './casts.ts'
import { checkedLiteral, foldConstant } from './constants.ts'
import type { Binder } from './context.ts'
import { fault, silent, unsupported } from './failure.ts'
import { laterFunctions } from './later-functions.ts'
import { checkPatterns } from './patterns.ts'
import { backInZone, callInZone, castInZone, type ZonedCall } from './session-zone.ts'

/** A call of a catalogue function, its arguments cast to what the overload wants. */
export function callFunction(name: string, args: readonly BoundExpr[], span: Span, binder: Binder): BoundExpr {
  const found = binder.environment.functions.scalar.get(name.toUpperCase())
  return found === undefined ? functionNotFound(name, span, binder) : callOf(found, args, span, binder)
}

/** A call of this function; see `callFunction`. */
export function callOf(found: ScalarFunction, args: readonly BoundExpr[], span: Span, binder: Binder): BoundExpr {
  binder.environment.functionsUsed.add(found.name)
  const folded = args.map(foldConstant)
  const zoned = callInZone(found.name, folded, binder.environment)
  if (zoned !== undefined) return calledInZone(zoned, span, binder)
  checkPatterns(found.name, folded, binder)
  const overload = chooseOverload(found, folded)
  if (overload === undefined) return argumentMismatch(found, folded, span, binder)
  return makeCall(overload, folded, span, binder)
}

function calledInZone({ name, args, back }: ZonedCall, span: Span, binder: Binder): BoundExpr {
  const { scalar, table } = binder.environment.functions
  const called = callOf((scalar.get(name) ?? table.get(name))!, args, span, binder)
  return back ? backInZone(called, binder.environment) : called
}

export function makeCall(overload: ScalarOverload, args: readonly BoundExpr[], span: Span, binder: Binder): BoundExpr {
  const cast = args.map((arg, i) => castArgument(arg, overload.parameters[i]!, binder))
  const nullable = overload.nullable || (!overload.seesNull && cast.some((arg) => arg.nullable))
  return { kind: 'call', overload, args: cast, type: overload.type, nullable, span }
}

/** A string literal is read at once as the type that is wanted; everything else is cast. */
export function castArgument(arg: BoundExpr, type: DataType, binder: Binder): BoundExpr {
  return isStringLiteral(arg) && type.kind !== 'string'
    ? checkedLiteral(arg, type, binder)
    : castInZone(castTo(arg, type), binder.environment)
}

/** The overload for the arguments as they are, else with string literals free to take another type. */
export function chooseOverload<T>(
  found: { resolve(args: readonly Argument[]): T | undefined },
  args: readonly BoundExpr[],
): T | undefined {
  const plain = args.map(asArgument)
  const direct = found.resolve(plain)
  if (direct !== undefined || !args.some(isStringLiteral)) return direct
  return found.resolve(args.map((arg, i) => (isStringLiteral(arg) ? { ...plain[i]!, type: types.null } : plain[i]!)))
}

export function functionNotFound(name: string, span: Span, binder: Binder): never {
  const upper = name.toUpperCase()
  if (binder.environment.brokenFunctions.has(upper)) return silent()
  if (laterFunctions.has(upper)) return unsupported(`the function ${upper}`, span)
  const { scalar, aggregate, table } = binder.environment.functions
  if (table.has(upper) || upper === 'UNNEST') {
    return fault('sql_function_not_found', `${upper} gives rows, not a value`, span, {
      hint: `write it in FROM: CROSS JOIN ${upper}(…) AS t`,
    })
  }
  const names = [...scalar.keys(), ...aggregate.keys()].filter((known) => /^\w+$/.test(known))
  return fault('sql_function_not_found', `function "${name}" does not exist`, span, {
    hint: didYouMean(upper, names) ?? 'the reference lists all functions; your own are made with CREATE FUNCTION',
    suggestions: nearestNames(upper, names).map((near) => ({ replace: name, with: near })),
  })
}

const isOperator = (name: string): boolean => !/^\w+$/.test(name)

function argumentMismatch(found: ScalarFunction, args: readonly BoundExpr[], span: Span, binder: Binder): never {
  const given = args.map((arg) => typeName(arg.type)).join(', ')
  if (isOperator(found.name) || found.name.startsWith('unary') || comparisonWords.has(found.name)) {
    return operatorMismatch(found, args, span, binder)
  }
  return fault('sql_argument_mismatch', `${found.name} does not accept (${given})`, span, {
    hint: `accepted: ${found.signatures.slice(0, 5).join('; ')}`,
  })
}

const comparisonWords: ReadonlySet<string> = new Set(['NOT', 'LIKE', 'ILIKE', 'IN', 'BETWEEN', 'IS DISTINCT FROM'])

const isText = (expr: BoundExpr): boolean => expr.type.kind === 'string'

function operatorMismatch(found: ScalarFunction, args: readonly BoundExpr[], span: Span, binder: Binder): never {
  const names = args.map((arg) => typeName(arg.type))
  const message =
    args.length === 2
      ? `${names[0]} ${found.name} ${names[1]} has no meaning`
      : `${found.name} does not accept ${names.join(', ')}`
  return fault('sql_type_mismatch', message, span, {
    hint: castHint(args, binder) ?? `accepted: ${found.signatures.join('; ')}`,
  })
}

/** The CAST that would make a STRING fit the other side. */
export function castHint(args: readonly BoundExpr[], binder: Binder): string | undefined {
  const text = args.find((arg) => isText(arg) && arg.kind !== 'literal')
  const other = args.find((arg) => !isText(arg) && arg.type.kind !== 'null')
  if (text?.span !== undefined && other !== undefined) {
    return `write CAST(${binder.textOf(text.span)} AS ${typeName(other.type)})`
  }
  const first = args.find((arg) => arg.span !== undefined && arg.kind !== 'literal')
  const target = args.find((arg) => arg !== first && arg.type.kind !== 'null')
  if (first?.span === undefined || target === undefined) return undefined
  if (typeName(first.type) === typeName(target.type) || !castable(first.type, target.type)) return undefined
  return `write CAST(${binder.textOf(first.span)} AS ${typeName(target.type)})`
}
