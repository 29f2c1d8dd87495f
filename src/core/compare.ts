import type { DataType } from './types.ts'
import type { ExactInteger, Interval, Value } from './values.ts'

/**
 * Order of two values of one type, neither NULL: negative, zero or positive. Text goes by code point, NaN is last and
 * equals itself, arrays and structs go element by element (a NULL element is last), false is before true.
 */
export function compareValues(a: Value, b: Value, type: DataType): number {
  switch (type.kind) {
    case 'string':
    case 'json':
      return compareText(a as string, b as string)
    case 'double':
      return compareDoubles(a as number, b as number)
    case 'bytes':
      return Buffer.compare(a as Uint8Array, b as Uint8Array)
    case 'boolean':
      return Number(a) - Number(b)
    case 'interval':
      return intervalMicros(a as Interval) - intervalMicros(b as Interval)
    case 'array':
      return compareLists(a as readonly Value[], b as readonly Value[], () => type.element)
    case 'struct':
      return compareLists(a as readonly Value[], b as readonly Value[], (i) => type.fields[i]!.type)
    case 'map':
      return compareText(JSON.stringify([...(a as Map<Value, Value>)]), JSON.stringify([...(b as Map<Value, Value>)]))
    default: {
      const left = a as ExactInteger
      const right = b as ExactInteger
      return left < right ? -1 : left > right ? 1 : 0
    }
  }
}

/** By code point: surrogates (above U+FFFF) come after every other unit. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xSurrogate = x >= 0xd800 && x <= 0xdfff
    const ySurrogate = y >= 0xd800 && y <= 0xdfff
    if (xSurrogate !== ySurrogate) return xSurrogate ? 1 : -1
    return x - y
  }
  return a.length - b.length
}

function compareDoubles(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1
  if (Number.isNaN(b)) return -1
  return a < b ? -1 : a > b ? 1 : 0
}

/** For comparison a month is 30 days and a day 24 hours (sql.md §2). */
export const intervalMicros = ({ months, days, micros }: Interval): number =>
  (months * 30 + days) * 86_400_000_000 + micros

function compareLists(a: readonly Value[], b: readonly Value[], typeAt: (i: number) => DataType): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a[i]!
    const y = b[i]!
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1
      continue
    }
    const order = compareValues(x, y, typeAt(i))
    if (order !== 0) return order
  }
  return a.length - b.length
}
