import { type DataType, typeName } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { RowFailure } from '../functions.ts'
import { entriesOfJson, itemsOfJson, type JsonKind, kindOfJson, stringOfJson, textOfJson } from '../json/json-text.ts'
import { parseScaled } from '../number-text.ts'
import { cutText } from './cut-text.ts'
import { scalarOfText } from './scalar-text.ts'
import { timeToTime } from './times.ts'

/**
 * The value of a JSON text in type `to`: JSON null is NULL, numbers are exact, times accept text or a number whose size
 * tells its unit (sql.md §2), a field that is missing is NULL.
 */
export function jsonToValue(to: DataType): (value: Value) => Value {
  const read = reader(to)
  return (value) => {
    const text = (value as string).trim()
    const kind = kindOfJson(text)
    return kind === 'null' ? null : read(text, kind)
  }
}

type Reader = (text: string, kind: JsonKind) => Value

const refuse = (kind: JsonKind, to: DataType): never => {
  throw new RowFailure('row_invalid_cast', `a JSON ${kind} is not a ${typeName(to)}`)
}

function reader(to: DataType): Reader {
  switch (to.kind) {
    case 'string': {
      const { length } = to
      return (text) => cutText(textOfJson(text) ?? '', length ?? Number.POSITIVE_INFINITY)
    }
    case 'json':
      return (text) => text
    case 'array': {
      const item = jsonToValue(to.element)
      return (text, kind) => (kind === 'array' ? itemsOfJson(text).map(item) : refuse(kind, to))
    }
    case 'struct': {
      const fields = to.fields.map((f) => jsonToValue(f.type))
      return (text, kind) => {
        if (kind !== 'object') return refuse(kind, to)
        const entries = entriesOfJson(text)
        return to.fields.map((f, i) => fields[i]!(entries.get(f.name) ?? 'null'))
      }
    }
    case 'map': {
      const key = scalarOfText(to.key)
      const item = jsonToValue(to.value)
      return (text, kind) =>
        kind === 'object' ? new Map([...entriesOfJson(text)].map(([k, v]) => [key(k), item(v)])) : refuse(kind, to)
    }
    default:
      return scalarReader(to)
  }
}

function scalarReader(to: DataType): Reader {
  const fromText = scalarOfText(to)
  const isTimeLike = to.kind === 'timestamp' || to.kind === 'timestamptz' || to.kind === 'date'
  return (text, kind) => {
    if (kind === 'string') {
      const inner = stringOfJson(text)
      return to.kind === 'bytes' ? new Uint8Array(Buffer.from(inner, 'base64')) : fromText(inner)
    }
    if (kind === 'number' && isTimeLike) return timeOfNumber(text, to)
    if (kind === 'number' || kind === 'boolean') return fromText(kind === 'boolean' ? booleanText(text, to) : text)
    return refuse(kind, to)
  }
}

const booleanText = (text: string, to: DataType): string => (to.kind === 'boolean' ? text : text === 'true' ? '1' : '0')

/** Seconds below 10¹¹, milliseconds below 10¹⁴, microseconds below 10¹⁷, else nanoseconds. */
function timeOfNumber(text: string, to: DataType): Value {
  const magnitude = Math.abs(Number(text))
  const digits = magnitude < 1e11 ? 6 : magnitude < 1e14 ? 3 : magnitude < 1e17 ? 0 : -3
  const micros = parseScaled(`${text}${/e/i.test(text) ? '' : `e${digits}`}`, 0)
  if (micros === undefined) return refuse('number', to)
  return timeToTime({ kind: 'timestamp' }, to)(micros)
}
