import { type ExactInteger, exact, INT64_MAX, INT64_MIN } from '../core/values.ts'

const NUMBER = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/
const SMALL_INTEGER = /^-?(?:0|[1-9][0-9]{0,14})$/
/** Exponents beyond this are never exact in a type that we have. */
const EXPONENT_MOST = 1000

/** True for a number of the JSON grammar. */
export const isNumberText = (text: string): boolean => NUMBER.test(text)

/**
 * Number text times 10^scale as an exact integer; undefined when it is no number, has a fraction there, or more than
 * `digits` digits.
 */
export function scaledInteger(text: string, scale: number, digits: number): ExactInteger | undefined {
  if (scale === 0 && digits >= 15 && SMALL_INTEGER.test(text)) return Number(text) + 0
  const match = NUMBER.exec(text)
  if (match === null) return undefined
  const [, sign, whole, fraction = '', exponentText = '0'] = match
  const all = (whole! + fraction).replace(/^0+/, '')
  const significant = all.replace(/0+$/, '')
  if (significant === '') return 0
  const exponent = Number(exponentText)
  if (Math.abs(exponent) > EXPONENT_MOST + text.length) return undefined
  const shift = exponent - fraction.length + (all.length - significant.length) + scale
  if (shift < 0 || significant.length + shift > digits) return undefined
  const value = exact(BigInt(significant + '0'.repeat(shift)))
  if (sign === '') return value
  return typeof value === 'bigint' ? -value : -value
}

/** Number text as an exact 64-bit integer. */
export function int64Of(text: string): ExactInteger | undefined {
  const value = scaledInteger(text, 0, 19)
  if (typeof value === 'bigint' && (value > INT64_MAX || value < INT64_MIN)) return undefined
  return value
}

/** A double: number text, or the names that JSON has no number for. */
export function doubleOfText(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text)
  if (text === 'NaN') return Number.NaN
  if (text === 'Infinity') return Number.POSITIVE_INFINITY
  return text === '-Infinity' ? Number.NEGATIVE_INFINITY : undefined
}
