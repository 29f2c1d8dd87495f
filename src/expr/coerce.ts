import { array, type DataType, decimal, map, sameType, struct, types } from '../core/types.ts'
import { type ExactInteger, exact } from '../core/values.ts'

export type DecimalType = Extract<DataType, { kind: 'decimal' }>

const NUMERIC_RANK: Partial<Record<DataType['kind'], number>> = {
  smallint: 1,
  int: 2,
  bigint: 3,
  decimal: 4,
  double: 5,
}
const TIME_RANK: Partial<Record<DataType['kind'], number>> = { date: 1, timestamp: 2, timestamptz: 3 }

export const isInteger = (type: DataType): boolean =>
  type.kind === 'smallint' || type.kind === 'int' || type.kind === 'bigint'

export const isNumeric = (type: DataType): boolean => NUMERIC_RANK[type.kind] !== undefined

/** DATE, TIMESTAMP, TIMESTAMPTZ. */
export const isTime = (type: DataType): boolean => TIME_RANK[type.kind] !== undefined

/** Digits as an exact number: SMALLINT 5, INT 10, BIGINT 19; undefined for other types. */
export function asDecimal(type: DataType): DecimalType | undefined {
  switch (type.kind) {
    case 'decimal':
      return type
    case 'smallint':
      return { kind: 'decimal', precision: 5, scale: 0 }
    case 'int':
      return { kind: 'decimal', precision: 10, scale: 0 }
    case 'bigint':
      return { kind: 'decimal', precision: 19, scale: 0 }
    default:
      return undefined
  }
}

/** Precision over 38: the scale gives way, to 6 digits at least (sql.md §2). */
export function fitDecimal(precision: number, scale: number): DecimalType {
  if (precision <= 38) return { kind: 'decimal', precision: Math.max(precision, 1), scale }
  const kept = Math.max(38 - (precision - scale), Math.min(scale, 6))
  return { kind: 'decimal', precision: 38, scale: kept }
}

/** The least type that both widen to; undefined when there is none. */
export function commonType(a: DataType, b: DataType): DataType | undefined {
  if (a.kind === 'null') return b
  if (b.kind === 'null') return a
  if (sameType(a, b)) return a
  const [rankA, rankB] = [NUMERIC_RANK[a.kind], NUMERIC_RANK[b.kind]]
  if (rankA !== undefined && rankB !== undefined) return commonNumber(a, b, Math.max(rankA, rankB))
  const [timeA, timeB] = [TIME_RANK[a.kind], TIME_RANK[b.kind]]
  if (timeA !== undefined && timeB !== undefined) return timeA > timeB ? a : b
  if (a.kind === 'string' && b.kind === 'string') return types.string
  return commonNested(a, b)
}

function commonNumber(a: DataType, b: DataType, rank: number): DataType {
  if (rank !== 4) return rank === 5 ? types.double : NUMERIC_RANK[a.kind] === rank ? a : b
  const [x, y] = [asDecimal(a)!, asDecimal(b)!]
  const scale = Math.max(x.scale, y.scale)
  return fitDecimal(Math.max(x.precision - x.scale, y.precision - y.scale) + scale, scale)
}

function commonNested(a: DataType, b: DataType): DataType | undefined {
  if (a.kind === 'array' && b.kind === 'array') {
    const element = commonType(a.element, b.element)
    return element && array(element)
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = commonType(a.key, b.key)
    const value = commonType(a.value, b.value)
    return key && value && map(key, value)
  }
  if (a.kind === 'struct' && b.kind === 'struct' && a.fields.length === b.fields.length) {
    const fields = a.fields.map((f, i) => {
      const other = b.fields[i]!
      const type = commonType(f.type, other.type)
      return type && { name: f.name, type, nullable: f.nullable || other.nullable }
    })
    return fields.every((f) => f !== undefined) ? struct(fields) : undefined
  }
  return undefined
}

/** The least common type of all; `null` for none at all. */
export function commonTypeOf(all: readonly DataType[]): DataType | undefined {
  let common: DataType | undefined = types.null
  for (const type of all) {
    common = common && commonType(common, type)
  }
  return common
}

/** True when a value of `from` may stand where `to` is wanted, without a written CAST (sql.md §2). */
export function canWiden(from: DataType, to: DataType): boolean {
  if (from.kind === 'null' || sameType(from, to)) return true
  if (from.kind === 'string' && to.kind === 'string') return to.length === undefined
  if (to.kind === 'decimal') {
    const digits = asDecimal(from)
    return (
      digits !== undefined && digits.scale <= to.scale && digits.precision - digits.scale <= to.precision - to.scale
    )
  }
  const [rankFrom, rankTo] = [NUMERIC_RANK[from.kind], NUMERIC_RANK[to.kind]]
  if (rankFrom !== undefined && rankTo !== undefined) return rankFrom < rankTo
  const [timeFrom, timeTo] = [TIME_RANK[from.kind], TIME_RANK[to.kind]]
  if (timeFrom !== undefined && timeTo !== undefined) return timeFrom < timeTo
  if (from.kind === 'array' && to.kind === 'array') return canWiden(from.element, to.element)
  if (from.kind === 'map' && to.kind === 'map') return canWiden(from.key, to.key) && canWiden(from.value, to.value)
  if (from.kind === 'struct' && to.kind === 'struct') {
    return from.fields.length === to.fields.length && from.fields.every((f, i) => canWiden(f.type, to.fields[i]!.type))
  }
  return false
}

/** True when CAST knows how to go from one type to the other; single values may still fail. */
export function castable(from: DataType, to: DataType): boolean {
  if (from.kind === 'null' || sameType(from, to)) return true
  if (to.kind === 'null') return false
  if (to.kind === 'string' || to.kind === 'json' || from.kind === 'json') return true
  if (from.kind === 'string') return true
  if (isNumeric(from)) return isNumeric(to) || (to.kind === 'boolean' && isInteger(from))
  if (from.kind === 'boolean') return isNumeric(to)
  if (isTime(from)) return isTime(to)
  if (from.kind === 'array' && to.kind === 'array') return castable(from.element, to.element)
  if (from.kind === 'map' && to.kind === 'map') return castable(from.key, to.key) && castable(from.value, to.value)
  if (from.kind === 'struct' && to.kind === 'struct') {
    return from.fields.length === to.fields.length && from.fields.every((f, i) => castable(f.type, to.fields[i]!.type))
  }
  return from.kind === to.kind
}

/** Integer `op` integer: the wider type, at least INT. */
export function integerResult(a: DataType, b: DataType): DataType {
  return a.kind === 'bigint' || b.kind === 'bigint' ? types.bigint : types.int
}

export function decimalSum(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(a.scale, b.scale)
  return fitDecimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale)
}

export const decimalProduct = (a: DecimalType, b: DecimalType): DecimalType =>
  fitDecimal(a.precision + b.precision + 1, a.scale + b.scale)

export function decimalQuotient(a: DecimalType, b: DecimalType): DecimalType {
  const whole = a.precision - a.scale + b.scale
  const scale = Math.max(6, Math.min(16, 38 - whole))
  return fitDecimal(whole + scale, scale)
}

export function decimalRemainder(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(a.scale, b.scale)
  return fitDecimal(Math.min(a.precision - a.scale, b.precision - b.scale) + scale, scale)
}

/**
 * Type and value of a number as written in SQL, `_` allowed between digits: BIGINT (DECIMAL(38,0) when too large),
 * DECIMAL(p,s) with a point, DOUBLE with an exponent; undefined when it has more than 38 digits.
 */
export function numberLiteral(text: string): { type: DataType; value: ExactInteger } | undefined {
  const plain = text.replaceAll('_', '')
  if (/^0[xX][0-9a-fA-F]+$/.test(plain) || /^\d+$/.test(plain)) {
    const value = BigInt(plain)
    if (value <= 9223372036854775807n) return { type: types.bigint, value: exact(value) }
    return value < 10n ** 38n ? { type: decimal(38, 0), value: exact(value) } : undefined
  }
  if (/e/i.test(plain)) {
    const value = Number(plain)
    return Number.isFinite(value) ? { type: types.double, value } : undefined
  }
  const [whole = '', fraction = ''] = plain.split('.')
  const digits = whole.replace(/^0+/, '').length + fraction.length
  if (digits > 38) return undefined
  return { type: decimal(Math.max(digits, 1), fraction.length), value: exact(BigInt(`${whole}${fraction}` || '0')) }
}
