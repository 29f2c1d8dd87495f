import { described, hasMethods, type OptionNames, optionsFault } from '../core/option-names.ts'
import { millisOf, parseBytes } from '../core/option-text.ts'
import { StreamError } from './errors.ts'

/** Throws `InvalidConfiguration` for options that are no object, or that have a name which nobody reads. */
export function refuseUnknown<T>(what: string, given: T | undefined, known: OptionNames<T>): void {
  const fault = optionsFault(what, given, known as Readonly<Record<string, true>>)
  if (fault === undefined) return
  throw new StreamError('InvalidConfiguration', { details: fault.message }, { hint: fault.hint })
}

/** Throws `InvalidConfiguration` for what has not all these methods. */
export function needMethods(what: string, given: unknown, ...names: readonly string[]): void {
  if (hasMethods(given, ...names)) return
  throw new StreamError('InvalidConfiguration', {
    details: `${what} is ${described(given)}; it needs the method ${names.join(', and ')}`,
  })
}

/** A function; anything else is `InvalidConfiguration`. */
export function needFunction(what: string, given: unknown): void {
  if (typeof given === 'function') return
  throw new StreamError('InvalidConfiguration', { details: `${what} must be a function, not ${described(given)}` })
}

/** A number above 0; anything else is `InvalidConfiguration`. */
export function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new StreamError('InvalidConfiguration', { details: `${name} must be above 0, not ${String(value)}` })
}

/** A duration in milliseconds or as a text such as `5s`; anything else is `InvalidConfiguration`. */
export function duration(name: string, value: number | string): number {
  const ms = millisOf(value)
  if (ms !== undefined) return ms
  throw new StreamError('InvalidConfiguration', {
    details: `${name} must be milliseconds or a text such as '5s', not ${described(value)}`,
  })
}

/** A size in bytes or as a text such as `64KiB`; anything else is `InvalidConfiguration`. */
export function bytes(name: string, value: number | string): number {
  const size = typeof value === 'string' ? parseBytes(value) : value
  if (typeof size === 'number' && size >= 0) return size
  throw new StreamError('InvalidConfiguration', {
    details: `${name} must be bytes or a text such as '64KiB', not ${described(value)}`,
  })
}

export function oneOf<const T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw new StreamError('InvalidConfiguration', {
    details: `${name} must be one of ${allowed.join(', ')}, not ${String(value)}`,
  })
}
