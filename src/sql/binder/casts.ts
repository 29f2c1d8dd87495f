import { type DataType, sameType } from '../../core/types.ts'
import { exact, INT64_MAX, INT64_MIN, type Value, wide } from '../../core/values.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import type { Argument } from '../../expr/functions.ts'

export const literal = (type: DataType, value: Value, span?: Span): BoundExpr => ({
  kind: 'literal',
  type,
  value,
  nullable: value === null,
  span,
})

/** True for a string as written: it takes the type that its context needs. */
export const isStringLiteral = (expr: BoundExpr): boolean =>
  expr.kind === 'literal' && expr.type.kind === 'string' && typeof expr.value === 'string'

export const asArgument = (expr: BoundExpr): Argument =>
  expr.kind === 'literal'
    ? { type: expr.type, nullable: expr.nullable, constant: { value: expr.value } }
    : { type: expr.type, nullable: expr.nullable }

/** The expression as `type`: unchanged, a literal of that type where that is exact, else a cast. */
export function castTo(expr: BoundExpr, type: DataType, safe = false): BoundExpr {
  if (sameType(expr.type, type)) return expr
  if (expr.kind === 'literal') {
    const value = literalAs(expr.type, expr.value, type)
    if (value !== undefined) return literal(type, value, expr.span)
  }
  // The JSON null is NULL in any other type.
  const nullable = safe || expr.nullable || expr.type.kind === 'json'
  return { kind: 'cast', type, nullable, arg: expr, safe, span: expr.span }
}

/** The value of a numeric literal in another numeric type where it is the same number; undefined otherwise. */
export function literalAs(from: DataType, value: Value, to: DataType): Value | undefined {
  if (value === null) return null
  if (from.kind === 'string' && to.kind === 'string' && to.length === undefined) return value
  if (from.kind === 'decimal' && to.kind === 'double') return Number(`${wide(value as number | bigint)}e-${from.scale}`)
  const scaled = unscaled(from, value)
  return scaled === undefined ? undefined : rescale(scaled.digits, scaled.scale, to)
}

function unscaled(type: DataType, value: Value): { digits: bigint; scale: number } | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  if (type.kind === 'decimal') return { digits: wide(value), scale: type.scale }
  const integer = type.kind === 'smallint' || type.kind === 'int' || type.kind === 'bigint'
  return integer ? { digits: wide(value), scale: 0 } : undefined
}

const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  smallint: [-32768n, 32767n],
  int: [-2147483648n, 2147483647n],
  bigint: [INT64_MIN, INT64_MAX],
}

function rescale(digits: bigint, scale: number, to: DataType): Value | undefined {
  const target = to.kind === 'decimal' ? to.scale : 0
  if (to.kind === 'double') return scale === 0 ? Number(digits) : undefined
  if (target < scale && digits % 10n ** BigInt(scale - target) !== 0n) return undefined
  const value = target >= scale ? digits * 10n ** BigInt(target - scale) : digits / 10n ** BigInt(scale - target)
  if (to.kind === 'decimal') return abs(value) < 10n ** BigInt(to.precision) ? exact(value) : undefined
  const range = ranges[to.kind]
  return range !== undefined && value >= range[0] && value <= range[1] ? exact(value) : undefined
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value)

/**
 * Two operands that are compared: a numeric literal takes the type of the other side where that is exact, so that the
 * column is not cast row by row.
 */
export function alignLiterals(left: BoundExpr, right: BoundExpr): readonly [BoundExpr, BoundExpr] {
  const narrow = (constant: BoundExpr, other: BoundExpr): BoundExpr => {
    if (constant.kind !== 'literal' || constant.value === null || other.kind === 'literal') return constant
    if (other.type.kind === 'double') return constant
    const value = literalAs(constant.type, constant.value, other.type)
    return value === undefined ? constant : literal(other.type, value, constant.span)
  }
  return [narrow(left, right), narrow(right, left)]
}
