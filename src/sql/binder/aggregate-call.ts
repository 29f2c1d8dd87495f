import { typeName } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { AggregateFunction } from '../../expr/aggregates.ts'
import type { BoundAggregate, BoundExpr, SortKey } from '../../expr/bound.ts'
import type { CallExpr, OrderItem } from '../ast.ts'
import { castCondition } from './branches.ts'
import { castArgument, chooseOverload } from './call-function.ts'
import { foldConstant } from './constants.ts'
import type { Binder } from './context.ts'
import { fault, unsupported } from './failure.ts'

/** Aggregates whose argument stands behind WITHIN GROUP. */
const ordered: ReadonlySet<string> = new Set(['PERCENTILE_CONT', 'PERCENTILE_DISC', 'MODE'])

export function bindAggregate(call: CallExpr, found: AggregateFunction, binder: Binder): BoundExpr {
  if (binder.aggregates === undefined) {
    return fault('sql_aggregate_misplaced', `the aggregate ${found.name} may not stand in ${binder.place}`, call.span, {
      hint: binder.place === 'WHERE' ? 'use HAVING, or aggregate in a subquery' : 'aggregate in a subquery first',
    })
  }
  binder.environment.functionsUsed.add(found.name)
  const inside = binder.inside('an aggregate')
  const { args, orderBy } = argumentsOf(call, found, inside)
  const overload = chooseOverload(found, args)
  if (overload === undefined) return mismatch(call, found, args)
  const cast = args.map((arg, i) => castArgument(arg, overload.parameters[i] ?? arg.type, inside))
  const rows = Math.min(found.rowArguments, cast.length)
  const aggregate: BoundAggregate = {
    overload,
    args: cast.slice(0, rows),
    parameters: cast.slice(rows).map((arg) => constantOf(arg, found, call)),
    distinct: call.distinct,
    filter: call.filter === undefined ? undefined : castCondition(inside.bind(call.filter), call.filter, inside),
    orderBy,
    type: overload.type,
    span: call.span,
  }
  return binder.aggregates.add(aggregate)
}

function argumentsOf(
  call: CallExpr,
  found: AggregateFunction,
  inside: Binder,
): { args: BoundExpr[]; orderBy: SortKey[] } {
  const written = call.args.map((arg) => foldConstant(inside.bind(arg)))
  const within = sortKeys(call.withinGroup, inside)
  if (!ordered.has(found.name) || within.length === 0) {
    return { args: written, orderBy: within.length > 0 ? within : sortKeys(call.orderBy, inside) }
  }
  const [key] = within
  if (within.length > 1 || key!.descending) return unsupported('WITHIN GROUP in descending order', call.span)
  return { args: [key!.expr, ...written], orderBy: [] }
}

/** NULLs last ascending, first descending, unless NULLS FIRST or LAST says otherwise. */
export function sortKeys(items: readonly OrderItem[], binder: Binder): SortKey[] {
  return items.map((item) => ({
    expr: binder.bind(item.expr),
    descending: item.descending,
    nullsFirst: item.nulls === undefined ? item.descending : item.nulls === 'first',
  }))
}

function constantOf(arg: BoundExpr, found: AggregateFunction, call: CallExpr): Value {
  const folded = foldConstant(arg)
  if (folded.kind === 'literal') return folded.value
  return fault('sql_argument_mismatch', `this argument of ${found.name} must be a constant`, arg.span ?? call.span, {
    hint: `accepted: ${found.signatures.join('; ')}`,
  })
}

function mismatch(call: CallExpr, found: AggregateFunction, args: readonly BoundExpr[]): never {
  const given = call.star ? '*' : args.map((arg) => typeName(arg.type)).join(', ')
  return fault('sql_argument_mismatch', `${found.name} does not accept (${given})`, call.span, {
    hint: `accepted: ${found.signatures.slice(0, 5).join('; ')}`,
  })
}
