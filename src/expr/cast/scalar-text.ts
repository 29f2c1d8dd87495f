import { type DataType, typeName } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import { checkPrecision } from '../exact.ts'
import { RowFailure } from '../functions.ts'
import { validJson } from '../json/json-text.ts'
import { parseDouble, parseScaled } from '../number-text.ts'
import { parseInterval } from '../time/interval-text.ts'
import { parseDate, parseTimestamp } from '../time/time-text.ts'
import { cutText } from './cut-text.ts'
import { integerCheck } from './numbers.ts'

/** The value of a text in type `to`; undefined when the text is none. */
type Reader = (text: string) => Value | undefined

/** The cast from text to a type that is not nested. */
export function scalarOfText(to: DataType): (value: Value) => Value {
  const read = readerOf(to)
  return (value) => read(value as string) ?? notA(value as string, to)
}

/** The failure of a text that has no value in type `to`. */
export function notA(text: string, to: DataType): never {
  throw new RowFailure('row_invalid_cast', `${JSON.stringify(cutText(text, 60))} is not a ${typeName(to)}`)
}

function readerOf(to: DataType): Reader {
  switch (to.kind) {
    case 'boolean':
      return readBoolean
    case 'smallint':
    case 'int':
    case 'bigint':
      return integerReader(to)
    case 'decimal':
      return (text) => {
        const value = parseScaled(text, to.scale)
        return value === undefined ? undefined : checkPrecision(value, to.precision)
      }
    case 'double':
      return parseDouble
    case 'date':
      return parseDate
    case 'timestamp':
    case 'timestamptz':
      return parseTimestamp
    case 'interval':
      return parseInterval
    case 'bytes':
      return readBytes
    case 'json':
      return (text) => (validJson(text) ? text : undefined)
    case 'string': {
      const { length } = to
      return length === undefined ? (text) => text : (text) => cutText(text, length)
    }
    case 'null':
    case 'array':
    case 'map':
    case 'struct':
      return () => undefined
  }
}

const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1'])
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0'])

function readBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined
}

const INTEGER = /^[+-]?\d+$/

function integerReader(to: DataType): Reader {
  const fits = integerCheck(to)
  return (text) => {
    const trimmed = text.trim()
    if (!INTEGER.test(trimmed)) return undefined
    if (trimmed.length < 16) return fits(Number(trimmed) + 0)
    return fits(parseScaled(trimmed, 0) as ExactInteger)
  }
}

/** `\x` and hex digits, else the UTF-8 bytes of the text. */
function readBytes(text: string): Uint8Array | undefined {
  if (!text.startsWith('\\x')) return new TextEncoder().encode(text)
  const hex = text.slice(2)
  return hex.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(hex) ? new Uint8Array(Buffer.from(hex, 'hex')) : undefined
}
