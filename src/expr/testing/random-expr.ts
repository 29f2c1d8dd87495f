import type { Random } from '../../core/random.ts'
import { type DataType, decimal, field, type Schema, sameType, schema, struct, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { BoundExpr } from '../bound.ts'
import { castable } from '../coerce.ts'
import { castTo, columnExpr, literal, tryCall } from './batches.ts'

export const randomSchema: Schema = schema([
  field('i', types.int),
  field('b', types.bigint),
  field('b2', types.bigint, false),
  field('d', types.double),
  field('m', decimal(12, 2)),
  field('m2', decimal(30, 4)),
  field('s', types.string),
  field('s2', types.string),
  field('t', types.timestamp),
  field('day', types.date),
  field('ok', types.boolean),
  field('st', struct([field('x', types.bigint), field('y', types.string)])),
  field('small', types.smallint),
])

const WORDS = ['', 'a', 'ab', 'abc', 'kafka', '12', '-7', '3.5', 'Straße', '😀x', 'zz', 'true', '2026-01-31', 'ab%']

/** A value of the type, often one at an edge. */
export function randomValue(type: DataType, random: Random, wideChance: number): Value {
  switch (type.kind) {
    case 'smallint':
      return random.pick([0, 1, -1, 32767, -32768, random.between(-100, 100)])
    case 'int':
      return random.pick([0, 1, -1, 2147483647, -2147483648, random.between(-1000, 1000), random.between(-5, 5)])
    case 'bigint':
      if (random.chance(wideChance))
        return random.pick([9223372036854775807n, -9223372036854775808n, 9007199254740993n])
      return random.pick([0, 1, -1, 7, 9007199254740991, -9007199254740991, random.between(-1e6, 1e6), 3_000_000_000])
    case 'double':
      return random.pick([0, -0, 1.5, -2.5, 0.5, Number.NaN, Infinity, -Infinity, 1e308, 1e20, random.float() * 100])
    case 'decimal':
      if (random.chance(wideChance) && type.precision > 16)
        return random.pick([123456789012345678901n, -98765432109876543210n])
      return random.pick([0, 1, -1, 150, -250, 99999, random.between(-1e6, 1e6)])
    case 'string':
      return random.pick(WORDS)
    case 'timestamp':
      if (random.chance(wideChance)) return random.pick([253402300799999999n, -62135596800000000n])
      return random.pick([0, -1, 1_767_225_600_000_000, 1_767_225_600_000_001, random.between(0, 2 ** 50)])
    case 'date':
      return random.pick([0, -1, 20454, 2932896, -719162])
    case 'boolean':
      return random.chance(0.5)
    case 'struct':
      return type.fields.map((f) => (random.chance(0.2) ? null : randomValue(f.type, random, 0)))
    default:
      throw new Error(`no random value of ${type.kind}`)
  }
}

export function randomRows(random: Random, count: number, options: { nulls: number; wide: number }): Value[][] {
  return Array.from({ length: count }, () =>
    randomSchema.fields.map((f) =>
      f.nullable && random.chance(options.nulls) ? null : randomValue(f.type, random, options.wide),
    ),
  )
}

const CASTS: readonly DataType[] = [
  types.smallint,
  types.int,
  types.bigint,
  types.double,
  types.string,
  types.date,
  types.timestamp,
  types.boolean,
  decimal(9, 2),
  decimal(20, 6),
  types.json,
]

const BINARY = ['+', '-', '*', '/', '%', '=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'LIKE', '||']

/** A random expression over `randomSchema`; `names` are further functions to call. */
export function randomExpr(random: Random, depth: number, names: readonly string[]): BoundExpr {
  if (depth === 0) return leaf(random)
  const sub = () => randomExpr(random, depth - 1 - random.below(2 > depth ? 1 : 2), names)
  const kind = random.below(12)
  if (kind < 4) return tryCall(random.pick(BINARY), [sub(), sub()]) ?? sub()
  if (kind === 4) return castIfPossible(sub(), random)
  if (kind === 5) return condition(random, sub, random.chance(0.5) ? 'and' : 'or')
  if (kind === 6) return caseOf(random, sub)
  if (kind === 7) return coalesceOf(sub(), sub())
  if (kind === 8) {
    return { kind: 'is-null', arg: sub(), negated: random.chance(0.5), type: types.boolean, nullable: false }
  }
  if (kind === 9) return tryCall('IN', [sub(), leaf(random), leaf(random)]) ?? sub()
  if (kind === 10) return tryCall(random.pick(['NOT', 'unary-']), [sub()]) ?? sub()
  const arity = 1 + random.below(3)
  return tryCall(random.pick(names), Array.from({ length: arity }, sub)) ?? sub()
}

function leaf(random: Random): BoundExpr {
  if (random.chance(0.3)) {
    const { type } = random.pick(randomSchema.fields)
    return literal(type, random.chance(0.1) ? null : randomValue(type, random, 0.05))
  }
  const index = random.below(randomSchema.fields.length)
  const expr = columnExpr(randomSchema, index)
  if (expr.type.kind !== 'struct' || random.chance(0.3)) return expr
  const at = random.below(expr.type.fields.length)
  return { kind: 'field', arg: expr, index: at, type: expr.type.fields[at]!.type, nullable: true }
}

function castIfPossible(expr: BoundExpr, random: Random): BoundExpr {
  const to = random.pick(CASTS)
  return castable(expr.type, to) && expr.type.kind !== 'null' ? castTo(expr, to, random.chance(0.5)) : expr
}

function asCondition(expr: BoundExpr): BoundExpr {
  if (expr.type.kind === 'boolean') return expr
  return { kind: 'is-null', arg: expr, negated: true, type: types.boolean, nullable: false }
}

function condition(random: Random, sub: () => BoundExpr, kind: 'and' | 'or'): BoundExpr {
  const args = Array.from({ length: 2 + random.below(2) }, () => asCondition(sub()))
  return { kind, args, type: types.boolean, nullable: args.some((arg) => arg.nullable) }
}

function caseOf(random: Random, sub: () => BoundExpr): BoundExpr {
  const result = sub()
  const other = sub()
  const otherwise = sameType(other.type, result.type) ? other : undefined
  const more = random.chance(0.3) ? [{ when: asCondition(sub()), result }] : []
  const branches = [{ when: asCondition(sub()), result }, ...more]
  return { kind: 'case', branches, otherwise, type: result.type, nullable: true }
}

function coalesceOf(a: BoundExpr, b: BoundExpr): BoundExpr {
  if (!sameType(a.type, b.type)) return a
  return { kind: 'coalesce', args: [a, b], type: a.type, nullable: b.nullable }
}
