import type { AggregateFunction } from './aggregates.ts'
import { aggregateList } from './functions/aggregates.ts'
import { arithmeticFunctions } from './functions/arithmetic.ts'
import { collectionFunctions } from './functions/collections.ts'
import { comparisonFunctions } from './functions/comparison.ts'
import { hashFunctions } from './functions/hashes.ts'
import { jsonFunctions } from './functions/json.ts'
import { likeFunctions } from './functions/like.ts'
import { numberFunctions } from './functions/numbers.ts'
import { regexFunctions } from './functions/regexp.ts'
import { roundingFunctions } from './functions/rounding.ts'
import { tableFunctionList } from './functions/series.ts'
import { specialForms } from './functions/special-forms.ts'
import { searchFunctions } from './functions/string-search.ts'
import { splitFunctions } from './functions/string-split.ts'
import { stringFunctions } from './functions/strings.ts'
import { timeConvertFunctions } from './functions/time-convert.ts'
import { timeDistanceFunctions } from './functions/time-distance.ts'
import { timeFieldFunctions } from './functions/time-fields.ts'
import { truncateFunctions } from './functions/time-truncate.ts'
import { timeZoneFunctions } from './functions/time-zones.ts'
import type { ScalarFunction } from './functions.ts'

function byName<T extends { readonly name: string; readonly aliases: readonly string[] }>(
  list: readonly T[],
): ReadonlyMap<string, T> {
  return new Map(list.flatMap((item) => [item.name, ...item.aliases].map((name) => [name, item] as const)))
}

/** Every scalar function once, in the order of the reference. */
export const scalarList: readonly ScalarFunction[] = [
  ...arithmeticFunctions,
  ...comparisonFunctions,
  ...likeFunctions,
  ...regexFunctions,
  ...numberFunctions,
  ...roundingFunctions,
  ...stringFunctions,
  ...searchFunctions,
  ...splitFunctions,
  ...hashFunctions,
  ...specialForms,
  ...timeFieldFunctions,
  ...truncateFunctions,
  ...timeDistanceFunctions,
  ...timeConvertFunctions,
  ...timeZoneFunctions,
  ...jsonFunctions,
  ...collectionFunctions,
]

/** By upper-case name or alias; operators by symbol (`+`, `unary-`, `IS DISTINCT FROM`, `SUBSCRIPT`). */
export const scalarFunctions: ReadonlyMap<string, ScalarFunction> = byName(scalarList)

/** By upper-case name or alias. */
export const aggregateFunctions: ReadonlyMap<string, AggregateFunction> = byName(aggregateList)

/** Functions that stand in FROM, by upper-case name; UNNEST is syntax of its own. */
export const tableFunctions: ReadonlyMap<string, ScalarFunction> = byName(tableFunctionList)
