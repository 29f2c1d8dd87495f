import { type ExactInteger, exact } from '../core/values.ts'
import { divideRounded, power10, rescale } from './exact.ts'

/** A decimal with its scale: `12.50`. */
export function decimalText(value: ExactInteger, scale: number): string {
  if (scale === 0) return String(value)
  const digits = String(value < 0 ? -value : value).padStart(scale + 1, '0')
  const cut = digits.length - scale
  return `${value < 0 ? '-' : ''}${digits.slice(0, cut)}.${digits.slice(cut)}`
}

/** The same without trailing zeros of the fraction: `12.5`, `12`. */
export function trimmedDecimalText(value: ExactInteger, scale: number): string {
  const text = decimalText(value, scale)
  return scale === 0 ? text : text.replace(/\.?0+$/, '')
}

/** PostgreSQL form of a double: shortest digits, exponent form from 1e+15 and below 1e-04. */
export function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const magnitude = Math.abs(value)
  if (!Number.isFinite(value) || magnitude === 0 || (magnitude >= 1e-4 && magnitude < 1e15)) return plainDouble(value)
  const [digits, power] = value.toExponential().split('e') as [string, string]
  const exponent = power.slice(1).padStart(2, '0')
  return `${digits}e${power[0]}${exponent}`
}

// Between 1e-4 and 1e15 JavaScript prints without an exponent, too.
const plainDouble = (value: number): string => String(value)

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,4}))?$/

/**
 * Text of a number, exact: digits times 10^−scale (the scale may be negative); undefined when it is none. Blanks around
 * it do not count.
 */
export function parseDecimalText(text: string): { unscaled: bigint; scale: number } | undefined {
  const trimmed = text.trim()
  const match = NUMBER.exec(trimmed)
  if (match === null) return undefined
  const exponent = match[1] === undefined ? 0 : Number(match[1])
  const mantissa = match[1] === undefined ? trimmed : trimmed.slice(0, trimmed.search(/[eE]/))
  const point = mantissa.indexOf('.')
  const fraction = point < 0 ? 0 : mantissa.length - point - 1
  const digits = mantissa.replace('.', '').replace('+', '')
  return { unscaled: BigInt(digits), scale: fraction - exponent }
}

/** A decimal text as an integer with `scale` fraction digits, rounded half away from zero; undefined when it is none. */
export function parseScaled(text: string, scale: number): ExactInteger | undefined {
  const parsed = parseDecimalText(text)
  if (parsed === undefined) return undefined
  if (parsed.unscaled === 0n) return 0
  // Exponents are at most four digits, so no power here is unreasonable; beyond 10^80 nothing fits a column.
  if (parsed.scale < -80) return undefined
  if (parsed.scale <= scale) return exact(parsed.unscaled * power10(scale - parsed.scale))
  return divideRounded(exact(parsed.unscaled), power10(parsed.scale - scale))
}

/** Text of a double as SQL reads it: numbers, `NaN`, `Infinity`, `-Infinity`, `inf`; undefined when it is none. */
export function parseDouble(text: string): number | undefined {
  const trimmed = text.trim()
  if (NUMBER.test(trimmed)) return Number(trimmed)
  switch (trimmed.toLowerCase()) {
    case 'nan':
      return Number.NaN
    case 'infinity':
    case '+infinity':
    case 'inf':
      return Number.POSITIVE_INFINITY
    case '-infinity':
    case '-inf':
      return Number.NEGATIVE_INFINITY
    default:
      return undefined
  }
}

/** The nearest double of a decimal. */
export function doubleOfDecimal(value: ExactInteger, scale: number): number {
  if (scale === 0) return Number(value)
  // Two exact operands below 2^53 and 10^22 give a correctly rounded quotient; else the text is rounded once.
  if (typeof value === 'number' && scale <= 22) return value / 10 ** scale
  return Number(decimalText(value, scale))
}

/** A double as a decimal of `scale` digits: its shortest text, rounded half away from zero. */
export function decimalOfDouble(value: number, scale: number): ExactInteger | undefined {
  if (!Number.isFinite(value)) return undefined
  const scaled = rescaledDouble(value, scale)
  return scaled ?? parseScaled(String(value), scale)
}

function rescaledDouble(value: number, scale: number): ExactInteger | undefined {
  return Number.isSafeInteger(value) ? rescale(value + 0, 0, scale) : undefined
}
