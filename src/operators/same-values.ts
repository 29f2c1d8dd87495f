import type { Value } from '../core/values.ts'

/** True for rows that are the same to SQL: NULL is NULL, NaN is NaN. */
export function sameValues(a: readonly Value[], b: readonly Value[]): boolean {
  return a.every((value, i) => sameValue(value, b[i]!))
}

/** Of rows that are the same to SQL: true where one has 0 and the other −0, which readers of the rows tell apart. */
export function differInSign(a: readonly Value[], b: readonly Value[]): boolean {
  return a.some((value, i) => differs(value, b[i]!))
}

function differs(a: Value, b: Value): boolean {
  if (typeof a === 'number') return !Object.is(a, b)
  if (typeof a !== 'object' || a === null || a instanceof Uint8Array) return false
  const parts = (value: Value): Value[] => (value instanceof Map ? [...value].flat() : Object.values(value as object))
  return differInSign(parts(a), parts(b))
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
