import { expect, test } from 'vitest'
import { Random } from '../core/random.ts'
import { array, type DataType, decimal, field, map, struct, typeName, types } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { jsonText } from '../formats/json/json-text.ts'
import { randomValue } from './testing/random-expr.ts'
import { jsonOfValue } from './value-json.ts'

const scalars: readonly DataType[] = [
  types.boolean,
  types.smallint,
  types.int,
  types.bigint,
  types.double,
  decimal(12, 2),
  decimal(38, 9),
  types.string,
  types.date,
  types.timestamp,
  struct([field('x', types.bigint), field('y"', types.string)]),
]

/** Values beyond those that `randomValue` gives. */
const others: readonly (readonly [DataType, Value])[] = [
  [types.timestamptz, 1_767_225_600_123_000],
  [types.timestamptz, -62_135_596_800_000_000n],
  [types.bytes, new Uint8Array([0, 10, 255])],
  [types.json, '{"a": 1.50}'],
  [types.interval, { months: 14, days: -3, micros: 4_000_005 }],
  [types.interval, { months: 0, days: 0, micros: 0 }],
  [types.interval, { months: 0, days: 0, micros: -90_500_000 }],
  [array(types.interval), [{ months: 1, days: 0, micros: 0 }, null]],
  [array(array(decimal(12, 2))), [[1250, null], []]],
  [
    map(types.bigint, types.string),
    new Map<Value, Value>([
      [9_007_199_254_740_993n, 'a'],
      [-1, null],
    ]),
  ],
  [map(types.date, types.double), new Map<Value, Value>([[0, Number.NaN]])],
  [map(types.string, types.json), new Map<Value, Value>([['"\n', '[1]']])],
  [map(decimal(12, 2), types.boolean), new Map<Value, Value>([[150, true]])],
]

test('expressions and sinks write one JSON form', () => {
  const random = new Random(20260311)
  const values: (readonly [DataType, Value])[] = [...others]
  for (const type of scalars) {
    values.push([type, null])
    for (let i = 0; i < 200; i++) values.push([type, randomValue(type, random, 0.2)])
  }
  for (const [type, value] of values) {
    expect(jsonOfValue(value, type), typeName(type)).toBe(jsonText(value, type, 'number'))
  }
})
