import type { AggregateFunction } from './aggregates.ts'
import { aggregateList } from './functions/aggregates.ts'
import { arithmeticFunctions } from './functions/arithmetic.ts'
import { comparisonFunctions } from './functions/comparison.ts'
import { likeFunctions } from './functions/like.ts'
import type { ScalarFunction } from './functions.ts'

function byName<T extends { readonly name: string; readonly aliases: readonly string[] }>(
  list: readonly T[],
): ReadonlyMap<string, T> {
  return new Map(list.flatMap((item) => [item.name, ...item.aliases].map((name) => [name, item] as const)))
}

/** Every scalar function once, in the order of the reference. */
export const scalarList: readonly ScalarFunction[] = [...arithmeticFunctions, ...comparisonFunctions, ...likeFunctions]

/** By upper-case name or alias; operators by symbol (`+`, `unary-`, `IS DISTINCT FROM`, `SUBSCRIPT`). */
export const scalarFunctions: ReadonlyMap<string, ScalarFunction> = byName(scalarList)

/** By upper-case name or alias. */
export const aggregateFunctions: ReadonlyMap<string, AggregateFunction> = byName(aggregateList)
