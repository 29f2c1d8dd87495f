import { type DataType, field, schema, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { BoundAggregate, SortKey } from '../../expr/bound.ts'
import { aggregateOf, columnExpr, literal } from '../../expr/testing/batches.ts'

export interface CallOptions {
  readonly parameters?: readonly Value[]
  readonly distinct?: boolean
  readonly orderBy?: readonly SortKey[]
}

/** A call over columns of the types given, the first ones of its input unless `at` says where each is. */
export function tryCallOf(
  name: string,
  columns: readonly DataType[],
  options: CallOptions = {},
  at?: readonly number[],
): BoundAggregate | undefined {
  const input = schema(columns.map((type, i) => field(`c${i}`, type)))
  const args = columns.map((_type, i) => columnExpr(input, i))
  const constants = (options.parameters ?? []).map((value) =>
    literal(typeof value === 'number' ? types.double : types.string, value),
  )
  const overload = aggregateOf(name, [...args, ...constants])
  if (overload === undefined) return undefined
  return {
    overload,
    args: args.map((arg, i) => ({ ...arg, index: at?.[i] ?? i, type: overload.parameters[i]! })),
    parameters: options.parameters ?? [],
    distinct: options.distinct ?? false,
    filter: undefined,
    orderBy: options.orderBy ?? [],
    type: overload.type,
  }
}

export function callOf(name: string, columns: readonly DataType[], options: CallOptions = {}): BoundAggregate {
  const call = tryCallOf(name, columns, options)
  if (call === undefined) throw new Error(`${name} does not accept its arguments`)
  return call
}
