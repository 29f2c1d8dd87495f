import { described, hasMethods, type OptionNames, optionsFault } from '../core/option-names.ts'
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

/** A number of at least 0; anything else is `InvalidConfiguration`. */
export function notNegative(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value
  throw new StreamError('InvalidConfiguration', { details: `${name} must be at least 0, not ${String(value)}` })
}

export function oneOf<const T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw new StreamError('InvalidConfiguration', {
    details: `${name} must be one of ${allowed.join(', ')}, not ${String(value)}`,
  })
}
