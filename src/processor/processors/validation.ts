import { isUtf8 } from 'node:buffer'
import { type DataType, type Schema, typeName } from '../../core/types.ts'
import { ProcessingDecision, SkipReason } from '../decision.ts'
import type { Message } from '../message.ts'
import type { Processor } from '../processor.ts'
import { bytes, refuseUnknown } from '../settings.ts'

export interface ValidationOptions {
  /** Bytes, or a text such as `64KiB`. */
  readonly maxBytes?: number | string | undefined
  /** The payload must be UTF-8. */
  readonly utf8?: boolean | undefined
  /** The payload must have a byte. */
  readonly nonEmpty?: boolean | undefined
  /** The payload must be a JSON object with these fields; others may be there. */
  readonly schema?: Schema | undefined
}

/** Messages whose payload breaks a rule are `Invalid`; the reason begins with the name of the first rule. */
export class ValidationProcessor implements Processor {
  readonly #options: ValidationOptions
  readonly #maxBytes: number

  constructor(options: ValidationOptions = {}) {
    refuseUnknown('a validation', options, { maxBytes: true, utf8: true, nonEmpty: true, schema: true })
    const { maxBytes = Number.POSITIVE_INFINITY } = options
    this.#maxBytes = bytes('maxBytes', maxBytes)
    this.#options = options
  }

  process({ payload }: Message): ProcessingDecision {
    const { utf8, nonEmpty, schema } = this.#options
    const maxBytes = this.#maxBytes
    if (nonEmpty === true && payload.length === 0) return broken('nonEmpty: the payload is empty')
    if (payload.length > maxBytes) {
      return broken(`maxBytes: the payload has ${payload.length} bytes, at most ${maxBytes}`)
    }
    if (utf8 === true && !isUtf8(payload)) return broken('utf8: the payload is not UTF-8')
    const fault = schema === undefined ? undefined : schemaFault(payload, schema)
    return fault === undefined ? ProcessingDecision.process : broken(`schema: ${fault}`)
  }
}

const broken = (reason: string): ProcessingDecision => ProcessingDecision.skip(SkipReason.invalid(reason))

function schemaFault(payload: Uint8Array, { fields }: Schema): string | undefined {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(payload).toString())
  } catch {
    return 'the payload is not JSON'
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return 'the payload is not a JSON object'
  for (const { name, type, nullable } of fields) {
    const value = (json as Record<string, unknown>)[name]
    if (value === undefined || value === null) {
      if (nullable) continue
      return `field "${name}" is missing`
    }
    if (!fits(value, type)) return `field "${name}" is not ${typeName(type)}`
  }
  return undefined
}

/** Whether JSON of that form is read as the type. */
function fits(value: unknown, type: DataType): boolean {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'smallint':
      return isWithin(value, 32_768)
    case 'int':
      return isWithin(value, 2_147_483_648)
    case 'bigint':
      return Number.isInteger(value) || (typeof value === 'string' && /^-?\d{1,19}$/.test(value))
    case 'double':
      return typeof value === 'number'
    case 'decimal':
      return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))
    case 'timestamp':
    case 'timestamptz':
      return Number.isInteger(value) || (typeof value === 'string' && !Number.isNaN(Date.parse(value)))
    case 'date':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value))
    case 'array':
      return Array.isArray(value) && value.every((item) => item === null || fits(item, type.element))
    case 'struct':
    case 'map':
      return typeof value === 'object' && !Array.isArray(value)
    case 'string':
      return typeof value === 'string' && (type.length === undefined || [...value].length <= type.length)
    case 'bytes':
    case 'interval':
      return typeof value === 'string'
    case 'json':
      return true
    case 'null':
      return false
  }
}

const isWithin = (value: unknown, bound: number): boolean =>
  Number.isInteger(value) && (value as number) >= -bound && (value as number) < bound
