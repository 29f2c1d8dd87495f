import type { DataType } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { doubleOfText, int64Of, scaledInteger } from './exact-number.ts'
import { parseIntervalText } from './interval-text.ts'
import { microsOf, parseDateText, parseIsoText } from './iso-twin.ts'

/** A number of a JSON text, with its spelling. */
class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** JSON.parse gives its reviver the text of each scalar; the compiler's library does not know that yet. */
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source: string }) => unknown,
) => unknown

/** What does not fit its type; never leaves this file. */
const MISFIT: unique symbol = Symbol('misfit')

/** A JSON text as a value of the type, exact; undefined when it does not fit. The text must be valid JSON. */
export function jsonToValue(text: string, type: DataType): Value | undefined {
  const tree = parseWithSource(text, (_key, value, context) =>
    typeof value === 'number' ? new NumberText(context.source) : value,
  )
  const value = convert(tree, type)
  return value === MISFIT ? undefined : value
}

function convert(node: unknown, type: DataType): Value | typeof MISFIT {
  if (type.kind === 'json') return JSON.stringify(plain(node), undefined) ?? MISFIT
  if (node === null) return null
  switch (type.kind) {
    case 'array':
      return Array.isArray(node) ? all(node.map((item) => convert(item, type.element))) : MISFIT
    case 'map':
      return convertMap(node, type)
    case 'struct':
      if (!isObject(node)) return MISFIT
      return all(type.fields.map((f) => convert(Object.hasOwn(node, f.name) ? node[f.name] : null, f.type)))
    case 'boolean':
      return typeof node === 'boolean' ? node : MISFIT
    default:
      if (node instanceof NumberText) return scalarOf(node.text, type, true) ?? MISFIT
      return typeof node === 'string' ? (scalarOf(node, type, false) ?? MISFIT) : MISFIT
  }
}

const isObject = (node: unknown): node is Record<string, unknown> =>
  typeof node === 'object' && node !== null && !Array.isArray(node) && !(node instanceof NumberText)

const all = (values: (Value | typeof MISFIT)[]): Value | typeof MISFIT =>
  values.includes(MISFIT) ? MISFIT : (values as Value[])

function convertMap(node: unknown, type: DataType & { kind: 'map' }): Value | typeof MISFIT {
  if (!isObject(node)) return MISFIT
  const map = new Map<Value, Value>()
  for (const [name, item] of Object.entries(node)) {
    const key =
      type.key.kind === 'boolean'
        ? name === 'true'
          ? true
          : name === 'false'
            ? false
            : undefined
        : scalarOf(name, type.key, false)
    const value = convert(item, type.value)
    if (key === undefined || value === MISFIT) return MISFIT
    map.set(key, value)
  }
  return map
}

/** The tree as JSON.stringify may print it, numbers as they were written. */
function plain(node: unknown): unknown {
  if (node instanceof NumberText) return rawJson(node.text)
  if (Array.isArray(node)) return node.map(plain)
  if (isObject(node)) return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, plain(item)]))
  return node
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON

/** The value of a scalar that stands as text; `isNumber` tells a bare JSON number from a string. */
function scalarOf(text: string, type: DataType, isNumber: boolean): Value | undefined {
  switch (type.kind) {
    case 'double':
      return doubleOfText(text)
    case 'smallint':
    case 'int': {
      const value = int64Of(text)
      const bound = type.kind === 'int' ? 2_147_483_648 : 32_768
      return typeof value === 'number' && value >= -bound && value < bound ? value : undefined
    }
    case 'bigint':
      return int64Of(text)
    case 'decimal':
      return scaledInteger(text, type.scale, type.precision)
    case 'timestamp':
    case 'timestamptz': {
      const integer = int64Of(text)
      return integer === undefined ? (isNumber ? undefined : parseIsoText(text)) : microsOf(integer, 'auto')
    }
    default:
      return isNumber ? undefined : textOf(text, type)
  }
}

function textOf(text: string, type: DataType): Value | undefined {
  switch (type.kind) {
    case 'string':
      return fitsLength(text, type.length) ? text : undefined
    case 'date':
      return parseDateText(text)
    case 'interval':
      return parseIntervalText(text)
    case 'bytes':
      return bytesOf(text)
    default:
      return undefined
  }
}

/** True when the text has at most `length` code points. */
export function fitsLength(text: string, length: number | undefined): boolean {
  if (length === undefined || text.length <= length) return true
  let points = 0
  for (const _ of text) points++
  return points <= length
}

/** Padded standard base64; undefined for anything else. */
export function bytesOf(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
