import { DatastreamError, type DatastreamErrorKind } from './errors.ts'

/** A JSON number that is no integer of at most 80 digits, as it was written. */
export class OddNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What `parseExact` gives: numbers are safe integers, bigints or odd. */
export type Json =
  | null
  | boolean
  | string
  | number
  | bigint
  | OddNumber
  | readonly Json[]
  | { readonly [name: string]: Json }

export type JsonObject = { readonly [name: string]: Json }

/** A number that a double would round, or that is no integer literal, where a value begins; what stands alone is no value of ours. */
const INEXACT = /[:[,]\s*-?\d+(?:\d{15}|[.eE])/

/** JSON without loss: the built-in parser, told the digits of numbers only where a text has some that it would round. */
export function parseExact(text: string, kind: DatastreamErrorKind = 'SerializationError'): Json {
  try {
    if (!INEXACT.test(text)) return JSON.parse(text) as Json
    return JSON.parse(text, exactNumber as (this: unknown, key: string, value: unknown) => unknown) as Json
  } catch (error) {
    throw new DatastreamError(kind, error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function exactNumber(_key: string, value: unknown, { source }: { readonly source: string }): unknown {
  if (typeof value !== 'number') return value
  if (source.length > 80 || !/^-?\d+$/.test(source)) return new OddNumber(source)
  return Number.isSafeInteger(value) ? value : BigInt(source)
}

/** A value as an error message shows it. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing'
  if (value instanceof OddNumber) return value.text.slice(0, 80)
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value)
  return text.length > 82 ? `${text.slice(0, 80)}…` : text
}
