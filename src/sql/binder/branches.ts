import { type DataType, typeName, types } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import { commonType } from '../../expr/coerce.ts'
import type { CaseExpr, Expr } from '../ast.ts'
import { callFunction, castArgument } from './call-function.ts'
import { alignLiterals, isStringLiteral } from './casts.ts'
import type { Binder } from './context.ts'
import { fault } from './failure.ts'

/** The least common type of branches; string literals take the type of the others. */
export function commonTypeFor(args: readonly BoundExpr[], written: readonly Expr[], binder: Binder): DataType {
  const firm = args.filter((arg) => !isStringLiteral(arg) && arg.type.kind !== 'null')
  if (firm.length === 0) return args.some(isStringLiteral) ? types.string : (args[0]?.type ?? types.null)
  let type = firm[0]!.type
  for (const arg of firm.slice(1)) {
    const next = commonType(type, arg.type)
    if (next === undefined) return noCommonType(type, arg, written[args.indexOf(arg)], binder)
    type = next
  }
  return type
}

function noCommonType(type: DataType, arg: BoundExpr, written: Expr | undefined, binder: Binder): never {
  const span: Span = written?.span ?? arg.span ?? { start: 0, end: 0 }
  return fault('sql_no_common_type', `${typeName(type)} and ${typeName(arg.type)} have no common type`, span, {
    hint: `write CAST(${binder.textOf(span)} AS ${typeName(type)})`,
  })
}

/** CASE, both forms. */
export function bindCase(expr: CaseExpr, binder: Binder): BoundExpr {
  const operand = expr.operand === undefined ? undefined : binder.bind(expr.operand)
  const whens = expr.branches.map(({ when }) => {
    const bound = binder.bind(when)
    if (operand !== undefined) return callFunction('=', alignLiterals(operand, bound), when.span, binder)
    return castCondition(bound, when, binder)
  })
  const written = [
    ...expr.branches.map(({ result }) => result),
    ...(expr.otherwise === undefined ? [] : [expr.otherwise]),
  ]
  const results = written.map((result) => binder.bind(result))
  const type = commonTypeFor(results, written, binder)
  const cast = results.map((result) => castArgument(result, type, binder))
  const otherwise = expr.otherwise === undefined ? undefined : cast.at(-1)
  const branches = whens.map((when, i) => ({ when, result: cast[i]! }))
  const nullable = otherwise === undefined || cast.some((result) => result.nullable)
  return { kind: 'case', branches, otherwise, type, nullable, span: expr.span }
}

export function castCondition(bound: BoundExpr, written: Expr, binder: Binder): BoundExpr {
  if (bound.type.kind === 'boolean') return bound
  if (bound.type.kind === 'null' || isStringLiteral(bound)) return castArgument(bound, types.boolean, binder)
  const text = binder.textOf(written.span)
  return fault('sql_type_mismatch', `a condition is wanted, but "${text}" is ${typeName(bound.type)}`, written.span, {
    hint: `compare it, as in ${text} <> 0, or write CAST(${text} AS BOOLEAN)`,
  })
}

/** COALESCE and its kin. */
export function bindCoalesce(written: readonly Expr[], span: Span, binder: Binder): BoundExpr {
  const args = written.map((arg) => binder.bind(arg))
  const type = commonTypeFor(args, written, binder)
  const cast = args.map((arg) => castArgument(arg, type, binder))
  return { kind: 'coalesce', args: cast, type, nullable: cast.every((arg) => arg.nullable), span }
}
