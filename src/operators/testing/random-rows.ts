import type { Random } from '../../core/random.ts'
import type { DataType, Schema } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { randomValue } from '../../expr/testing/random-expr.ts'

/** A value of any type, often one at an edge, now and then NULL. */
export function anyValue(type: DataType, random: Random, nulls = 0.1): Value {
  if (random.chance(nulls)) return null
  switch (type.kind) {
    case 'interval':
      return { months: random.between(-3, 3), days: random.between(-40, 40), micros: random.between(-1e9, 1e9) }
    case 'json':
      return random.pick(['null', '1', '1.0', '"é"', '{"a":[1]}', '[]'])
    case 'bytes':
      return new Uint8Array(random.pick([[], [255], [0, 1, 2]]))
    case 'timestamptz':
      return randomValue({ kind: 'timestamp' }, random, 0.1)
    case 'array':
      return Array.from({ length: random.below(4) }, () => anyValue(type.element, random, nulls))
    case 'map':
      return new Map(
        Array.from({ length: random.below(3) }, () => [anyValue(type.key, random, 0), anyValue(type.value, random)]),
      )
    default:
      return randomValue(type, random, 0.1)
  }
}

export const anyRow = (schema: Schema, random: Random): Value[] =>
  schema.fields.map(({ type, nullable }) => anyValue(type, random, nullable ? 0.1 : 0))
