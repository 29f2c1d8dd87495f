import { expect, test } from 'vitest'
import { array, type DataType, decimal, field, struct, typeName, types } from '../core/types.ts'
import {
  canWiden,
  castable,
  commonType,
  commonTypeOf,
  decimalProduct,
  decimalQuotient,
  decimalRemainder,
  decimalSum,
  integerResult,
  numberLiteral,
} from './coerce.ts'

const common = (a: DataType, b: DataType) => {
  const found = commonType(a, b)
  return found && typeName(found)
}

test.each<[DataType, DataType, string | undefined]>([
  [types.smallint, types.int, 'INT'],
  [types.int, types.bigint, 'BIGINT'],
  [types.bigint, decimal(5, 2), 'DECIMAL(21,2)'],
  [decimal(5, 2), decimal(4, 3), 'DECIMAL(6,3)'],
  [decimal(38, 0), decimal(10, 9), 'DECIMAL(38,6)'],
  [decimal(5, 2), types.double, 'DOUBLE'],
  [types.date, types.timestamp, 'TIMESTAMP'],
  [types.timestamptz, types.date, 'TIMESTAMP WITH TIME ZONE'],
  [{ kind: 'string', length: 3 }, types.string, 'STRING'],
  [types.null, types.json, 'JSON'],
  [array(types.int), array(types.bigint), 'ARRAY<BIGINT>'],
  [struct([field('a', types.int)]), struct([field('b', types.double)]), 'STRUCT<a DOUBLE>'],
  [types.string, types.int, undefined],
  [types.string, types.date, undefined],
  [types.boolean, types.int, undefined],
])('%o and %o have the least common type %s', (a, b, expected) => {
  expect(common(a, b)).toBe(expected)
  if (a.kind !== 'struct') expect(common(b, a)).toBe(expected)
})

test('the common type of none is that of NULL, of a misfit none', () => {
  expect(commonTypeOf([])).toEqual(types.null)
  expect(commonTypeOf([types.int, types.null, types.double])).toEqual(types.double)
  expect(commonTypeOf([types.int, types.string])).toBeUndefined()
})

test('widening goes one way only', () => {
  expect(canWiden(types.int, types.bigint)).toBe(true)
  expect(canWiden(types.bigint, types.int)).toBe(false)
  expect(canWiden(types.bigint, decimal(18, 0))).toBe(false)
  expect(canWiden(types.bigint, decimal(21, 2))).toBe(true)
  expect(canWiden(decimal(10, 2), decimal(10, 3))).toBe(false)
  expect(canWiden(types.double, decimal(38, 9))).toBe(false)
  expect(canWiden(types.string, types.int)).toBe(false)
  expect(canWiden(types.string, { kind: 'string', length: 3 })).toBe(false)
  expect(canWiden(types.timestamp, types.date)).toBe(false)
})

test('what CAST knows', () => {
  expect(castable(types.string, types.interval)).toBe(true)
  expect(castable(types.boolean, types.int)).toBe(true)
  expect(castable(types.boolean, types.date)).toBe(false)
  expect(castable(types.bigint, types.timestamp)).toBe(false)
  expect(castable(types.interval, types.bigint)).toBe(false)
  expect(castable(array(types.int), types.string)).toBe(true)
  expect(castable(types.json, array(types.int))).toBe(true)
})

test('result types of arithmetic follow the formulas', () => {
  const [a, b] = [decimal(10, 2), decimal(6, 3)] as const
  type D = Parameters<typeof decimalSum>[0]
  expect(typeName(decimalSum(a as D, b as D))).toBe('DECIMAL(12,3)')
  expect(typeName(decimalProduct(a as D, b as D))).toBe('DECIMAL(17,5)')
  // i = 10 − 2 + 3 = 11, s = max(6, min(16, 27)) = 16
  expect(typeName(decimalQuotient(a as D, b as D))).toBe('DECIMAL(27,16)')
  expect(typeName(decimalRemainder(a as D, b as D))).toBe('DECIMAL(6,3)')
  expect(typeName(decimalProduct(decimal(38, 10) as D, decimal(38, 10) as D))).toBe('DECIMAL(38,6)')
  expect(typeName(decimalSum(decimal(38, 2) as D, decimal(38, 2) as D))).toBe('DECIMAL(38,2)')
  expect(integerResult(types.smallint, types.smallint)).toEqual(types.int)
  expect(integerResult(types.smallint, types.bigint)).toEqual(types.bigint)
})

test.each<[string, string | undefined, number | bigint | undefined]>([
  ['42', 'BIGINT', 42],
  ['1_000', 'BIGINT', 1000],
  ['0xFF', 'BIGINT', 255],
  ['9223372036854775807', 'BIGINT', 9223372036854775807n],
  ['9223372036854775808', 'DECIMAL(38,0)', 9223372036854775808n],
  ['1.50', 'DECIMAL(3,2)', 150],
  ['0.908', 'DECIMAL(3,3)', 908],
  ['.5', 'DECIMAL(1,1)', 5],
  ['1e3', 'DOUBLE', 1000],
  ['100000000000000000000000000000000000000', undefined, undefined],
])('the literal %s is %s', (text, type, value) => {
  const found = numberLiteral(text)
  expect(found && typeName(found.type)).toBe(type)
  expect(found?.value).toBe(value)
})
