import type { DataType } from '../../core/types.ts'
import { roundHalfEven } from '../cast/numbers.ts'
import { isInteger, isNumeric } from '../coerce.ts'
import { SAFE_POWERS } from '../exact.ts'
import type { InlineContext } from '../functions.ts'
import { MICROS_PER_DAY } from '../time/civil.ts'

/** A cast that can be written as an expression over numbers; undefined for all others. */
export type InlineCast = (code: InlineContext, value: string) => string

export function inlineCast(from: DataType, to: DataType): InlineCast | undefined {
  if (from.kind === 'date' && (to.kind === 'timestamp' || to.kind === 'timestamptz')) return dateToTimestamp
  if ((from.kind === 'timestamp' || from.kind === 'timestamptz') && to.kind === 'date') {
    return (_code, value) => `Math.floor(${value} / ${MICROS_PER_DAY})`
  }
  if (from.kind === 'timestamp' && to.kind === 'timestamptz') return same
  if (from.kind === 'timestamptz' && to.kind === 'timestamp') return same
  return isNumeric(from) && isNumeric(to) ? numberCast(from, to) : undefined
}

const same: InlineCast = (_code, value) => value

const dateToTimestamp: InlineCast = (code, value) => {
  const micros = code.local(`${value} * ${MICROS_PER_DAY}`)
  code.redoWhen(outside(micros))
  return micros
}

const outside = (value: string): string => `${value} > 9007199254740991 || ${value} < -9007199254740991`

function numberCast(from: DataType, to: DataType): InlineCast | undefined {
  if (to.kind === 'double') {
    if (from.kind === 'decimal')
      return from.scale <= 22 ? (_code, value) => `(${value} / ${10 ** from.scale})` : undefined
    return same
  }
  if (from.kind === 'double') return isInteger(to) ? doubleToInteger(to) : undefined
  if (to.kind === 'decimal') return toDecimal(from, to)
  if (from.kind === 'decimal') return from.scale === 0 ? (code, value) => rangeChecked(code, value, to) : undefined
  return (code, value) => rangeChecked(code, value, to)
}

/** BIGINT needs no check in the safe lane, and no check where the value already has a narrower type. */
function rangeChecked(code: InlineContext, value: string, to: DataType): string {
  if (to.kind === 'int') code.failWhen(`${value} > 2147483647 || ${value} < -2147483648`)
  else if (to.kind === 'smallint') code.failWhen(`${value} > 32767 || ${value} < -32768`)
  return value
}

function doubleToInteger(to: DataType): InlineCast {
  return (code, value) => {
    const rounded = code.local(`${code.constant(roundHalfEven)}(${value}) + 0`)
    code.redoWhen(`!(${rounded} <= 9007199254740991 && ${rounded} >= -9007199254740991)`)
    return rangeChecked(code, rounded, to)
  }
}

function toDecimal(from: DataType, to: Extract<DataType, { kind: 'decimal' }>): InlineCast | undefined {
  const steps = to.scale - (from.kind === 'decimal' ? from.scale : 0)
  if (steps < 0 || steps > 15) return undefined
  return (code, value) => {
    const scaled = steps === 0 ? value : code.local(`${value} * ${SAFE_POWERS[steps]}`)
    if (steps > 0) code.redoWhen(outside(scaled))
    const limit = SAFE_POWERS[to.precision]
    if (limit !== undefined) code.failWhen(`${scaled} >= ${limit} || ${scaled} <= -${limit}`)
    return scaled
  }
}
