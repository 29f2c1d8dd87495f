import { type DataType, types } from '../../core/types.ts'
import { type ExactInteger, exact, wide } from '../../core/values.ts'
import { integerCheck, roundHalfEven } from '../cast/numbers.ts'
import { fitDecimal, isInteger } from '../coerce.ts'
import { checkPrecision, divideRounded, multiplyExact, power10 } from '../exact.ts'
import type { Argument, ScalarFunction, ScalarOverload } from '../functions.ts'
import { accepts, define, example, overload } from './define.ts'
import { truncateTime } from './time-truncate.ts'

/** How a family rounds a quotient of integers, and a double to a whole number. */
interface Rounding {
  readonly name: string
  readonly quotient: (a: ExactInteger, b: bigint) => ExactInteger
  readonly whole: (x: number) => number
}

const ceiling: Rounding = { name: 'CEIL', quotient: (a, b) => toward(a, b, 1n), whole: Math.ceil }
const floor: Rounding = { name: 'FLOOR', quotient: (a, b) => toward(a, b, -1n), whole: Math.floor }
const nearest: Rounding = { name: 'ROUND', quotient: (a, b) => divideRounded(a, exact(b)), whole: roundHalfEven }
const truncated: Rounding = { name: 'TRUNC', quotient: (a, b) => exact(wide(a) / b), whole: Math.trunc }

/** Quotient rounded up (1) or down (−1); `b` > 0. */
function toward(a: ExactInteger, b: bigint, direction: 1n | -1n): ExactInteger {
  const value = wide(a)
  const cut = value / b
  const rest = value - cut * b
  return exact(rest !== 0n && rest > 0n === direction > 0n ? cut + direction : cut)
}

/** A decimal rounded to `digits` fraction digits, in its own scale. */
function roundDecimal(rounding: Rounding, value: ExactInteger, scale: number, digits: number): ExactInteger {
  if (digits >= scale) return value
  const unit = power10(Math.min(scale - digits, 60))
  return multiplyExact(rounding.quotient(value, unit), exact(unit))
}

/** A double rounded at its shortest decimal text, so that 1.005 to two digits sees 1.005. */
function roundDouble(rounding: Rounding, value: number, digits: number): number {
  if (!Number.isFinite(value)) return value
  if (digits === 0) return rounding.whole(value) + 0
  if (digits > 0 && Number.isInteger(value)) return value
  if (digits > 320) return value
  const quick = digits > 0 && digits <= 15 ? quickRound(rounding, value, digits) : undefined
  if (quick !== undefined) return quick
  const shifted = rounding.whole(shift(value, digits))
  return shift(shifted, -digits) + 0
}

/** Where the scaled value is clearly on one side, its product rounds as its text does; undefined near a tie. */
function quickRound(rounding: Rounding, value: number, digits: number): number | undefined {
  const unit = 10 ** digits
  const scaled = value * unit
  const fraction = scaled - Math.floor(scaled)
  const isClear = fraction > 1e-5 && fraction < 1 - 1e-5 && Math.abs(fraction - 0.5) > 1e-5
  return isClear && Math.abs(scaled) < 1e10 ? rounding.whole(scaled) / unit + 0 : undefined
}

function shift(value: number, digits: number): number {
  const [mantissa, exponent = '0'] = String(value).split('e')
  return Number(`${mantissa}e${Number(exponent) + digits}`)
}

function roundOverload(rounding: Rounding, type: DataType, withDigits: boolean): ScalarOverload | undefined {
  const parameters = withDigits ? [type, types.bigint] : [type]
  const digitsOf = (digits: unknown) => (digits === undefined ? 0 : Math.max(-400, Math.min(400, Number(digits))))
  const form = { name: rounding.name, parameters, type, fallible: true }
  if (type.kind === 'double') {
    return overload({
      ...form,
      fallible: false,
      call: (x, digits) => roundDouble(rounding, x as number, digitsOf(digits)),
    })
  }
  if (type.kind === 'decimal') {
    const { scale } = type
    // One more digit: 9.9 rounds to 10.
    const result = scale > 0 ? fitDecimal(Math.min(38, type.precision + 1), scale) : type
    const call: ScalarOverload['call'] = (x, digits) =>
      checkPrecision(roundDecimal(rounding, x as ExactInteger, scale, digitsOf(digits)), result.precision)
    return overload({ ...form, type: result, call })
  }
  if (!isInteger(type)) return undefined
  const fits = integerCheck(type)
  return overload({
    ...form,
    call: (x, digits) => fits(roundDecimal(rounding, x as ExactInteger, 0, digitsOf(digits))),
  })
}

function resolveRounding(rounding: Rounding, args: readonly Argument[], digits: boolean): ScalarOverload | undefined {
  const [x, d] = args
  if (x === undefined || args.length > (digits ? 2 : 1) || (d !== undefined && !accepts(d, types.bigint)))
    return undefined
  return roundOverload(rounding, x.type.kind === 'null' ? types.int : x.type, d !== undefined)
}

export const roundingFunctions: readonly ScalarFunction[] = [
  define({
    name: 'CEIL',
    aliases: ['CEILING'],
    signatures: ['CEIL(num)'],
    summary: 'Least whole number that is not less.',
    examples: [example('CEIL(1.2)', '2')],
    resolve: (args) => resolveRounding(ceiling, args, false),
  }),
  define({
    name: 'FLOOR',
    signatures: ['FLOOR(num)', 'FLOOR(t TO unit)'],
    summary: 'Greatest whole number that is not greater; a time cut to a unit.',
    examples: [
      example('FLOOR(-1.2)', '-2'),
      example("FLOOR(TIMESTAMP '2026-01-04 10:07:12' TO HOUR)", '2026-01-04 10:00:00'),
    ],
    resolve: (args) =>
      args.length === 2 ? truncateTime('FLOOR', args[1]!, args[0]!, true) : resolveRounding(floor, args, false),
  }),
  define({
    name: 'ROUND',
    signatures: ['ROUND(num [, d])'],
    summary: 'Rounded to d digits (default 0): DECIMAL halves away from zero, DOUBLE halves to even.',
    examples: [example('ROUND(2.5)', '3'), example('ROUND(2.5e0)', '2'), example('ROUND(2.567, 2)', '2.57')],
    resolve: (args) => resolveRounding(nearest, args, true),
  }),
  define({
    name: 'TRUNC',
    aliases: ['TRUNCATE'],
    signatures: ['TRUNC(num [, d])'],
    summary: 'Cut to d digits (default 0).',
    examples: [example('TRUNC(2.567, 2)', '2.56')],
    resolve: (args) => resolveRounding(truncated, args, true),
  }),
]
