import { Type } from 'typebox'
import { parseJsonObject } from '../../core/json-members.ts'
import { FRAME_STATUSES, type Frame, SEQUENCE_MAX } from '../../datastreams/frame.ts'
import type { FrameInput } from '../../datastreams/frame-fields.ts'
import { refusal, tooLargeFrame } from '../http/problem.ts'
import { isoTime } from './time-text.ts'

const whole = (description: string) =>
  Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: '^[0-9]+$' }), Type.Null()], { description })

export const frameBody = Type.Object(
  {
    sequence: Type.Optional(whole(`1 … ${SEQUENCE_MAX}, exact, also as text; given by the service when absent`)),
    payload: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'its numbers keep their digits' }),
    ),
    latency_ms: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    status: Type.Optional(Type.Union([Type.String({ description: 'ok, late or error' }), Type.Null()])),
    metadata: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
    observed_at: Type.Optional(
      Type.Union([Type.String({ format: 'date-time' }), Type.Number(), Type.Null()], {
        description: 'RFC 3339, or milliseconds since 1970',
      }),
    ),
  },
  { examples: [{ sequence: 7, latency_ms: 45, payload: { price: 1850.5 } }] },
)

export const frameAnswer = Type.Object({
  id: Type.String({ format: 'uuid' }),
  account_id: Type.String(),
  stream_id: Type.String({ format: 'uuid' }),
  sequence: Type.Integer({ minimum: 1 }),
  sequence_str: Type.String({ pattern: '^[0-9]+$' }),
  position: Type.Integer({ minimum: 1 }),
  position_str: Type.String({ pattern: '^[0-9]+$' }),
  payload: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  latency_ms: Type.Integer({ minimum: 0 }),
  reported_latency_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  status: Type.Enum([...FRAME_STATUSES]),
  metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
  observed_at: Type.Optional(Type.String({ format: 'date-time' })),
  received_at: Type.String({ format: 'date-time' }),
  created_at: Type.String({ format: 'date-time' }),
  out_of_order: Type.Boolean(),
  traceparent: Type.Optional(Type.String()),
})

/** JSON text of a frame: written by hand, because it is written for every frame and its numbers are exact. */
export function frameText(frame: Frame): string {
  const { sequence, position, payload, metadata } = frame
  let text = `{"id":"${frame.id}","account_id":${quoted(frame.accountId)},"stream_id":"${frame.streamId}","sequence":${sequence},"sequence_str":"${sequence}","position":${position},"position_str":"${position}"`
  if (payload !== '{}') text += `,"payload":${payload}`
  text += `,"latency_ms":${frame.latencyMs}`
  if (frame.reportedLatencyMs !== undefined) text += `,"reported_latency_ms":${frame.reportedLatencyMs}`
  text += `,"status":"${frame.status}"`
  for (const _ in metadata) {
    text += `,"metadata":${JSON.stringify(metadata)}`
    break
  }
  if (frame.observedAt !== undefined) text += `,"observed_at":"${isoTime(frame.observedAt)}"`
  text += `,"received_at":"${isoTime(frame.receivedAt)}","created_at":"${isoTime(frame.createdAt)}","out_of_order":${frame.outOfOrder}`
  if (frame.traceparent !== undefined) text += `,"traceparent":"${frame.traceparent}"`
  return `${text}}`
}

let lastName = ''
let lastQuoted = '""'

/** The account of the last frame is mostly that of the next. */
function quoted(name: string): string {
  if (name === lastName) return lastQuoted
  lastName = name
  lastQuoted = JSON.stringify(name)
  return lastQuoted
}

/** What a frame's text says beside what every frame of its request has. */
export interface FrameContext {
  readonly receivedAt: number
  readonly traceparent: string | undefined
}

/** One frame as the domain takes it. Throws `invalid_json`, and `too_large` above `limit` characters. */
export function frameInput(
  text: string,
  { receivedAt, traceparent }: FrameContext,
  limit: number,
): FrameInput & { readonly receivedAt: number } {
  if (isOver(text, limit)) throw tooLargeFrame(limit)
  const object = jsonObject(text)
  const { values } = object
  const { sequence, payload } = values
  const exact = typeof sequence === 'number' ? exactWhole(object.textOf('sequence')!, sequence) : sequence
  return {
    sequence: exact,
    payload,
    // Values of other types are told by the domain.
    payloadText: typeof payload === 'object' && payload !== null ? object.textOf('payload') : undefined,
    latencyMs: values['latency_ms'],
    status: values['status'],
    metadata: values['metadata'],
    observedAt: values['observed_at'],
    traceparent,
    receivedAt,
  }
}

/** A character has at most three bytes for each of its units: most texts need no counting. */
const isOver = (text: string, bytes: number): boolean =>
  text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)

/** Digits that are too many for a number are read from the text. */
const exactWhole = (text: string, number: number): unknown =>
  Number.isSafeInteger(number) || !/^-?\d{1,40}$/.test(text) ? number : BigInt(text)

/** The members of a body. Throws `invalid_json`. */
export function jsonObject(text: string) {
  let object: ReturnType<typeof parseJsonObject>
  try {
    object = parseJsonObject(text)
  } catch (error) {
    throw refusal('invalid_json', `invalid JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  if (object === undefined) throw refusal('invalid_json', 'invalid JSON: the body must be an object')
  return object
}
