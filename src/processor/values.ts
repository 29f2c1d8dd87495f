import { type Clock, systemClock } from '../core/clock.ts'
import { described } from '../core/option-names.ts'
import { freshSeed } from '../core/random.ts'
import { ValidationError } from './errors.ts'

declare const brand: unique symbol

/** Name of one message: printable ASCII, 1 to 256 bytes, trimmed. */
export type MessageId = string & { readonly [brand]: 'MessageId' }

const ID_BYTES_MAX = 256
const PRINTABLE = /^[\x20-\x7e]*$/

/** Ids that nobody chose: a start that no other process shares, and a count. */
let drawn: { readonly nanos: bigint; readonly startedMs: number } | undefined
let generated = 0

export const MessageId = {
  /** Throws `ValidationError`: empty, too long, format, in this order. */
  of(text: string): MessageId {
    if (typeof text !== 'string') throw noText('message id', text)
    const id = text.trim()
    if (id.length === 0) throw new ValidationError('EmptyValue', { field: 'message id' })
    if (id.length > ID_BYTES_MAX || !PRINTABLE.test(id)) refuseId(id)
    return id as MessageId
  },
  /** That of the text, or `msg-<unix nanoseconds>-<counter>` where the text is missing or no id. */
  newOrGenerate(text?: string | undefined, clock: Clock = systemClock): MessageId {
    const id = typeof text === 'string' ? text.trim() : ''
    return id.length > 0 && id.length <= ID_BYTES_MAX && PRINTABLE.test(id) ? (id as MessageId) : generateId(clock)
  },
} as const

const noText = (field: string, given: unknown): ValidationError =>
  new ValidationError('InvalidFormat', { field, reason: `it must be a text, not ${described(given)}` })

function refuseId(id: string): never {
  const bytes = Buffer.byteLength(id)
  if (bytes > ID_BYTES_MAX) {
    throw new ValidationError('TooLong', { field: 'message id', maxLength: ID_BYTES_MAX, actualLength: bytes })
  }
  throw new ValidationError('InvalidFormat', { field: 'message id', reason: 'only printable ASCII is allowed' })
}

function generateId(clock: Clock): MessageId {
  // The clock counts milliseconds at best: below them the start draws what keeps two processes apart.
  drawn ??= { nanos: BigInt(freshSeed() % 1_000_000), startedMs: freshSeed() }
  generated++
  const nanos = BigInt(Math.floor(clock.nowMicros())) * 1000n + drawn.nanos
  return `msg-${nanos}-${drawn.startedMs * 1_000_000 + generated}` as MessageId
}

/** Where messages come from: letters and digits of any script, `-` `_` `.` `/`; 1 to 128 bytes, trimmed. */
export type SourceName = string & { readonly [brand]: 'SourceName' }

const SOURCE_BYTES_MAX = 128
const ASCII_NAME = /^[\w.\-/]+$/
const NAME = /^[\p{L}\p{N}_.\-/]+$/u

export const SourceName = {
  /** Throws `ValidationError`: empty, too long, format, in this order. */
  of(text: string): SourceName {
    if (typeof text !== 'string') throw noText('source name', text)
    const name = text.trim()
    if (name.length === 0) throw new ValidationError('EmptyValue', { field: 'source name' })
    if (name.length <= SOURCE_BYTES_MAX && ASCII_NAME.test(name)) return name as SourceName
    const bytes = Buffer.byteLength(name)
    if (bytes > SOURCE_BYTES_MAX) {
      throw new ValidationError('TooLong', { field: 'source name', maxLength: SOURCE_BYTES_MAX, actualLength: bytes })
    }
    if (NAME.test(name)) return name as SourceName
    const reason = 'only letters, digits, "-", "_", "." and "/" are allowed'
    throw new ValidationError('InvalidFormat', { field: 'source name', reason })
  },
} as const

/** Microseconds since 1970-01-01T00:00:00Z. */
export type Timestamp = bigint & { readonly [brand]: 'Timestamp' }

/** How far ahead of the clock a timestamp may lie. */
const AHEAD_MICROS = 1_000_000n
/** What a Date can hold: ± 100 million days. */
const DATE_MS_MAX = 8.64e15

export const Timestamp = {
  /** A Date, milliseconds, microseconds as bigint, or ISO 8601 text. Throws `ValidationError` `InvalidTimestamp`. */
  of(
    time: Date | number | bigint | string,
    { clock = systemClock }: { readonly clock?: Clock | undefined } = {},
  ): Timestamp {
    const micros = microsOf(time)
    if (micros > BigInt(Math.floor(clock.nowMicros())) + AHEAD_MICROS) {
      throw new ValidationError('InvalidTimestamp', {
        field: 'timestamp',
        reason: `${isoOf(micros)} lies more than 1 s ahead of the clock`,
      })
    }
    return micros as Timestamp
  },
  now: (clock: Clock = systemClock): Timestamp => BigInt(Math.floor(clock.nowMicros())) as Timestamp,
  toDate: (timestamp: Timestamp): Date => new Date(Number(timestamp / 1000n)),
} as const

const isoOf = (micros: bigint): string => {
  const ms = Number(micros / 1000n)
  return Math.abs(ms) <= DATE_MS_MAX ? new Date(ms).toISOString() : `${micros} µs`
}

/** A timestamp is a signed 64-bit number. */
const MICROS_MAX = 2n ** 63n - 1n

const outOfRange = (value: number | bigint, max: number | bigint): ValidationError =>
  new ValidationError('OutOfRange', { field: 'timestamp', value, min: -max, max })

function microsOf(time: Date | number | bigint | string): bigint {
  if (typeof time === 'bigint') {
    if (time > MICROS_MAX || time < -MICROS_MAX) throw outOfRange(time, MICROS_MAX)
    return time
  }
  if (typeof time === 'string') return microsOfText(time)
  if (typeof time !== 'number' && !(time instanceof Date)) {
    throw new ValidationError('InvalidTimestamp', { field: 'timestamp', reason: `${described(time)} is no time` })
  }
  const ms = typeof time === 'number' ? time : time.getTime()
  if (Number.isFinite(ms) && Math.abs(ms) > DATE_MS_MAX) throw outOfRange(ms, DATE_MS_MAX)
  if (!Number.isFinite(ms)) {
    throw new ValidationError('InvalidTimestamp', { field: 'timestamp', reason: `${String(time)} is no time` })
  }
  // A millisecond count may have a fraction: microseconds are kept.
  return BigInt(Math.trunc(ms)) * 1000n + BigInt(Math.round((ms % 1) * 1000))
}

const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.(\d+))?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i

function microsOfText(text: string): bigint {
  const trimmed = text.trim()
  const match = ISO.exec(trimmed)
  // A text without a zone is UTC, with or without a time of day.
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(trimmed.slice(10)) || trimmed.length <= 10
  const ms = match === null ? Number.NaN : Date.parse(zoned ? trimmed : `${trimmed}Z`)
  if (Number.isNaN(ms)) {
    throw new ValidationError('InvalidTimestamp', { field: 'timestamp', reason: `"${text}" is not ISO 8601` })
  }
  const below = (match?.[1] ?? '').padEnd(6, '0').slice(3, 6)
  return BigInt(ms) * 1000n + BigInt(below)
}
