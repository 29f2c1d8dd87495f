import { ValidationError } from './errors.ts'
import { choiceField, cutField, Faults, metadataField } from './field-checks.ts'
import { FRAME_STATUSES, type FrameFields, SEQUENCE_MAX } from './frame.ts'

/** A frame as a caller gives it: nothing of its types is known. */
export interface FrameInput {
  /** A bigint, a safe whole number, or its decimal text. */
  readonly sequence?: unknown
  /** An object, or the JSON text of one (`payloadText`): then its numbers stay as they are written. */
  readonly payload?: unknown
  readonly payloadText?: string | undefined
  readonly latencyMs?: unknown
  readonly status?: unknown
  readonly metadata?: unknown
  /** A date, milliseconds since 1970, or RFC 3339. */
  readonly observedAt?: unknown
  readonly traceparent?: string | undefined
}

/**
 * Checked and normalised fields of a frame (streams-service.md §1.2).
 *
 * @throws ValidationError with all fields that are not valid.
 */
export function frameFields(input: FrameInput): FrameFields {
  const faults = new Faults()
  const fields: FrameFields = {
    sequence: sequenceField(faults, input.sequence),
    payload: payloadField(faults, input),
    latencyMs: input.latencyMs === undefined ? undefined : cutField(faults, 'latency_ms', input.latencyMs),
    status: choiceField(faults, 'status', input.status, {
      choices: FRAME_STATUSES,
      fallback: 'ok',
      aliases: { delivered: 'ok' },
    }),
    metadata: metadataField(faults, 'metadata', input.metadata),
    observedAt: timeField(faults, 'observed_at', input.observedAt),
    traceparent: input.traceparent,
  }
  if (faults.list.length > 0) throw new ValidationError(faults.list)
  return fields
}

function sequenceField(faults: Faults, value: unknown): bigint | undefined {
  if (value === undefined || value === null) return undefined
  const sequence = wholeOf(value)
  if (sequence === undefined) faults.field('sequence', 'type', 'must be a whole number')
  else if (sequence <= 0n) faults.sentence('sequence', 'range', 'sequence must be positive')
  else if (sequence > SEQUENCE_MAX) faults.field('sequence', 'range', `is over ${SEQUENCE_MAX}`)
  else return sequence
  return undefined
}

function wholeOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  // Longer than any 64-bit number: not worth reading.
  if (typeof value === 'string' && value.length <= 20 && /^-?\d+$/.test(value.trim())) return BigInt(value.trim())
  return undefined
}

function payloadField(faults: Faults, { payload, payloadText }: FrameInput): string {
  if (payloadText !== undefined) {
    if (payloadText.startsWith('{')) return payloadText
  } else {
    if (payload === undefined) return '{}'
    if (isPlainObject(payload)) return JSON.stringify(payload)
  }
  faults.sentence('payload', 'type', 'payload must be an object')
  return '{}'
}

const isPlainObject = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/
/** The years that RFC 3339 can write: 0000 to 9999. */
const TIME_MIN = -62_167_219_200_000
const TIME_MAX = 253_402_300_799_999

/** Milliseconds since 1970; undefined when it is absent or not valid, which is noted. */
export function timeField(faults: Faults, name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const ms = timeOf(value)
  if (ms === undefined) faults.field(name, 'format', 'must be an RFC 3339 time or milliseconds since 1970')
  return ms
}

/** Undefined: it is no time. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value === 'string') return RFC3339.test(value) ? finite(Date.parse(value)) : undefined
  if (value instanceof Date) return finite(value.getTime())
  if (typeof value === 'bigint') return finite(Number(value))
  return typeof value === 'number' ? finite(value) : undefined
}

const finite = (ms: number): number | undefined => (ms >= TIME_MIN && ms <= TIME_MAX ? Math.trunc(ms) : undefined)
