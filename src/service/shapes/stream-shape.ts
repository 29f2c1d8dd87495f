import { Type } from 'typebox'
import { STREAM_STATUSES, type Stream } from '../../datastreams/stream.ts'
import type { StreamInput } from '../../datastreams/stream-fields.ts'
import { isoTime } from './time-text.ts'

const text = (description: string, more: object = {}) => Type.String({ description, ...more })
const optionalMap = (description: string) =>
  Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], { description }))
const optional = (schema: object) => Type.Optional(Type.Union([schema as ReturnType<typeof Type.String>, Type.Null()]))

const retention = Type.Object(
  {
    max_age: optional(
      Type.Union([Type.Integer({ minimum: 1 }), Type.String()], { description: 'milliseconds, or a duration as 7d' }),
    ),
    max_frames: optional(Type.Union([Type.Integer({ minimum: 1 }), Type.String()])),
    max_bytes: optional(Type.Union([Type.Integer({ minimum: 1 }), Type.String()])),
  },
  { description: 'how long frames are kept' },
)

/** The fields of a stream that a caller writes (streams-service.md §1.1), as a body has them. */
const writable = {
  description: optional(text('at most 2,000 characters')),
  frequency: optional(text('100ms, 1s, 5m, 1h, 1d, 10hz or an ISO-8601 duration')),
  sla_ms: optional(Type.Number({ description: 'milliseconds until a frame is late; 0: never' })),
  status: optional(text('inactive, active or paused')),
  metadata: optionalMap('texts by name'),
  sequence_mode: optional(text('any or dense')),
  observed_path: optional(text('JSON pointer to the observation time in payloads')),
  on_paused: optional(text('reject or buffer')),
  auto_activate: optional(Type.Boolean()),
  retention: optional(retention),
}

export const streamBody = Type.Object(
  {
    account_id: Type.Optional(text('the account; needed where nothing else names it')),
    name: text('at most 200 characters', { minLength: 1 }),
    symbol: text('at most 100 characters; upper-cased', { minLength: 1 }),
    ...writable,
  },
  { examples: [{ name: 'Market Data Feed', symbol: 'eth-usd', frequency: '1s', sla_ms: 1000, status: 'active' }] },
)

export const streamPatch = Type.Object(
  { name: Type.Optional(text('at most 200 characters')), symbol: Type.Optional(text('upper-cased')), ...writable },
  { examples: [{ status: 'paused', metadata: { region: null } }] },
)

export const streamAnswer = Type.Object({
  id: Type.String({ format: 'uuid' }),
  account_id: Type.String(),
  name: Type.String(),
  symbol: Type.String(),
  description: Type.String(),
  frequency: Type.String(),
  frequency_ms: Type.Union([Type.Number(), Type.Null()]),
  sla_ms: Type.Integer({ minimum: 0 }),
  status: Type.Enum([...STREAM_STATUSES]),
  metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
  sequence_mode: Type.Enum(['any', 'dense']),
  observed_path: Type.Union([Type.String(), Type.Null()]),
  on_paused: Type.Enum(['reject', 'buffer']),
  auto_activate: Type.Boolean(),
  retention: Type.Object({
    max_age: Type.Optional(Type.Integer()),
    max_frames: Type.Optional(Type.Integer()),
    max_bytes: Type.Optional(Type.Integer()),
  }),
  content_type: Type.String(),
  created_at: Type.String({ format: 'date-time' }),
  updated_at: Type.String({ format: 'date-time' }),
  version: Type.Integer({ minimum: 1 }),
})

/** A body as the domain takes it; members that nobody writes are left out. */
export function streamInput(body: Readonly<Record<string, unknown>>): StreamInput {
  const { retention } = body
  return {
    name: body['name'],
    symbol: body['symbol'],
    description: body['description'],
    frequency: body['frequency'],
    slaMs: body['sla_ms'],
    status: body['status'],
    metadata: body['metadata'],
    sequenceMode: body['sequence_mode'],
    observedPath: body['observed_path'],
    onPaused: body['on_paused'],
    autoActivate: body['auto_activate'],
    retention: isObject(retention)
      ? { maxAgeMs: retention['max_age'], maxFrames: retention['max_frames'], maxBytes: retention['max_bytes'] }
      : retention,
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON text of a stream. */
export function streamText(stream: Stream): string {
  const { metadata, retention } = stream
  return JSON.stringify({
    id: stream.id,
    account_id: stream.accountId,
    name: stream.name,
    symbol: stream.symbol,
    description: stream.description,
    frequency: stream.frequency,
    frequency_ms: stream.frequencyMs,
    sla_ms: stream.slaMs,
    status: stream.status,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    sequence_mode: stream.sequenceMode,
    observed_path: stream.observedPath,
    on_paused: stream.onPaused,
    auto_activate: stream.autoActivate,
    retention: { max_age: retention.maxAgeMs, max_frames: retention.maxFrames, max_bytes: retention.maxBytes },
    content_type: stream.contentType,
    created_at: isoTime(stream.createdAt),
    updated_at: isoTime(stream.updatedAt),
    version: stream.version,
  })
}

/** The ETag is the version: it grows with every change. */
export const streamTag = (stream: Stream): string => `"${stream.version}"`
