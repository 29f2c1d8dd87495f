import { ValidationError } from './errors.ts'
import type { FrameInput } from './frame-fields.ts'

const PREFIX = 'datastreams/'

/** The stream of a topic: `datastreams/<id>`, or the bare id. */
export const streamOfTopic = (topic: string): string => (topic.startsWith(PREFIX) ? topic.slice(PREFIX.length) : topic)

/** What a pushed payload is: an envelope with an object under `payload`, else the payload of a frame itself. */
export function pushedFrame(payload: unknown): FrameInput {
  if (!isObject(payload)) {
    const detail = 'payload must be an object'
    throw new ValidationError([{ pointer: '/payload', code: 'type', detail, message: detail }])
  }
  if (!isObject(payload['payload'])) return { payload }
  const { sequence, status, latency_ms: latencyMs, metadata, observed_at: observedAt } = payload
  return { sequence, status, latencyMs, metadata, observedAt, payload: payload['payload'] }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
