import { field, struct, types } from '../../core/types.ts'
import type { Parameter } from '../../sql/binder/context.ts'
import { engineValue, inferSchema, settledSchema } from './row-values.ts'
import type { RowValue } from './types.ts'

/** Values of `:name` by name, or of `$1`, `$2`, … in order. */
export type SqlParameters = { readonly [name: string]: RowValue } | readonly RowValue[]

/** A whole number is a BIGINT, another number a DOUBLE; a text is a STRING, a `Date` a TIMESTAMP. */
export function sqlParameters(given: SqlParameters): ReadonlyMap<string, Parameter> {
  const entries = Array.isArray(given)
    ? given.map((value: RowValue, i) => [String(i + 1), value] as const)
    : Object.entries(given as { readonly [name: string]: RowValue })
  return new Map(
    entries.map(([name, value]): [string, Parameter] => {
      if (value === null) return [name, { type: types.null, value: null }]
      if (typeof value === 'number' && Number.isSafeInteger(value)) return [name, { type: types.bigint, value }]
      const { type } = settledSchema(inferSchema([{ value }])).fields[0] ?? field('value', struct([]))
      return [name, { type, value: engineValue(value, type, `parameter "${name}"`) }]
    }),
  )
}
