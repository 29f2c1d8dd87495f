import type { Value } from '../core/values.ts'

/** True for rows that are the same to SQL: NULL is NULL, NaN is NaN. */
export function sameValues(a: readonly Value[], b: readonly Value[]): boolean {
  return a.every((value, i) => sameValue(value, b[i]!))
}

function sameValue(a: Value, b: Value): boolean {
  if (Object.is(a, b) || a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Map || b instanceof Map) {
    return a instanceof Map && b instanceof Map && sameValue([...a].flat() as Value[], [...b].flat() as Value[])
  }
  const left = Object.entries(a)
  const right = Object.entries(b)
  return (
    left.length === right.length &&
    left.every(([key, value], i) => key === right[i]![0] && sameValue(value, right[i]![1]))
  )
}
