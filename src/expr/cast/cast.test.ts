import { expect, test } from 'vitest'
import { array, type DataType, decimal, field, map, struct, typeName, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { RowFailure } from '../functions.ts'
import { caster } from './cast.ts'

const day = 86_400_000_000

function cast(value: Value, from: DataType, to: DataType): Value | string {
  try {
    return caster(from, to)(value as Exclude<Value, null>)
  } catch (failure) {
    if (failure instanceof RowFailure) return failure.code
    throw failure
  }
}

const bad = 'row_invalid_cast'
const over = 'row_numeric_overflow'
const s = types.string

test.each<[Value, DataType, DataType, Value]>([
  // To integer: DECIMAL rounds halves away from zero, DOUBLE halves to even.
  [25, decimal(3, 1), types.int, 3],
  [-25, decimal(3, 1), types.int, -3],
  [2.5, types.double, types.int, 2],
  [3.5, types.double, types.int, 4],
  [-0.4, types.double, types.bigint, 0],
  [Number.NaN, types.double, types.bigint, over],
  [1e19, types.double, types.bigint, over],
  [1e18, types.double, types.bigint, 1000000000000000000n],
  [40000, types.int, types.smallint, over],
  [9007199254740993n, types.bigint, types.double, 9007199254740992],
  [123, types.int, decimal(5, 2), 12300],
  [1234, types.int, decimal(5, 2), over],
  [0.125, types.double, decimal(5, 2), 13],
  [1.005, types.double, decimal(5, 2), 101],
  [12345, decimal(5, 2), decimal(4, 1), 1235],
  [12345, decimal(5, 2), types.double, 123.45],
  [123456789012345678901234567890n, decimal(38, 10), types.double, 12345678901234567000],
  [true, types.boolean, types.int, 1],
  [0, types.int, types.boolean, false],
  // Text in.
  [' 42 ', s, types.bigint, 42],
  ['9223372036854775807', s, types.bigint, 9223372036854775807n],
  ['9223372036854775808', s, types.bigint, over],
  ['4.2', s, types.int, bad],
  ['', s, types.int, bad],
  ['1e400', s, types.double, Number.POSITIVE_INFINITY],
  ['NaN', s, types.double, Number.NaN],
  ['1.005', s, decimal(5, 2), 101],
  ['-1.005', s, decimal(5, 2), -101],
  ['12345678901234567890123456789012345678', s, decimal(38, 0), 12345678901234567890123456789012345678n],
  ['1e2', s, decimal(5, 2), 10000],
  ['yes', s, types.boolean, true],
  ['OFF', s, types.boolean, false],
  ['maybe', s, types.boolean, bad],
  ['2026-01-31', s, types.date, 20484],
  ['2026-02-30', s, types.date, bad],
  ['0000-01-01', s, types.date, bad],
  ['2026-01-31 10:00', s, types.timestamp, 20484 * day + 10 * 3_600_000_000],
  ['2026-01-31T10:00:00+02:00', s, types.timestamp, 20484 * day + 8 * 3_600_000_000],
  ['1970-01-01T00:00:00.0000005Z', s, types.timestamp, 1],
  ['9999-12-31T23:59:59.999999Z', s, types.timestamp, 253402300799999999n],
  ['2026-01-31T25:00:00', s, types.timestamp, bad],
  ['1 day 02:30:00', s, types.interval, { months: 0, days: 1, micros: 9_000_000_000 }],
  ['P1Y2M3DT4H', s, types.interval, { months: 14, days: 3, micros: 14_400_000_000 }],
  ['\\x0aff', s, types.bytes, Uint8Array.of(10, 255)],
  ['abc', s, types.bytes, Uint8Array.of(97, 98, 99)],
  ['{"a":1}', s, types.json, '{"a":1}'],
  ['{', s, types.json, bad],
  ['[1,null]', s, array(types.int), [1, null]],
  ['abcdef', s, { kind: 'string', length: 3 }, 'abc'],
  ['😀😀😀', s, { kind: 'string', length: 2 }, '😀😀'],
  // Text out: PostgreSQL form.
  [1230, decimal(6, 2), s, '12.30'],
  [-5, decimal(3, 2), s, '-0.05'],
  [1e20, types.double, s, '1e+20'],
  [1e-7, types.double, s, '1e-07'],
  [0.1, types.double, s, '0.1'],
  [123456789012345, types.double, s, '123456789012345'],
  [1e15, types.double, s, '1e+15'],
  [true, types.boolean, s, 'true'],
  [20484, types.date, s, '2026-01-31'],
  [20484 * day + 500_000, types.timestamp, s, '2026-01-31 00:00:00.5'],
  [20484 * day, types.timestamptz, s, '2026-01-31 00:00:00+00'],
  [-62135596800000000n, types.timestamp, s, '0001-01-01 00:00:00'],
  [{ months: 14, days: -3, micros: 3_600_000_000 }, types.interval, s, '1 year 2 mons -3 days +01:00:00'],
  [Uint8Array.of(10, 255), types.bytes, s, '\\x0aff'],
  [[1, null, 3], array(types.int), s, '{1,NULL,3}'],
  [['a b', '', 'c"d'], array(s), s, '{"a b","","c\\"d"}'],
  [[1, 'a,b', null], struct([field('x', types.int), field('y', s), field('z', s)]), s, '(1,"a,b",)'],
  // Times.
  [20484, types.date, types.timestamp, 20484 * day],
  [20484 * day + 5, types.timestamp, types.date, 20484],
  [-1, types.timestamp, types.date, -1],
  // JSON: by value.
  ['12', types.json, types.int, 12],
  ['"12"', types.json, types.int, 12],
  ['"x"', types.json, types.int, bad],
  ['1.50', types.json, s, '1.50'],
  ['"a\\n"', types.json, s, 'a\n'],
  ['null', types.json, types.int, null],
  ['[1,"2"]', types.json, array(types.bigint), [1, 2]],
  ['{"b":2,"a":1}', types.json, struct([field('a', types.int), field('c', types.int)]), [1, null]],
  ['{"k":[1]}', types.json, map(s, array(types.int)), new Map([['k', [1]]])],
  ['1767225600', types.json, types.timestamp, 1767225600000000],
  ['1767225600000', types.json, types.timestamp, 1767225600000000],
  ['327267367867168100000', types.json, decimal(38, 0), 327267367867168100000n],
  ['{}', types.json, array(types.int), bad],
  [[1, 2], struct([field('a', types.int), field('b', types.bigint)]), types.json, '{"a":1,"b":2}'],
  [1250, decimal(6, 3), types.json, '1.25'],
  [Number.NaN, types.double, types.json, '"NaN"'],
  // Nested: by position.
  [
    [1, 2.5],
    struct([field('a', types.int), field('b', types.double)]),
    struct([field('x', s), field('y', types.int)]),
    ['1', 2],
  ],
  [['1', null], array(s), array(types.int), [1, null]],
])('%o from %o to %o is %o', (value, from, to, expected) => {
  expect(cast(value, from, to), `${typeName(from)} → ${typeName(to)}`).toEqual(expected)
})
