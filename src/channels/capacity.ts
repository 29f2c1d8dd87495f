import { type OptionNames, optionsFault } from '../core/option-names.ts'
import { millisOf } from '../core/option-text.ts'
import { StreamingError } from './errors.ts'

const CAPACITY_MIN = 4
const CAPACITY_MAX = 1_048_576

/** A wish for a capacity, clamped to 4 … 1,048,576 and rounded up to a power of two. */
export function ringCapacity(wanted: number): number {
  if (typeof wanted !== 'number' || Number.isNaN(wanted) || wanted === Number.NEGATIVE_INFINITY) {
    throw new StreamingError('InvalidConfig', { details: `capacity must be a number, not ${String(wanted)}` })
  }
  const clamped = Math.min(CAPACITY_MAX, Math.max(CAPACITY_MIN, Math.ceil(wanted)))
  return 2 ** Math.ceil(Math.log2(clamped))
}

/** Throws `InvalidConfig` for options that are no object, or that have a name which nobody reads. */
export function refuseUnknown<T>(what: string, given: T | undefined, known: OptionNames<T>): void {
  const fault = optionsFault(what, given, known as Readonly<Record<string, true>>)
  if (fault === undefined) return
  throw new StreamingError('InvalidConfig', { details: fault.message }, { hint: fault.hint })
}

/** A whole number ≥ `min`; anything else is `InvalidConfig`. */
export function wholeNumber(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value
  throw new StreamingError('InvalidConfig', {
    details: `${name} must be a whole number of at least ${min}, not ${String(value)}`,
  })
}

/** A duration in milliseconds or as a text such as `250ms`; anything else is `InvalidConfig`. */
export function duration(name: string, value: number | string): number {
  const ms = millisOf(value)
  if (ms !== undefined) return ms
  throw new StreamingError('InvalidConfig', {
    details: `${name} must be milliseconds or a text such as '5s', not ${String(value)}`,
  })
}

export function oneOf<const T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw new StreamingError('InvalidConfig', {
    details: `${name} must be one of ${allowed.join(', ')}, not ${String(value)}`,
  })
}
