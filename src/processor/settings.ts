import { StreamError } from './errors.ts'

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
