import { type DataType, typeName } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import { checkInt64, checkPrecision, exactOfDouble, rescale } from '../exact.ts'
import { RowFailure } from '../functions.ts'
import { decimalOfDouble, doubleOfDecimal } from '../number-text.ts'

const overflow = (value: unknown, type: DataType): never => {
  throw new RowFailure('row_numeric_overflow', `${value} does not fit ${typeName(type)}`)
}

/** Between numeric types. To integer, DECIMAL rounds halves away from zero and DOUBLE halves to even. */
export function numberToNumber(from: DataType, to: DataType): (value: Value) => Value {
  const scale = from.kind === 'decimal' ? from.scale : 0
  if (to.kind === 'double') {
    return from.kind === 'double' ? (value) => value : (value) => doubleOfDecimal(value as ExactInteger, scale)
  }
  if (from.kind === 'double') return to.kind === 'decimal' ? doubleToDecimal(to) : doubleToInteger(to)
  if (to.kind === 'decimal') {
    const { precision, scale: target } = to
    return (value) => checkPrecision(rescale(value as ExactInteger, scale, target), precision)
  }
  const fits = integerCheck(to)
  return scale === 0
    ? (value) => fits(value as ExactInteger)
    : (value) => fits(rescale(value as ExactInteger, scale, 0))
}

function doubleToDecimal(to: Extract<DataType, { kind: 'decimal' }>): (value: Value) => Value {
  return (value) => {
    const scaled = decimalOfDouble(value as number, to.scale)
    return scaled === undefined ? overflow(value, to) : checkPrecision(scaled, to.precision)
  }
}

function doubleToInteger(to: DataType): (value: Value) => Value {
  const fits = integerCheck(to)
  return (value) => {
    const rounded = roundHalfEven(value as number)
    return Number.isFinite(rounded) ? fits(exactOfDouble(rounded)) : overflow(value, to)
  }
}

/** The value itself when it is in the range of the integer type; else the row fails. */
export function integerCheck(type: DataType): (value: ExactInteger) => ExactInteger {
  if (type.kind === 'bigint') return checkInt64
  const max = type.kind === 'int' ? 2147483647 : 32767
  return (value) => (value <= max && value >= -max - 1 ? value : overflow(value, type))
}

export function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest < 0.5) return floor
  if (rest > 0.5) return floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}
