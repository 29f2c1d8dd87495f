import { isUtf8 } from 'node:buffer'
import type { WorkerMemory } from '../core/memory.ts'
import { type DataType, typeName } from '../core/types.ts'
import type { ExactInteger } from '../core/values.ts'
import { doubleOfText, int64Of, isNumberText, scaledInteger } from './exact-number.ts'
import { microsOf, parseDateText, parseIsoText } from './iso-twin.ts'
import { bytesOf, fitsLength, jsonToValue } from './json-value.ts'
import type { Leaf } from './leaf.ts'

/** Characters of a value that a message shows. */
const SHOWN = 100

/** What was wrong with a value, for a reject. */
export interface Misfit {
  readonly code: 'connector_record_invalid' | 'connector_record_too_large' | 'row_not_null_violated'
  readonly detail: string
}

/**
 * Stores the JSON value that is `[start, end)` of the memory as row `row`; the twin of the value steps in
 * asm/json-scan.ts. Its syntax is checked here, in full.
 */
export function storeJson(
  leaf: Leaf,
  row: number,
  memory: WorkerMemory,
  start: number,
  end: number,
): Misfit | undefined {
  if (isNullText(memory.bytes, start, end)) {
    if (leaf.spec.required) return nullMisfit(leaf)
    leaf.setNull(row)
    return undefined
  }
  const fits =
    leaf.spec.type.kind === 'string'
      ? storeString(leaf, row, memory, start, end)
      : isUtf8(memory.bytes.subarray(start, end)) && storeText(leaf, row, memory.text.utf8Slice(start, end), start)
  return fits ? undefined : misfit(leaf, memory, start, end)
}

export const nullMisfit = (leaf: Leaf): Misfit => ({
  code: 'row_not_null_violated',
  detail: `column ${JSON.stringify(leaf.spec.name)} is NULL`,
})

function misfit(leaf: Leaf, memory: WorkerMemory, start: number, end: number): Misfit {
  const text = memory.text.utf8Slice(start, end)
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
  const type = typeName(leaf.spec.type)
  const article = /^[AEIOU]/.test(type) ? 'an' : 'a'
  return {
    code: 'connector_record_invalid',
    detail: `column ${JSON.stringify(leaf.spec.name)}: ${shown} is not ${article} ${type}`,
  }
}

function isNullText(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start === 4 &&
    bytes[start] === 0x6e &&
    bytes[start + 1] === 0x75 &&
    bytes[start + 2] === 0x6c &&
    bytes[start + 3] === 0x6c
  )
}

/** A JSON string without escapes stays where it is; any other is unescaped. */
function storeString(leaf: Leaf, row: number, memory: WorkerMemory, start: number, end: number): boolean {
  const { bytes } = memory
  const { type } = leaf.spec
  const limit = type.kind === 'string' ? type.length : undefined
  if (limit === undefined && isPlainString(bytes, start, end)) {
    leaf.setSpan(row, start + 1, end - start - 2)
    return true
  }
  const view = bytes.subarray(start, end)
  if (!isUtf8(view)) return false
  if (bytes[start] !== 0x22) {
    if (!leaf.spec.mixed) return false
    const text = memory.text.utf8Slice(start, end)
    if (!isJsonText(text) || !fitsLength(text, limit)) return false
    leaf.setText(row, text)
    return true
  }
  const text = parsedString(memory.text.utf8Slice(start, end))
  if (text === undefined || !fitsLength(text, limit)) return false
  if (view.includes(0x5c)) leaf.setText(row, text)
  else leaf.setSpan(row, start + 1, end - start - 2)
  return true
}

/** A JSON string of printable ASCII without escapes. */
function isPlainString(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2 || bytes[start] !== 0x22 || bytes[end - 1] !== 0x22) return false
  for (let p = start + 1; p < end - 1; p++) {
    const c = bytes[p]!
    if (c < 32 || c > 126 || c === 0x22 || c === 0x5c) return false
  }
  return true
}

function storeText(leaf: Leaf, row: number, text: string, start: number): boolean {
  const { type } = leaf.spec
  switch (type.kind) {
    case 'boolean':
      if (text !== 'true' && text !== 'false') return false
      leaf.setBoolean(row, text === 'true')
      return true
    case 'json':
      if (!isJsonText(text)) return false
      leaf.setSpan(row, start, Buffer.byteLength(text))
      return true
    case 'interval':
    case 'array':
    case 'map':
    case 'null':
    case 'struct':
      return storeBoxed(leaf, row, text)
    default:
      return storeScalar(leaf, row, text)
  }
}

/** Values that JSON writes as a number or as a string. */
function storeScalar(leaf: Leaf, row: number, text: string): boolean {
  if (isNumberText(text)) return storeNumber(leaf, row, text)
  const content = parsedString(text)
  if (content === undefined) return false
  switch (leaf.spec.type.kind) {
    case 'date': {
      const days = parseDateText(content)
      if (days !== undefined) leaf.setInt(row, days)
      return days !== undefined
    }
    case 'bytes': {
      const bytes = bytesOf(content)
      if (bytes !== undefined) leaf.setBytes(row, bytes)
      return bytes !== undefined
    }
    case 'timestamp':
    case 'timestamptz': {
      const micros = parseIsoText(content)
      if (micros !== undefined) leaf.setExact(row, micros)
      return micros !== undefined || storeNumber(leaf, row, content)
    }
    default:
      return storeNumber(leaf, row, content)
  }
}

/** A number, bare or out of a string. */
export function storeNumber(leaf: Leaf, row: number, text: string): boolean {
  const { type } = leaf.spec
  switch (type.kind) {
    case 'double': {
      const value = doubleOfText(text)
      if (value !== undefined) leaf.setDouble(row, value)
      return value !== undefined
    }
    case 'smallint':
    case 'int': {
      const value = int64Of(text)
      if (typeof value !== 'number' || value > leaf.parameter || value < -leaf.parameter - 1) return false
      leaf.setInt(row, value)
      return true
    }
    case 'bigint':
      return storeExact(leaf, row, int64Of(text))
    case 'decimal':
      return storeExact(leaf, row, scaledInteger(text, type.scale, type.precision))
    case 'timestamp':
    case 'timestamptz': {
      const integer = int64Of(text)
      return integer !== undefined && storeExact(leaf, row, microsOf(integer, leaf.spec.timeUnit))
    }
    default:
      return false
  }
}

function storeExact(leaf: Leaf, row: number, value: ExactInteger | undefined): boolean {
  if (value !== undefined) leaf.setExact(row, value)
  return value !== undefined
}

function storeBoxed(leaf: Leaf, row: number, text: string): boolean {
  if (!isJsonText(text)) return false
  const value = jsonToValue(text, leaf.spec.type as DataType)
  if (value === undefined) return false
  leaf.setBoxed(row, value)
  return true
}

function parsedString(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** True for a JSON text that nests at most as deep as the kernel reads. */
export function isJsonText(text: string): boolean {
  if (nesting(text) > 64) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function nesting(text: string): number {
  let depth = 0
  let most = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b || c === 0x5b) most = Math.max(most, ++depth)
    else if (c === 0x7d || c === 0x5d) depth--
  }
  return most
}
