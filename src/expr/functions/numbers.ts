import { type DataType, types } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import { integerCheck } from '../cast/numbers.ts'
import { asDecimal, commonTypeOf, fitDecimal, integerResult, isInteger, isNumeric } from '../coerce.ts'
import { comparator } from '../compare.ts'
import { absExact, checkPrecision, divideTruncated, rescale } from '../exact.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { numberOverload } from './arithmetic.ts'
import { define, example, fixed, overload } from './define.ts'

const only = (args: readonly Argument[]): DataType | undefined => {
  const type = args.length === 1 ? args[0]!.type : undefined
  return type?.kind === 'null' ? types.int : type
}

function absolute(args: readonly Argument[]): ScalarOverload | undefined {
  const type = only(args)
  if (type === undefined || !isNumeric(type)) return undefined
  const form = { name: 'ABS', parameters: [type], type }
  const inline = (_code: unknown, a = '') => `Math.abs(${a})`
  if (type.kind === 'double') return overload({ ...form, call: (a) => Math.abs(a as number), inline })
  if (type.kind === 'decimal') return overload({ ...form, call: (a) => absExact(a as ExactInteger), inline })
  const fits = integerCheck(type)
  return overload({ ...form, fallible: true, call: (a) => fits(absExact(a as ExactInteger)) })
}

function sign(args: readonly Argument[]): ScalarOverload | undefined {
  const type = only(args)
  if (type === undefined || !isNumeric(type)) return undefined
  const one = type.kind === 'decimal' ? rescale(1, 0, type.scale) : 1
  // A DECIMAL(p,p) has no room for 1.
  const result =
    type.kind === 'decimal' && type.precision === type.scale ? fitDecimal(type.precision + 1, type.scale) : type
  return overload({
    name: 'SIGN',
    parameters: [type],
    type: result,
    call: (a) => ((a as number) > 0 ? one : (a as number) < 0 ? -one : Number.isNaN(a) ? Number.NaN : 0),
  })
}

/** MOD is `%`; DIV the whole quotient, cut towards zero. */
function modulo(args: readonly Argument[]): ScalarOverload | undefined {
  const found = args.length === 2 ? numberOverload('%', args[0]!.type, args[1]!.type) : undefined
  return found && { ...found, name: 'MOD' }
}

function wholeQuotient(args: readonly Argument[]): ScalarOverload | undefined {
  const [a, b] = args.map((arg) => (arg.type.kind === 'null' ? types.int : arg.type))
  if (a === undefined || b === undefined || args.length !== 2 || !isNumeric(a) || !isNumeric(b)) return undefined
  if (isInteger(a) && isInteger(b)) return { ...numberOverload('/', a, b)!, name: 'DIV', type: integerResult(a, b) }
  const [x, y] = [asDecimal(a), asDecimal(b)]
  if (x === undefined || y === undefined) {
    const quotient = numberOverload('/', types.double, types.double)!
    return overload({
      name: 'DIV',
      parameters: quotient.parameters,
      type: types.double,
      fallible: true,
      call: (p, q) => Math.trunc(quotient.call(p!, q!) as number) + 0,
    })
  }
  const scale = Math.max(x.scale, y.scale)
  const type = fitDecimal(x.precision - x.scale + y.scale, 0)
  return overload({
    name: 'DIV',
    parameters: [x, y],
    type,
    fallible: true,
    call: (p, q) => {
      if (q === 0) throw new RowFailure('row_division_by_zero', 'division by zero')
      const quotient = divideTruncated(
        rescale(p as ExactInteger, x.scale, scale),
        rescale(q as ExactInteger, y.scale, scale),
      )
      return checkPrecision(quotient, type.precision)
    },
  })
}

/** The greatest (`direction` 1) or least (−1) argument; NULLs are skipped. */
function extreme(name: string, args: readonly Argument[], direction: 1 | -1): ScalarOverload | undefined {
  const type = args.length === 0 ? undefined : commonTypeOf(args.map((arg) => arg.type))
  if (type === undefined) return undefined
  const order = comparator(type)
  return overload({
    name,
    parameters: args.map(() => type),
    type,
    seesNull: true,
    nullable: args.every((arg) => arg.nullable),
    call: (...values: Value[]) =>
      values.reduce((best, value) =>
        value === null || (best !== null && order(value, best) * direction <= 0) ? best : value,
      ),
  })
}

/** A function of doubles; `fails` says what is wrong with the arguments. */
function real(
  spec: Pick<ScalarFunction, 'name' | 'signatures' | 'summary'> & Partial<ScalarFunction>,
  compute: (...x: number[]) => number,
  fails: (...x: number[]) => string | undefined = () => undefined,
  counts: readonly number[] = [1],
): ScalarFunction {
  const call = (...values: Value[]): Value => {
    const numbers = values as number[]
    const problem = fails(...numbers)
    if (problem !== undefined) throw new RowFailure('row_invalid_argument', `${spec.name}: ${problem}`)
    const result = compute(...numbers)
    if (!Number.isFinite(result) && numbers.every(Number.isFinite)) {
      throw new RowFailure('row_numeric_overflow', `${spec.name}: result does not fit DOUBLE`)
    }
    return result
  }
  const forms = counts.map((count) => ({
    parameters: Array.from({ length: count }, () => types.double),
    type: types.double,
    fallible: true,
    call,
  }))
  return fixed({ ...spec, forms })
}

const positive = (x: number): string | undefined => (x <= 0 ? 'the argument is not positive' : undefined)

function powerProblem(base: number, exponent: number): string | undefined {
  if (base === 0 && exponent < 0) return 'zero to a negative power'
  return base < 0 && Number.isFinite(exponent) && !Number.isInteger(exponent)
    ? 'negative base, fractional power'
    : undefined
}

const logBase = (base: number, x: number): number =>
  base === 2 ? Math.log2(x) : base === 10 ? Math.log10(x) : Math.log(x) / Math.log(base)

/** LOG(x) to base 10, LOG(b, x). */
const logarithm = (...args: number[]): number =>
  args.length === 1 ? Math.log10(args[0]!) : logBase(args[0]!, args[1]!)

const logProblem = (...args: number[]): string | undefined =>
  args.map(positive).find((problem) => problem !== undefined) ??
  (args.length === 2 && args[0] === 1 ? 'the base is 1' : undefined)

export const numberFunctions: readonly ScalarFunction[] = [
  define({
    name: 'ABS',
    signatures: ['ABS(num)'],
    summary: 'Magnitude.',
    examples: [example('ABS(-3)', '3')],
    resolve: absolute,
  }),
  define({
    name: 'SIGN',
    signatures: ['SIGN(num)'],
    summary: '-1, 0 or 1.',
    examples: [example('SIGN(-2.5)', '-1')],
    resolve: sign,
  }),
  define({
    name: 'MOD',
    signatures: ['MOD(num, num)'],
    summary: 'Remainder, with the sign of the dividend.',
    examples: [example('MOD(-7, 3)', '-1')],
    resolve: modulo,
  }),
  define({
    name: 'DIV',
    signatures: ['DIV(num, num)'],
    summary: 'Whole quotient, cut towards zero.',
    examples: [example('DIV(7.5, 2)', '3')],
    resolve: wholeQuotient,
  }),
  real(
    {
      name: 'POWER',
      aliases: ['POW'],
      signatures: ['POWER(x, y)'],
      summary: 'x to the power of y.',
      examples: [example('POWER(2, 10)', '1024')],
    },
    Math.pow,
    powerProblem,
    [2],
  ),
  real(
    { name: 'SQRT', signatures: ['SQRT(x)'], summary: 'Square root.', examples: [example('SQRT(9)', '3')] },
    Math.sqrt,
    (x) => (x < 0 ? 'the argument is negative' : undefined),
  ),
  real(
    { name: 'CBRT', signatures: ['CBRT(x)'], summary: 'Cube root.', examples: [example('CBRT(27)', '3')] },
    Math.cbrt,
  ),
  real(
    { name: 'EXP', signatures: ['EXP(x)'], summary: 'e to the power of x.', examples: [example('EXP(0)', '1')] },
    Math.exp,
  ),
  real(
    { name: 'LN', signatures: ['LN(x)'], summary: 'Natural logarithm.', examples: [example('LN(1)', '0')] },
    Math.log,
    positive,
  ),
  real(
    {
      name: 'LOG',
      signatures: ['LOG(x)', 'LOG(b, x)'],
      summary: 'Logarithm to base 10, or to base b.',
      examples: [example('LOG(100)', '2'), example('LOG(2, 8)', '3')],
    },
    logarithm,
    logProblem,
    [1, 2],
  ),
  real(
    {
      name: 'LOG10',
      signatures: ['LOG10(x)'],
      summary: 'Logarithm to base 10.',
      examples: [example('LOG10(1000)', '3')],
    },
    Math.log10,
    positive,
  ),
  real(
    { name: 'LOG2', signatures: ['LOG2(x)'], summary: 'Logarithm to base 2.', examples: [example('LOG2(8)', '3')] },
    Math.log2,
    positive,
  ),
  define({
    name: 'GREATEST',
    signatures: ['GREATEST(any, …)'],
    summary: 'Greatest argument; NULLs are skipped.',
    examples: [example('GREATEST(1, NULL, 3)', '3')],
    resolve: (args) => extreme('GREATEST', args, 1),
  }),
  define({
    name: 'LEAST',
    signatures: ['LEAST(any, …)'],
    summary: 'Least argument; NULLs are skipped.',
    examples: [example('LEAST(1, NULL, 3)', '1')],
    resolve: (args) => extreme('LEAST', args, -1),
  }),
]
