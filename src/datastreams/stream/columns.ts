import { map, type Schema, schema, types } from '../../core/types.ts'
import type { Frame } from '../frame.ts'

/** Columns of a stream that are not members of its payloads (streams-service.md §12). */
export const frameColumns: Schema = schema([
  { name: 'sequence', type: types.bigint, nullable: false },
  { name: 'position', type: types.bigint, nullable: false },
  { name: 'status', type: types.string, nullable: false },
  { name: 'latency_ms', type: types.bigint, nullable: false },
  { name: 'payload', type: types.json, nullable: false },
  { name: 'metadata', type: map(types.string, types.string), nullable: false },
  { name: 'observed_at', type: types.timestamp, nullable: true },
  { name: 'created_at', type: types.timestamp, nullable: false },
  /** Observed, else created. */
  { name: 'event_time', type: types.timestamp, nullable: false },
])

const time = (ms: number): string => `"${new Date(ms).toISOString()}"`

const MEMBERS: Readonly<Record<string, (frame: Frame) => string | undefined>> = {
  sequence: ({ sequence }) => String(sequence),
  position: ({ position }) => String(position),
  status: ({ status }) => `"${status}"`,
  latency_ms: ({ latencyMs }) => String(latencyMs),
  payload: ({ payload }) => payload,
  metadata: ({ metadata }) => JSON.stringify(metadata),
  observed_at: ({ observedAt }) => (observedAt === undefined ? undefined : time(observedAt)),
  created_at: ({ createdAt }) => time(createdAt),
  event_time: ({ observedAt, createdAt }) => time(observedAt ?? createdAt),
}

/**
 * Writes a frame as one JSON object with the wanted columns: first the members of its payload, where one is wanted by
 * name, then the frame's own, which win.
 */
export function frameLine(wanted: readonly string[]): (frame: Frame) => string {
  const own = wanted.filter((name) => name in MEMBERS)
  const ofPayload = own.length < wanted.length
  if (own.length === 0) return ({ payload }) => oneLine(payload)
  return (frame) => {
    const members = own.flatMap((name) => {
      const value = MEMBERS[name]!(frame)
      return value === undefined ? [] : [`"${name}":${value}`]
    })
    const inner = ofPayload ? frame.payload.slice(1, frame.payload.lastIndexOf('}')).trim() : ''
    return oneLine(`{${inner === '' ? '' : `${inner},`}${members.join(',')}}`)
  }
}

// A line break of JSON is a blank between its parts.
const oneLine = (text: string): string => (/[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text)
