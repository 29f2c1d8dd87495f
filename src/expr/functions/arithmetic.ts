import { type DataType, types } from '../../core/types.ts'
import type { ExactInteger, Interval, Value } from '../../core/values.ts'
import { integerCheck } from '../cast/numbers.ts'
import {
  asDecimal,
  type DecimalType,
  decimalProduct,
  decimalQuotient,
  decimalRemainder,
  decimalSum,
  integerResult,
  isInteger,
  isNumeric,
} from '../coerce.ts'
import * as exact from '../exact.ts'
import {
  type Argument,
  type InlineContext,
  RowFailure,
  type ScalarFunction,
  type ScalarOverload,
} from '../functions.ts'
import { negateInterval } from '../time/interval.ts'
import { define, example, overload } from './define.ts'
import { timeArithmetic } from './time-arithmetic.ts'

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'

const divisionByZero = (): never => {
  throw new RowFailure('row_division_by_zero', 'division by zero')
}

const exactOperations: Record<ArithmeticOperator, (a: ExactInteger, b: ExactInteger) => ExactInteger> = {
  '+': exact.addExact,
  '-': exact.subtractExact,
  '*': exact.multiplyExact,
  '/': (a, b) => (b === 0 ? divisionByZero() : exact.divideTruncated(a, b)),
  '%': (a, b) => (b === 0 ? divisionByZero() : exact.remainderExact(a, b)),
}

const doubleOperations: Record<ArithmeticOperator, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => (b === 0 ? divisionByZero() : a / b),
  '%': (a, b) => (b === 0 ? divisionByZero() : a % b),
}

/** Integer `op` integer: the wider type, at least INT; `/` cuts towards zero; overflow fails the row. */
function integerOverload(op: ArithmeticOperator, type: DataType): ScalarOverload {
  const operation = exactOperations[op]
  const fits = integerCheck(type)
  return overload({
    name: op,
    parameters: [type, type],
    type,
    fallible: true,
    call: (a, b) => fits(operation(a as ExactInteger, b as ExactInteger)),
    inline: (code, a = '', b = '') => {
      if (op === '/' || op === '%') code.failWhen(`${b} === 0`)
      return boundedResult(code, type, integerText(op, a, b))
    },
  })
}

function integerText(op: ArithmeticOperator, a: string, b: string): string {
  switch (op) {
    case '/':
      return `Math.trunc(${a} / ${b}) + 0`
    case '%':
      return `${a} - Math.trunc(${a} / ${b}) * ${b}`
    case '*':
      return `${a} * ${b} + 0`
    default:
      return `${a} ${op} ${b}`
  }
}

/** A result of a type with lanes leaves the loop above 2^53; an INT beyond 32 bits fails. */
function boundedResult(code: InlineContext, type: DataType, text: string): string {
  const result = code.local(text)
  if (type.kind === 'int') code.failWhen(`${result} > 2147483647 || ${result} < -2147483648`)
  else code.redoWhen(`${result} > 9007199254740991 || ${result} < -9007199254740991`)
  return result
}

/** DECIMAL `op` DECIMAL by the formulas of sql.md §2; operands keep their own scales. */
function decimalOverload(op: ArithmeticOperator, a: DecimalType, b: DecimalType): ScalarOverload {
  const type = decimalResult(op, a, b)
  const operation = decimalOperation(op, a, b, type)
  return overload({
    name: op,
    parameters: [a, b],
    type,
    fallible: true,
    call: (x, y) => exact.checkPrecision(operation(x as ExactInteger, y as ExactInteger), type.precision),
    inline: decimalInline(op, a, b, type),
  })
}

function decimalResult(op: ArithmeticOperator, a: DecimalType, b: DecimalType): DecimalType {
  switch (op) {
    case '*':
      return decimalProduct(a, b)
    case '/':
      return decimalQuotient(a, b)
    case '%':
      return decimalRemainder(a, b)
    default:
      return decimalSum(a, b)
  }
}

function decimalOperation(
  op: ArithmeticOperator,
  a: DecimalType,
  b: DecimalType,
  type: DecimalType,
): (x: ExactInteger, y: ExactInteger) => ExactInteger {
  if (op === '*') {
    return (x, y) => exact.rescale(exact.multiplyExact(x, y), a.scale + b.scale, type.scale)
  }
  if (op === '/') {
    const shift = type.scale + b.scale - a.scale
    return (x, y) => {
      if (y === 0) divisionByZero()
      return shift >= 0
        ? exact.divideRounded(exact.rescale(x, 0, shift), y)
        : exact.divideRounded(x, exact.rescale(y, 0, -shift))
    }
  }
  const scale = Math.max(a.scale, b.scale)
  const operation = exactOperations[op]
  return (x, y) =>
    exact.rescale(operation(exact.rescale(x, a.scale, scale), exact.rescale(y, b.scale, scale)), scale, type.scale)
}

/** Compiled form where operands are only scaled up and the digits of the result cannot run out before 2^53. */
function decimalInline(
  op: ArithmeticOperator,
  a: DecimalType,
  b: DecimalType,
  type: DecimalType,
): ScalarOverload['inline'] {
  if (op === '/' || type.precision < 16) return undefined
  const scale = Math.max(a.scale, b.scale)
  if (op === '*' ? type.scale !== a.scale + b.scale : type.scale !== scale || scale - Math.min(a.scale, b.scale) > 15) {
    return undefined
  }
  return (code, x = '', y = '') => {
    if (op === '*') return boundedResult(code, type, `${x} * ${y} + 0`)
    const [left, right] = [scaledUp(code, x, scale - a.scale), scaledUp(code, y, scale - b.scale)]
    if (op === '%') code.failWhen(`${right} === 0`)
    return boundedResult(code, type, integerText(op, left, right))
  }
}

function scaledUp(code: InlineContext, text: string, steps: number): string {
  if (steps === 0) return text
  const scaled = code.local(`${text} * ${exact.SAFE_POWERS[steps]}`)
  code.redoWhen(`${scaled} > 9007199254740991 || ${scaled} < -9007199254740991`)
  return scaled
}

const doubleOverflow = (): never => {
  throw new RowFailure('row_numeric_overflow', 'result does not fit DOUBLE')
}

/** A finite operation whose result is not finite fails; NaN and infinities that come in pass through. */
function doubleOverload(op: ArithmeticOperator): ScalarOverload {
  const operation = doubleOperations[op]
  return overload({
    name: op,
    parameters: [types.double, types.double],
    type: types.double,
    fallible: true,
    call: (a, b) => {
      const result = operation(a as number, b as number)
      const bad = !Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)
      return bad ? doubleOverflow() : result
    },
    inline: (code, a = '', b = '') => {
      if (op === '/' || op === '%') code.failWhen(`${b} === 0`)
      const result = code.local(`${a} ${op} ${b}`)
      code.failWhen(`${result} - ${result} !== 0 && ${a} - ${a} === 0 && ${b} - ${b} === 0`)
      return result
    },
  })
}

/** The overload of an arithmetic operator over numbers. */
export function numberOverload(op: ArithmeticOperator, a: DataType, b: DataType): ScalarOverload | undefined {
  if (a.kind === 'null' && b.kind === 'null') return integerOverload(op, types.int)
  const [x, y] = [a.kind === 'null' ? b : a, b.kind === 'null' ? a : b]
  if (!isNumeric(x) || !isNumeric(y)) return undefined
  if (x.kind === 'double' || y.kind === 'double') return doubleOverload(op)
  if (isInteger(x) && isInteger(y)) return integerOverload(op, integerResult(x, y))
  return decimalOverload(op, asDecimal(x)!, asDecimal(y)!)
}

function resolveOperator(op: ArithmeticOperator, args: readonly Argument[]): ScalarOverload | undefined {
  const [a, b] = args
  if (a === undefined || b === undefined || args.length !== 2) return undefined
  return timeArithmetic(op, a.type, b.type) ?? numberOverload(op, a.type, b.type)
}

const operator = (
  op: ArithmeticOperator,
  summary: string,
  examples: ScalarFunction['examples'],
  signatures: readonly string[],
): ScalarFunction => define({ name: op, signatures, summary, examples, resolve: (args) => resolveOperator(op, args) })

function negate(args: readonly Argument[]): ScalarOverload | undefined {
  const type = args[0]?.type
  if (type === undefined || args.length !== 1) return undefined
  const form = { name: 'unary-', parameters: [type], type }
  if (type.kind === 'double') {
    return overload({ ...form, call: (a) => -(a as number), inline: (_code, a = '') => `-(${a})` })
  }
  if (type.kind === 'interval') return overload({ ...form, call: (a) => negateInterval(a as Interval) })
  if (type.kind === 'decimal') {
    return overload({
      ...form,
      call: (a) => exact.negateExact(a as ExactInteger),
      inline: (_code, a = '') => `(0 - ${a})`,
    })
  }
  if (!isInteger(type) && type.kind !== 'null') return undefined
  const result = type.kind === 'bigint' ? types.bigint : types.int
  const fits = integerCheck(result)
  return overload({
    name: 'unary-',
    parameters: [result],
    type: result,
    fallible: true,
    call: (a: Value) => fits(exact.negateExact(a as ExactInteger)),
    inline: (code, a = '') => {
      if (result.kind === 'int') code.failWhen(`${a} === -2147483648`)
      return `(0 - ${a})`
    },
  })
}

export const arithmeticFunctions: readonly ScalarFunction[] = [
  operator(
    '+',
    'Sum.',
    [example('1 + 2', '3'), example('1.50 + 2', '3.5')],
    ['num + num', 'DATE + int', 't + INTERVAL', 'INTERVAL + INTERVAL'],
  ),
  operator(
    '-',
    'Difference.',
    [example('1 - 2', '-1')],
    ['num - num', 'DATE - int', 'DATE - DATE', 't - INTERVAL', 'TIMESTAMP - TIMESTAMP', 'INTERVAL - INTERVAL'],
  ),
  operator('*', 'Product.', [example('1.5 * 2', '3')], ['num * num', 'INTERVAL * num']),
  operator(
    '/',
    'Quotient; of integers cut towards zero.',
    [example('7 / 2', '3'), example('-7 / 2', '-3'), example('1.0 / 3', '0.3333333333333333')],
    ['num / num', 'INTERVAL / num'],
  ),
  operator('%', 'Remainder, with the sign of the dividend.', [example('-7 % 3', '-1')], ['num % num']),
  define({
    name: 'unary-',
    aliases: ['UNARY-'],
    signatures: ['- num', '- INTERVAL'],
    summary: 'The negative.',
    examples: [example('-(3)', '-3')],
    resolve: negate,
  }),
  define({
    name: 'unary+',
    aliases: ['UNARY+'],
    signatures: ['+ num'],
    summary: 'The number itself.',
    examples: [example('+(3)', '3')],
    resolve: ([arg, more]) =>
      arg !== undefined && more === undefined && isNumeric(arg.type)
        ? overload({
            name: 'unary+',
            parameters: [arg.type],
            type: arg.type,
            call: (a) => a,
            inline: (_code, a = '') => a,
          })
        : undefined,
  }),
]
