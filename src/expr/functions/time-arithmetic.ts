import { type DataType, types } from '../../core/types.ts'
import type { ExactInteger, Interval } from '../../core/values.ts'
import { isInteger, isNumeric, isTime } from '../coerce.ts'
import { addExact, multiplyExact, subtractExact } from '../exact.ts'
import { RowFailure, type ScalarOverload } from '../functions.ts'
import { doubleOfDecimal } from '../number-text.ts'
import { checkDate, MICROS_PER_DAY } from '../time/civil.ts'
import { addIntervals, intervalOfMicros, negateInterval, scaleInterval, shiftTimestamp } from '../time/interval.ts'
import { overload } from './define.ts'

/** The overload of `+ - * /` where one side is a time or an interval. */
export function timeArithmetic(op: string, a: DataType, b: DataType): ScalarOverload | undefined {
  if (op === '*' || op === '/') return intervalScaling(op, a, b)
  if (op !== '+' && op !== '-') return undefined
  const sign = op === '+' ? 1 : -1
  if (b.kind === 'interval' && (isTime(a) || a.kind === 'interval')) {
    return a.kind === 'interval' ? intervalSum(op) : shift(op, a, sign)
  }
  if (op === '+' && a.kind === 'interval' && isTime(b)) return flipped(shift(op, b, 1))
  if (a.kind === 'date' && isInteger(b)) return dateShift(op, sign)
  if (op === '+' && isInteger(a) && b.kind === 'date') return flipped(dateShift(op, 1))
  if (op === '-' && isTime(a) && isTime(b)) return difference(a, b)
  return undefined
}

function flipped(found: ScalarOverload): ScalarOverload {
  const [first, second] = found.parameters
  const { inline } = found
  return {
    ...found,
    parameters: [second!, first!],
    call: (a, b) => found.call(b!, a!),
    inline: inline && ((code, a = '', b = '') => inline(code, b, a)),
  }
}

/** t ± INTERVAL; a DATE becomes a TIMESTAMP. */
function shift(op: string, from: DataType, sign: 1 | -1): ScalarOverload {
  const type = from.kind === 'timestamptz' ? types.timestamptz : types.timestamp
  return overload({
    name: op,
    parameters: [type, types.interval],
    type,
    fallible: true,
    call: (t, by) => shiftTimestamp(t as ExactInteger, by as Interval, sign),
    inline: (code, t = '', by = '') => {
      const step = code.local(by)
      const moved = code.local(`${t} ${op} (${step}.days * ${MICROS_PER_DAY} + ${step}.micros)`)
      code.redoWhen(`${step}.months !== 0 || ${moved} > 9000000000000000 || ${moved} < -9000000000000000`)
      return moved
    },
  })
}

function dateShift(op: string, sign: 1 | -1): ScalarOverload {
  return overload({
    name: op,
    parameters: [types.date, types.bigint],
    type: types.date,
    fallible: true,
    call: (day, by) => checkDate((day as number) + sign * Number(by)),
    inline: (code, day = '', by = '') => {
      const moved = code.local(`${day} ${op} ${by}`)
      code.failWhen(`${moved} > 2932896 || ${moved} < -719162`)
      return moved
    },
  })
}

/** DATE − DATE → BIGINT days; other times → INTERVAL of days and time. */
function difference(a: DataType, b: DataType): ScalarOverload {
  if (a.kind === 'date' && b.kind === 'date') {
    return overload({
      name: '-',
      parameters: [types.date, types.date],
      type: types.bigint,
      call: (x, y) => (x as number) - (y as number),
      inline: (_code, x = '', y = '') => `(${x} - ${y})`,
    })
  }
  const type = a.kind === 'timestamptz' || b.kind === 'timestamptz' ? types.timestamptz : types.timestamp
  return overload({
    name: '-',
    parameters: [type, type],
    type: types.interval,
    call: (x, y) => intervalOfMicros(subtractExact(x as ExactInteger, y as ExactInteger)),
  })
}

function intervalSum(op: '+' | '-'): ScalarOverload {
  return overload({
    name: op,
    parameters: [types.interval, types.interval],
    type: types.interval,
    fallible: true,
    call: (a, b) => addIntervals(a as Interval, op === '+' ? (b as Interval) : negateInterval(b as Interval)),
  })
}

function intervalScaling(op: '*' | '/', a: DataType, b: DataType): ScalarOverload | undefined {
  if (op === '*' && isNumeric(a) && b.kind === 'interval') return flipped(intervalScaling('*', b, a)!)
  if (a.kind !== 'interval' || !isNumeric(b)) return undefined
  const scale = b.kind === 'decimal' ? b.scale : 0
  return overload({
    name: op,
    parameters: [types.interval, b],
    type: types.interval,
    fallible: true,
    call: (by, n) => {
      const whole =
        op === '*' && scale === 0 && b.kind !== 'double' ? exactProduct(by as Interval, n as ExactInteger) : undefined
      if (whole !== undefined) return whole
      const factor = b.kind === 'double' ? (n as number) : doubleOfDecimal(n as ExactInteger, scale)
      if (op === '/' && factor === 0) throw new RowFailure('row_division_by_zero', 'division by zero')
      return scaleInterval(by as Interval, op === '*' ? factor : 1 / factor)
    },
  })
}

/** All three parts times a whole number, where they stay safe integers. */
function exactProduct(by: Interval, n: ExactInteger): Interval | undefined {
  const parts = [by.months, by.days, by.micros].map((part) => addExact(multiplyExact(part, n), 0))
  const [months, days, micros] = parts
  if (typeof months !== 'number' || typeof days !== 'number' || typeof micros !== 'number') return undefined
  return addIntervals({ months, days, micros }, { months: 0, days: 0, micros: 0 })
}
