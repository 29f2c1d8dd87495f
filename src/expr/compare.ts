import type { DataType } from '../core/types.ts'
import type { ExactInteger, Interval, Value } from '../core/values.ts'
import { compareExact } from './exact.ts'
import { entriesOfJson, itemsOfJson, kindOfJson, stringOfJson } from './json/json-text.ts'
import { parseDecimalText } from './number-text.ts'
import { compareIntervals } from './time/interval.ts'

/** Order of two values that are not NULL: negative, 0 or positive. */
export type Comparator = (a: Value, b: Value) => number

/** NaN equals NaN and sorts last; −0 equals 0. */
export function compareDoubles(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b) return 0
  return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : -1
}

/** By code point: UTF-16 order differs where a surrogate meets a unit above U+DFFF. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return fixedUnit(x) - fixedUnit(y)
  }
  return a.length - b.length
}

/** Moves surrogates above all other units. */
const fixedUnit = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit)

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** The order of a type, as ORDER BY, MIN and comparisons use it. */
export function comparator(type: DataType): Comparator {
  switch (type.kind) {
    case 'double':
      return (a, b) => compareDoubles(a as number, b as number)
    case 'string':
      return (a, b) => compareText(a as string, b as string)
    case 'bytes':
      return (a, b) => compareBytes(a as Uint8Array, b as Uint8Array)
    case 'interval':
      return (a, b) => compareIntervals(a as Interval, b as Interval)
    case 'json':
      return (a, b) => (a === b ? 0 : compareText(canonicalJson(a as string), canonicalJson(b as string)))
    case 'array': {
      const item = nullsLast(comparator(type.element))
      return (a, b) => compareLists(a as readonly Value[], b as readonly Value[], () => item)
    }
    case 'struct': {
      const fields = type.fields.map((f) => nullsLast(comparator(f.type)))
      return (a, b) => compareLists(a as readonly Value[], b as readonly Value[], (i) => fields[i]!)
    }
    case 'map':
      return mapComparator(type)
    default:
      return (a, b) => compareExact(a as ExactInteger, b as ExactInteger)
  }
}

/** The order with NULL as the greatest value, equal to itself: how nested values and keys compare. */
export const nullsLast =
  (compare: Comparator): Comparator =>
  (a, b) =>
    a === null || b === null ? (a === b ? 0 : a === null ? 1 : -1) : compare(a, b)

function compareLists(a: readonly Value[], b: readonly Value[], compare: (i: number) => Comparator): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = compare(i)(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Maps compare as lists of entries sorted by key. */
function mapComparator(type: Extract<DataType, { kind: 'map' }>): Comparator {
  const key = comparator(type.key)
  const item = nullsLast(comparator(type.value))
  const sorted = (value: Value) => [...(value as ReadonlyMap<Value, Value>)].sort(([x], [y]) => key(x, y))
  return (a, b) => {
    const [left, right] = [sorted(a), sorted(b)]
    for (const [i, [k, v]] of left.entries()) {
      const other = right[i]
      if (other === undefined) return 1
      const order = key(k, other[0]) || item(v, other[1])
      if (order !== 0) return order
    }
    return left.length - right.length
  }
}

/** JSON text that is equal for equal values: keys sorted, numbers without redundant digits, no blanks. */
export function canonicalJson(text: string): string {
  switch (kindOfJson(text)) {
    case 'object': {
      const entries = [...entriesOfJson(text)].sort(([a], [b]) => compareText(a, b))
      return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
    }
    case 'array':
      return `[${itemsOfJson(text).map(canonicalJson).join(',')}]`
    case 'string':
      return JSON.stringify(stringOfJson(text.trim()))
    case 'number':
      return canonicalNumber(text.trim())
    default:
      return text.trim()
  }
}

function canonicalNumber(text: string): string {
  const parsed = parseDecimalText(text)
  if (parsed === undefined) return text
  if (parsed.unscaled === 0n) return '0'
  const digits = parsed.unscaled.toString()
  const kept = digits.replace(/0+$/, '')
  return `${kept}e${digits.length - kept.length - parsed.scale}`
}
