import { didYouMean, nearestNames } from '../../core/suggest.ts'
import { array, type DataType, decimal, type Field, field, map, struct, types } from '../../core/types.ts'
import type { TypeNode } from '../ast.ts'
import type { Cursor } from './cursor.ts'

const plainTypes: Readonly<Record<string, DataType>> = {
  BOOLEAN: types.boolean,
  BOOL: types.boolean,
  SMALLINT: types.smallint,
  INT2: types.smallint,
  INT: types.int,
  INTEGER: types.int,
  INT4: types.int,
  BIGINT: types.bigint,
  LONG: types.bigint,
  INT8: types.bigint,
  DOUBLE: types.double,
  FLOAT: types.double,
  FLOAT8: types.double,
  STRING: types.string,
  TEXT: types.string,
  VARCHAR: types.string,
  CHAR: types.string,
  BYTES: types.bytes,
  BYTEA: types.bytes,
  VARBINARY: types.bytes,
  DATE: types.date,
  TIMESTAMP: types.timestamp,
  DATETIME: types.timestamp,
  TIMESTAMPTZ: types.timestamptz,
  TIMESTAMP_LTZ: types.timestamptz,
  INTERVAL: types.interval,
  JSON: types.json,
  JSONB: types.json,
  VARIANT: types.json,
}

const laterTypes: ReadonlySet<string> = new Set(['TIME', 'REAL', 'FLOAT4', 'UINT256'])
const compoundTypes = ['DECIMAL', 'NUMERIC', 'ARRAY', 'MAP', 'STRUCT', 'ROW'] as const

export function typeNode(cursor: Cursor): TypeNode {
  const start = cursor.start
  let type = cursor.nested(() => baseType(cursor))
  while (cursor.isSymbol('[') && cursor.isSymbol(']', 1)) {
    cursor.expectSymbol('[')
    cursor.expectSymbol(']')
    type = array(type)
  }
  return { kind: 'type', type, span: cursor.spanFrom(start) }
}

function baseType(cursor: Cursor): DataType {
  const token = cursor.token
  if (token.kind !== 'word') cursor.fail(['a type'])
  switch (token.upper) {
    case 'DECIMAL':
    case 'NUMERIC':
      return decimalType(cursor)
    case 'ARRAY':
      return arrayType(cursor)
    case 'MAP':
      return mapType(cursor)
    case 'STRUCT':
    case 'ROW':
      return structType(cursor)
  }
  const plain = Object.hasOwn(plainTypes, token.upper) ? plainTypes[token.upper] : undefined
  if (plain === undefined) return unknownType(cursor)
  cursor.next()
  return withSuffix(cursor, token.upper, plain)
}

function withSuffix(cursor: Cursor, word: string, plain: DataType): DataType {
  if (word === 'DOUBLE') cursor.acceptWord('PRECISION')
  if (word === 'TIMESTAMP' || word === 'DATETIME' || plain.kind === 'timestamptz') digits(cursor)
  if (word === 'TIMESTAMP' && cursor.acceptWord('WITH', 'TIME', 'ZONE')) return types.timestamptz
  if (word === 'TIMESTAMP' && cursor.acceptWord('WITH', 'LOCAL', 'TIME', 'ZONE')) return types.timestamptz
  if (word === 'TIMESTAMP') cursor.acceptWord('WITHOUT', 'TIME', 'ZONE')
  if (plain.kind === 'string' && cursor.isSymbol('(')) return { kind: 'string', length: digits(cursor)! }
  if (plain.kind === 'bytes') digits(cursor)
  return plain
}

function unknownType(cursor: Cursor): never {
  const token = cursor.token
  if (laterTypes.has(token.upper)) cursor.unsupported(`the type ${token.upper}`, token.span)
  const known = [...Object.keys(plainTypes), ...compoundTypes]
  const near = nearestNames(token.text, known)
  return cursor.raise('sql_unexpected_token', `"${token.text}" is not a type`, token.span, {
    hint: didYouMean(token.text, known) ?? 'types are BOOLEAN, INT, BIGINT, DOUBLE, DECIMAL, STRING, TIMESTAMP, JSON …',
    suggestions: near.map((name) => ({ replace: token.text, with: name })),
  })
}

/** `(n)`, if it follows. */
function digits(cursor: Cursor): number | undefined {
  if (!cursor.acceptSymbol('(')) return undefined
  const value = wholeNumber(cursor)
  cursor.expectSymbol(')')
  return value
}

function wholeNumber(cursor: Cursor): number {
  const token = cursor.token
  if (token.kind !== 'number' || !/^\d{1,9}$/.test(token.text)) cursor.fail(['a whole number'])
  cursor.next()
  return Number(token.text)
}

function decimalType(cursor: Cursor): DataType {
  const start = cursor.start
  cursor.next()
  if (!cursor.acceptSymbol('(')) return decimal(38, 9)
  const precision = wholeNumber(cursor)
  const scale = cursor.acceptSymbol(',') ? wholeNumber(cursor) : 0
  cursor.expectSymbol(')')
  if (precision < 1 || precision > 38 || scale > precision) {
    cursor.raise('sql_invalid_literal', `DECIMAL(${precision},${scale}) is no valid type`, cursor.spanFrom(start), {
      hint: 'the precision is 1 to 38, the scale 0 to the precision',
    })
  }
  return decimal(precision, scale)
}

function arrayType(cursor: Cursor): DataType {
  cursor.next()
  cursor.expectSymbol('<')
  const element = typeNode(cursor).type
  cursor.expectSymbol('>')
  return array(element)
}

function mapType(cursor: Cursor): DataType {
  cursor.next()
  cursor.expectSymbol('<')
  const key = typeNode(cursor).type
  cursor.expectSymbol(',')
  const value = typeNode(cursor).type
  cursor.expectSymbol('>')
  return map(key, value)
}

function structType(cursor: Cursor): DataType {
  cursor.next()
  const close = cursor.acceptSymbol('(') ? ')' : '>'
  if (close === '>') cursor.expectSymbol('<')
  const fields = cursor.list((): Field => {
    const name = cursor.name('field name')
    cursor.acceptSymbol(':')
    const type = typeNode(cursor).type
    const required = cursor.acceptWord('NOT', 'NULL')
    return field(name.text, type, !required)
  })
  cursor.expectSymbol(close)
  return struct(fields)
}
