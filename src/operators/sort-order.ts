import { compareValues } from '../core/compare.ts'
import type { Value } from '../core/values.ts'
import type { SortKey } from '../expr/bound.ts'

/** What a row is sorted by: its keys, then its order of arrival. */
export interface Sortable {
  readonly keys: readonly Value[]
  readonly sequence: number
}

/** The order that ORDER BY asks for. */
export function sortOrder(keys: readonly SortKey[]): (a: Sortable, b: Sortable) => number {
  return (a, b) => {
    for (const [i, key] of keys.entries()) {
      const x = a.keys[i]!
      const y = b.keys[i]!
      if (x === null || y === null) {
        if (x === y) continue
        return (x === null) === key.nullsFirst ? -1 : 1
      }
      const order = compareValues(x, y, key.expr.type)
      if (order !== 0) return key.descending ? -order : order
    }
    return a.sequence - b.sequence
  }
}
