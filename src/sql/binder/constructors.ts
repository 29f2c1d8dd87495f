import { array, type DataType, field, map, struct, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import { RowFailure, type ScalarOverload } from '../../expr/functions.ts'
import type { Expr, Name } from '../ast.ts'
import { commonTypeFor } from './branches.ts'
import { castArgument } from './call-function.ts'
import { foldConstant } from './constants.ts'
import type { Binder } from './context.ts'
import { fault } from './failure.ts'

const build = (
  name: string,
  args: readonly BoundExpr[],
  type: DataType,
  span: Span,
  call: ScalarOverload['call'],
  fallible = false,
): BoundExpr => {
  const overload: ScalarOverload = {
    name,
    parameters: args.map((arg) => arg.type),
    type,
    seesNull: true,
    nullable: false,
    deterministic: true,
    fallible,
    call,
  }
  return { kind: 'call', overload, args, type, nullable: false, span }
}

/** `[a, b]`, ARRAY[a, b], ARRAY(a, b). */
export function bindArray(items: readonly Expr[], span: Span, binder: Binder): BoundExpr {
  const bound = items.map((item) => binder.bind(item))
  const element = commonTypeFor(bound, items, binder)
  const args = bound.map((arg) => castArgument(arg, element, binder))
  return foldConstant(build('ARRAY', args, array(element), span, (...values: Value[]) => values))
}

/** MAP[k, v, …], MAP(k, v, …): the last of equal keys wins. */
export function bindMap(items: readonly Expr[], span: Span, binder: Binder): BoundExpr {
  if (items.length % 2 !== 0) {
    return fault('sql_argument_mismatch', 'MAP needs a value for each key', span, { hint: "write MAP['a', 1, 'b', 2]" })
  }
  const bound = items.map((item) => binder.bind(item))
  const even = <T>(list: readonly T[]) => list.filter((_, i) => i % 2 === 0)
  const odd = <T>(list: readonly T[]) => list.filter((_, i) => i % 2 === 1)
  const key = commonTypeFor(even(bound), even(items), binder)
  const value = commonTypeFor(odd(bound), odd(items), binder)
  const args = bound.map((arg, i) => castArgument(arg, i % 2 === 0 ? key : value, binder))
  return foldConstant(build('MAP', args, map(key, value), span, mapOf, true))
}

function mapOf(...values: Value[]): Value {
  const result = new Map<Value, Value>()
  for (let i = 0; i < values.length; i += 2) {
    const key = values[i]!
    if (key === null) throw new RowFailure('row_invalid_argument', 'a MAP key is NULL')
    result.set(key, values[i + 1]!)
  }
  return result
}

/** STRUCT(e AS a, …), ROW(e, …), (e, …): a field without a name takes its column's, else `f1`, `f2` … */
export function bindStruct(
  items: readonly Expr[],
  names: readonly (Name | undefined)[],
  span: Span,
  binder: Binder,
): BoundExpr {
  const args = items
    .map((item) => binder.bind(item))
    .map((arg) => (arg.type.kind === 'null' ? { ...arg, type: types.string } : arg))
  const fields = args.map((arg, i) => {
    const item = items[i]!
    const name = names[i]?.text ?? (item.kind === 'column' ? item.parts.at(-1)!.text : `f${i + 1}`)
    return field(name, arg.type, arg.nullable)
  })
  return foldConstant(build('STRUCT', args, struct(fields), span, (...values: Value[]) => values))
}
