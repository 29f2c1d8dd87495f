import type { Value } from '../core/values.ts'
import type { SortKey } from '../expr/bound.ts'
import { comparator } from '../expr/compare.ts'

/** What a row is sorted by: its keys, then its order of arrival. */
export interface Sortable {
  readonly keys: readonly Value[]
  readonly sequence: number
}

/** The order that ORDER BY asks for. */
export function sortOrder(keys: readonly SortKey[]): (a: Sortable, b: Sortable) => number {
  const comparators = keys.map((key) => comparator(key.expr.type))
  return (a, b) => {
    for (const [i, key] of keys.entries()) {
      const x = a.keys[i]!
      const y = b.keys[i]!
      if (x === null || y === null) {
        if (x === y) continue
        return (x === null) === key.nullsFirst ? -1 : 1
      }
      const order = comparators[i]!(x, y)
      if (order !== 0) return key.descending ? -order : order
    }
    return a.sequence - b.sequence
  }
}
