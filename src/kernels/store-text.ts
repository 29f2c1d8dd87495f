import { isUtf8 } from 'node:buffer'
import { typeName } from '../core/types.ts'
import { parseIntervalText } from './interval-text.ts'
import { parseDateText, parseIsoText } from './iso-twin.ts'
import { bytesOf, fitsLength, jsonToValue } from './json-value.ts'
import type { Leaf } from './leaf.ts'
import { isJsonText, type Misfit, nullMisfit, storeNumber } from './store-json.ts'

const SHOWN = 100
const LENIENT = /^([+-]?)0*(\d*)\.?(\d*)((?:[eE][+-]?\d+)?)$/

/** A field of text: bytes, and their address when they stand in the memory. */
export interface TextField {
  readonly bytes: Uint8Array
  readonly address: number | undefined
}

/** Stores text as the leaf's type: the values of delimited files. NULL is the caller's decision. */
export function storeText(leaf: Leaf, row: number, field: TextField): Misfit | undefined {
  const { type } = leaf.spec
  const valid = isUtf8(field.bytes)
  if (type.kind === 'string') {
    const fits = valid && fitsLength(type.length === undefined ? '' : textOf(field), type.length)
    if (!fits) return misfit(leaf, field)
    if (field.address === undefined) leaf.setBytes(row, field.bytes)
    else leaf.setSpan(row, field.address, field.bytes.length)
    return undefined
  }
  if (!valid || !storeTyped(leaf, row, textOf(field))) return misfit(leaf, field)
  return undefined
}

/** NULL, unless the column is required. */
export function storeNull(leaf: Leaf, row: number): Misfit | undefined {
  if (leaf.spec.required) return nullMisfit(leaf)
  leaf.setNull(row)
  return undefined
}

const textOf = (field: TextField): string =>
  Buffer.from(field.bytes.buffer, field.bytes.byteOffset, field.bytes.length).toString()

function misfit(leaf: Leaf, field: TextField): Misfit {
  const text = textOf(field)
  const shown = JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
  const type = typeName(leaf.spec.type)
  const article = /^[AEIOU]/.test(type) ? 'an' : 'a'
  const detail = `column ${JSON.stringify(leaf.spec.name)}: ${shown} is not ${article} ${type}`
  return { code: 'connector_record_invalid', detail }
}

function storeTyped(leaf: Leaf, row: number, text: string): boolean {
  const { type } = leaf.spec
  switch (type.kind) {
    case 'boolean':
      return storeBoolean(leaf, row, text.toLowerCase())
    case 'date': {
      const days = parseDateText(text)
      if (days !== undefined) leaf.setInt(row, days)
      return days !== undefined
    }
    case 'timestamp':
    case 'timestamptz': {
      const micros = parseIsoText(text)
      if (micros !== undefined) leaf.setExact(row, micros)
      return micros !== undefined || storeNumber(leaf, row, numberText(text))
    }
    case 'bytes': {
      const bytes = bytesOf(text)
      if (bytes !== undefined) leaf.setBytes(row, bytes)
      return bytes !== undefined
    }
    case 'json':
      if (!isJsonText(text)) return false
      leaf.setText(row, text)
      return true
    case 'interval': {
      const interval = parseIntervalText(text)
      if (interval !== undefined) leaf.setBoxed(row, interval)
      return interval !== undefined
    }
    case 'array':
    case 'map': {
      const value = isJsonText(text) ? jsonToValue(text, type) : undefined
      if (value !== undefined) leaf.setBoxed(row, value)
      return value !== undefined
    }
    default:
      return storeNumber(leaf, row, numberText(text))
  }
}

const TRUE: readonly string[] = ['true', 't', 'yes', 'on', '1']
const FALSE: readonly string[] = ['false', 'f', 'no', 'off', '0']

function storeBoolean(leaf: Leaf, row: number, text: string): boolean {
  const yes = TRUE.includes(text)
  if (!yes && !FALSE.includes(text)) return false
  leaf.setBoolean(row, yes)
  return true
}

/** Text files also write `+5`, `007`, `.5` and `5.`: the same number as JSON writes it. */
function numberText(text: string): string {
  const match = LENIENT.exec(text)
  if (match === null || !/\d/.test(text.replace(/[eE].*$/, ''))) return text
  const [, sign, whole, fraction, exponent] = match
  return `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}${exponent}`
}
