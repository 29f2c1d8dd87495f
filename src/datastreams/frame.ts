import type { Metadata } from './stream.ts'

export const FRAME_STATUSES = ['ok', 'late', 'error'] as const
export type FrameStatus = (typeof FRAME_STATUSES)[number]

/** The largest sequence: 2⁶³ − 1. */
export const SEQUENCE_MAX = 9_223_372_036_854_775_807n

/** A sample of a stream, as it is stored (streams-service.md §1.2). Times are milliseconds since 1970, UTC. */
export interface Frame {
  /** UUID version 7. */
  readonly id: string
  readonly accountId: string
  readonly streamId: string
  /** The caller's number; unique in its stream. */
  readonly sequence: bigint
  /** The service's number in its stream, in the order of commits: 1, 2, 3 … */
  readonly position: bigint
  /** A JSON object, as its source text: no number is rounded. */
  readonly payload: string
  readonly latencyMs: number
  /** What the caller said, where an observation time says otherwise. */
  readonly reportedLatencyMs: number | undefined
  readonly status: FrameStatus
  /** What the caller said: tells repeats from conflicts. */
  readonly statedStatus: FrameStatus
  readonly metadata: Metadata
  readonly observedAt: number | undefined
  readonly receivedAt: number
  readonly createdAt: number
  /** Its sequence is below one that was there before. */
  readonly outOfOrder: boolean
  readonly traceparent: string | undefined
}

/** A frame that was checked, before it has its place. */
export interface FrameFields {
  /** Undefined: the service gives one. */
  readonly sequence: bigint | undefined
  readonly payload: string
  readonly latencyMs: number | undefined
  readonly status: FrameStatus
  readonly metadata: Metadata
  readonly observedAt: number | undefined
  readonly traceparent: string | undefined
}

/** A repeat has the same content in all that the caller said (streams-service.md §5). */
export function isRepeat(stored: Frame, again: FrameFields, observedAt: number | undefined): boolean {
  return (
    stored.payload === again.payload &&
    stored.statedStatus === again.status &&
    stored.observedAt === observedAt &&
    isSameMetadata(stored.metadata, again.metadata)
  )
}

function isSameMetadata(a: Metadata, b: Metadata): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

/** Size of the payload in UTF-8. */
export const payloadBytes = ({ payload }: Pick<Frame, 'payload'>): number => Buffer.byteLength(payload)
