import { elementsOf, membersOf } from '../core/json-members.ts'
import type { Frame, FrameInput, FrameResult, Retention, Stream, StreamFields, StreamPatch } from './types.ts'

/** JSON of the fields of a stream. */
export function streamBody(fields: StreamFields | StreamPatch): string {
  const { retention } = fields
  return JSON.stringify({
    name: fields.name,
    symbol: fields.symbol,
    description: fields.description,
    frequency: fields.frequency,
    sla_ms: fields.slaMs,
    status: fields.status,
    metadata: fields.metadata,
    sequence_mode: fields.sequenceMode,
    observed_path: fields.observedPath,
    on_paused: fields.onPaused,
    auto_activate: fields.autoActivate,
    retention: retention && {
      max_age: retention.maxAge,
      max_frames: retention.maxFrames,
      max_bytes: retention.maxBytes,
    },
  })
}

interface WireStream {
  readonly [name: string]: unknown
  readonly retention: { readonly max_age?: number; readonly max_frames?: number; readonly max_bytes?: number }
}

export function streamFrom(wire: WireStream): Stream {
  const { max_age: maxAge, max_frames: maxFrames, max_bytes: maxBytes } = wire.retention
  const retention: Retention = { maxAge, maxFrames, maxBytes }
  return {
    id: wire['id'],
    accountId: wire['account_id'],
    name: wire['name'],
    symbol: wire['symbol'],
    description: wire['description'],
    frequency: wire['frequency'],
    frequencyMs: wire['frequency_ms'],
    slaMs: wire['sla_ms'],
    status: wire['status'],
    metadata: wire['metadata'] ?? {},
    sequenceMode: wire['sequence_mode'],
    observedPath: wire['observed_path'],
    onPaused: wire['on_paused'],
    autoActivate: wire['auto_activate'],
    retention,
    contentType: wire['content_type'],
    createdAt: wire['created_at'],
    updatedAt: wire['updated_at'],
    version: wire['version'],
  } as Stream
}

/** JSON of a frame; 64-bit numbers are texts. */
export function frameBody(input: FrameInput): string {
  const { sequence, payload, payloadText, observedAt } = input
  const body = JSON.stringify({
    sequence: sequence === undefined ? undefined : String(sequence),
    payload: payloadText === undefined ? payload : undefined,
    latency_ms: input.latencyMs,
    status: input.status,
    metadata: input.metadata,
    observed_at: observedAt instanceof Date ? observedAt.toISOString() : observedAt,
  })
  if (payloadText === undefined) return body
  return `${body.slice(0, -1)}${body === '{}' ? '' : ','}"payload":${payloadText}}`
}

/** A frame of its JSON text: what a number would round comes from the text. */
export function frameFrom(text: string): Frame {
  const wire = JSON.parse(text) as Readonly<Record<string, unknown>>
  return {
    id: wire['id'],
    accountId: wire['account_id'],
    streamId: wire['stream_id'],
    sequence: BigInt(wire['sequence_str'] as string),
    position: BigInt(wire['position_str'] as string),
    payload: wire['payload'] ?? {},
    payloadText: membersOf(text).get('payload') ?? '{}',
    latencyMs: wire['latency_ms'],
    reportedLatencyMs: wire['reported_latency_ms'],
    status: wire['status'],
    metadata: wire['metadata'] ?? {},
    observedAt: wire['observed_at'],
    receivedAt: wire['received_at'],
    createdAt: wire['created_at'],
    outOfOrder: wire['out_of_order'],
    traceparent: wire['traceparent'],
  } as Frame
}

/** Frames and the cursor of an envelope. */
export function framesFrom(text: string): { readonly data: readonly Frame[]; readonly nextCursor: string | undefined } {
  const members = membersOf(text)
  const cursor = JSON.parse(members.get('next_cursor') ?? 'null') as string | null
  return { data: elementsOf(members.get('data') ?? '[]').map(frameFrom), nextCursor: cursor ?? undefined }
}

interface WireResult {
  readonly index: number
  readonly status: string
  readonly sequence?: string
  readonly position?: string
  readonly code?: string
  readonly error?: string
}

/** `offset`: frames of requests before. Undefined: it is the summary. */
export function resultFrom(line: string, offset: number): FrameResult | undefined {
  const wire = JSON.parse(line) as WireResult
  if (wire.index === undefined) return undefined
  const index = wire.index + offset
  if (wire.status === 'error') return { index, status: 'error', code: wire.code ?? '', error: wire.error ?? '' }
  const [sequence, position] = [wire.sequence, wire.position].map((text) =>
    text === undefined ? undefined : BigInt(text),
  )
  return { index, status: wire.status, sequence, position } as FrameResult
}
