import { type ExactInteger, exact, INT64_MAX, INT64_MIN, SAFE_MAX, wide } from '../core/values.ts'
import { RowFailure } from './functions.ts'

/** 10^n as numbers, 0 ≤ n ≤ 15: those that are safe integers. */
export const SAFE_POWERS: readonly number[] = Array.from({ length: 16 }, (_, n) => 10 ** n)

const powers: bigint[] = Array.from({ length: 80 }, (_, n) => 10n ** BigInt(n))

/** 10^n, n ≥ 0. */
export const power10 = (n: number): bigint => powers[n] ?? 10n ** BigInt(n)

export const isSafe = (value: number): boolean => value <= SAFE_MAX && value >= -SAFE_MAX

/** a + b, of any size. */
export function addExact(a: ExactInteger, b: ExactInteger): ExactInteger {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (isSafe(sum)) return sum
  }
  return exact(wide(a) + wide(b))
}

export function subtractExact(a: ExactInteger, b: ExactInteger): ExactInteger {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (isSafe(difference)) return difference
  }
  return exact(wide(a) - wide(b))
}

export function multiplyExact(a: ExactInteger, b: ExactInteger): ExactInteger {
  if (typeof a === 'number' && typeof b === 'number') {
    // Adding 0 turns −0 into 0: an exact integer has one zero.
    const product = a * b + 0
    if (isSafe(product)) return product
  }
  return exact(wide(a) * wide(b))
}

/** Quotient cut towards zero; `b` is not 0. */
export function divideTruncated(a: ExactInteger, b: ExactInteger): ExactInteger {
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0
  return exact(wide(a) / wide(b))
}

/** Remainder with the sign of `a`; `b` is not 0. */
export function remainderExact(a: ExactInteger, b: ExactInteger): ExactInteger {
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0
  return exact(wide(a) % wide(b))
}

/** a / b rounded half away from zero; `b` is not 0. */
export function divideRounded(a: ExactInteger, b: ExactInteger): ExactInteger {
  if (typeof a === 'number' && typeof b === 'number') {
    const quotient = Math.trunc(a / b)
    const rest = a - quotient * b
    if (2 * Math.abs(rest) < Math.abs(b)) return quotient + 0
    return quotient + (a < 0 === b < 0 ? 1 : -1)
  }
  const [n, d] = [wide(a), wide(b)]
  const quotient = n / d
  const rest = n - quotient * d
  const twice = (rest < 0n ? -rest : rest) * 2n
  if (twice < (d < 0n ? -d : d)) return exact(quotient)
  return exact(quotient + (n < 0n === d < 0n ? 1n : -1n))
}

/** a / b rounded towards negative infinity; `b` > 0. */
export function divideFloor(a: ExactInteger, b: number): ExactInteger {
  if (typeof a === 'number') return Math.floor(a / b)
  const divisor = BigInt(b)
  const quotient = a / divisor
  return exact(a < 0n && quotient * divisor !== a ? quotient - 1n : quotient)
}

export const negateExact = (a: ExactInteger): ExactInteger => (typeof a === 'number' ? 0 - a : exact(-a))

export const absExact = (a: ExactInteger): ExactInteger => (a < 0 ? negateExact(a) : a)

/** −1, 0 or 1. */
export const compareExact = (a: ExactInteger, b: ExactInteger): number => (a < b ? -1 : a > b ? 1 : 0)

/** Changes the scale of a decimal; fewer digits round half away from zero. */
export function rescale(value: ExactInteger, from: number, to: number): ExactInteger {
  if (from === to) return value
  if (to > from) {
    const steps = to - from
    return multiplyExact(value, steps < 16 ? SAFE_POWERS[steps]! : power10(steps))
  }
  const steps = from - to
  return divideRounded(value, steps < 16 ? SAFE_POWERS[steps]! : power10(steps))
}

/** The value itself when |value| < 10^precision; else the row fails. */
export function checkPrecision(value: ExactInteger, precision: number): ExactInteger {
  if (typeof value === 'number' && precision > 15) return value
  const limit = precision <= 15 ? SAFE_POWERS[precision]! : power10(precision)
  if (value >= limit || value <= -limit) {
    throw new RowFailure('row_numeric_overflow', `value does not fit ${precision} digits`)
  }
  return value
}

/** The value itself when it fits 64 bits; else the row fails. */
export function checkInt64(value: ExactInteger): ExactInteger {
  if (typeof value === 'number' || (value <= INT64_MAX && value >= INT64_MIN)) return value
  throw new RowFailure('row_numeric_overflow', `${value} does not fit BIGINT`)
}

/** A finite double that is a whole number, as an exact integer. */
export const exactOfDouble = (value: number): ExactInteger => (isSafe(value) ? value + 0 : exact(BigInt(value)))
