import { type Json, type JsonObject, OddNumber, shown } from './json-text.ts'
import { bytesOfHex, numberOfText, U32_MAX, U64_MAX, U256_MAX } from './numbers.ts'

/** A field that does not hold what it must; the reader of the whole value knows what stands before the path. */
export class FieldFault extends Error {
  readonly path: string

  constructor(path: string, fault: string) {
    super(fault)
    this.path = path
  }
}

const fail = (name: string, wanted: string, value: Json | undefined): never => {
  throw new FieldFault(
    name,
    value === undefined ? `is missing; it must be ${wanted}` : `${shown(value)} is not ${wanted}`,
  )
}

/** Runs `read`; a fault inside it gets `path` in front. */
export function within<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof FieldFault) throw new FieldFault(joined(path, error.path), error.message)
    throw error
  }
}

export const joined = (path: string, rest: string): string =>
  rest === '' || rest.startsWith('[') ? `${path}${rest}` : `${path}.${rest}`

export function asObject(value: Json | undefined): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof OddNumber) {
    return fail('', 'an object', value)
  }
  return value as JsonObject
}

export function objectField(object: JsonObject, name: string): JsonObject {
  return within(name, () => asObject(object[name]))
}

export function arrayField(object: JsonObject, name: string): readonly Json[] {
  const value = object[name]
  return Array.isArray(value) ? value : fail(name, 'an array', value)
}

/** 256 bits: `0x` hex, decimal text, or an integer literal of any length. */
export function u256Field(object: JsonObject, name: string): bigint {
  const value = object[name]
  const number = typeof value === 'string' ? numberOfText(value) : integerOf(value)
  if (number === undefined || number < 0n || number > U256_MAX) return fail(name, 'a number below 2^256', value)
  return number
}

export function u64Field(object: JsonObject, name: string): bigint {
  const value = object[name]
  const number = integerOf(value)
  if (number === undefined || number < 0n || number > U64_MAX) {
    return fail(name, 'a 64-bit unsigned integer literal', value)
  }
  return number
}

export function u32Field(object: JsonObject, name: string): number {
  const value = object[name]
  if (typeof value !== 'number' || value < 0 || value > U32_MAX) {
    return fail(name, 'a 32-bit unsigned integer literal', value)
  }
  return value
}

const integerOf = (value: Json | undefined): bigint | undefined =>
  typeof value === 'number' ? BigInt(value) : typeof value === 'bigint' ? value : undefined

/** 32 bytes as lower-case hex. */
export const bytes32Field = (object: JsonObject, name: string): string => fixedField(object, name, 32)
export const bytes8Field = (object: JsonObject, name: string): string => fixedField(object, name, 8)

function fixedField(object: JsonObject, name: string, length: number): string {
  const value = object[name]
  if (typeof value === 'string') {
    if (isHex(value, length)) return value
    const lower = value.toLowerCase()
    if (isHex(lower, length) && !value.startsWith('0X')) return lower
  }
  return fail(name, `${length} bytes as 0x and ${2 * length} hex digits`, value)
}

/** 1 for lower-case hex digits; characters beyond it are none. */
const HEX = new Uint8Array(128)
for (const digit of '0123456789abcdef') HEX[digit.charCodeAt(0)] = 1

/** Added up, not branched on: digits and letters come in no order that could be foretold. */
function isHex(text: string, length: number): boolean {
  const digits = 2 * length
  if (text.length !== digits + 2 || !text.startsWith('0x')) return false
  let found = 0
  for (let i = 2; i < text.length; i++) found += HEX[text.charCodeAt(i)] ?? 0
  return found === digits
}

export function bytesField(object: JsonObject, name: string): Uint8Array {
  const value = object[name]
  const bytes = typeof value === 'string' ? bytesOfHex(value) : undefined
  return bytes ?? fail(name, 'bytes as 0x and hex digits', value)
}

export function textField(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : fail(name, 'a text', value)
}

export function boolField(object: JsonObject, name: string): boolean {
  const value = object[name]
  return typeof value === 'boolean' ? value : fail(name, 'true or false', value)
}
