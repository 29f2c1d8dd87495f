import type { Clock } from '../core/clock.ts'
import type { RetryPolicy } from '../core/retry.ts'

export type StreamStatus = 'inactive' | 'active' | 'paused'
export type FrameStatus = 'ok' | 'late' | 'error'
/** JSON values of a payload. */
export type Payload = Readonly<Record<string, unknown>>

/** How long frames are kept. */
export interface Retention {
  /** Milliseconds, or a duration as `7d`. */
  readonly maxAge?: number | string | undefined
  readonly maxFrames?: number | undefined
  readonly maxBytes?: number | undefined
}

/** What a caller writes of a stream. */
export interface StreamFields {
  readonly name: string
  readonly symbol: string
  readonly description?: string | undefined
  readonly frequency?: string | undefined
  readonly slaMs?: number | undefined
  readonly status?: StreamStatus | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly sequenceMode?: 'any' | 'dense' | undefined
  readonly observedPath?: string | null | undefined
  readonly onPaused?: 'reject' | 'buffer' | undefined
  readonly autoActivate?: boolean | undefined
  readonly retention?: Retention | undefined
}

/** A change of single fields; of `metadata` null removes an entry, or all. */
export type StreamPatch = { readonly [N in Exclude<keyof StreamFields, 'metadata'>]?: StreamFields[N] | undefined } & {
  readonly metadata?: Readonly<Record<string, string | null>> | null | undefined
}

/** Times are RFC 3339, UTC. */
export interface Stream {
  readonly id: string
  readonly name: string
  readonly symbol: string
  readonly description: string
  readonly frequency: string
  readonly slaMs: number
  readonly status: StreamStatus
  readonly metadata: Readonly<Record<string, string>>
  readonly sequenceMode: 'any' | 'dense'
  /** JSON pointer to the observation time in payloads. */
  readonly observedPath: string | null
  readonly onPaused: 'reject' | 'buffer'
  readonly autoActivate: boolean
  readonly accountId: string
  readonly frequencyMs: number | null
  readonly retention: Retention
  readonly contentType: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly version: number
}

/** A frame as it is sent. */
export interface FrameInput {
  /** 1 … 2⁶³−1; absent: the service gives one. */
  readonly sequence?: bigint | number | undefined
  readonly payload?: Payload | undefined
  /** JSON text of the payload, instead of it: its numbers stay as they are written. */
  readonly payloadText?: string | undefined
  readonly latencyMs?: number | undefined
  readonly status?: FrameStatus | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** A date, RFC 3339, or milliseconds since 1970. */
  readonly observedAt?: Date | string | number | undefined
}

/** A frame as it is stored. Times are RFC 3339, UTC. */
export interface Frame {
  readonly id: string
  readonly accountId: string
  readonly streamId: string
  readonly sequence: bigint
  readonly position: bigint
  readonly payload: Payload
  /** The payload as it was sent: exact where a number is not. */
  readonly payloadText: string
  readonly latencyMs: number
  readonly reportedLatencyMs: number | undefined
  readonly status: FrameStatus
  readonly metadata: Readonly<Record<string, string>>
  readonly observedAt: string | undefined
  readonly receivedAt: string
  readonly createdAt: string
  readonly outOfOrder: boolean
  readonly traceparent: string | undefined
}

/** A frame of a live subscription, and the cursor behind it. */
export interface LiveFrame extends Frame {
  readonly cursor: string
}

/** What became of one frame of many. */
export type FrameResult =
  | { readonly index: number; readonly status: 'created'; readonly sequence: bigint; readonly position: bigint }
  | {
      readonly index: number
      readonly status: 'duplicate'
      readonly sequence: bigint | undefined
      readonly position: bigint | undefined
    }
  | { readonly index: number; readonly status: 'error'; readonly code: string; readonly error: string }

export interface Page<T> {
  readonly data: readonly T[]
  /** Undefined: there is no more. */
  readonly nextCursor: string | undefined
}

export interface StreamQuery {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
  readonly status?: StreamStatus | undefined
  readonly symbol?: string | undefined
  readonly namePrefix?: string | undefined
}

export interface FrameQuery {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
  /** A cursor of a live frame: frames behind it in the order of commits. */
  readonly after?: string | undefined
  readonly afterSequence?: bigint | undefined
  readonly beforeSequence?: bigint | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly status?: readonly FrameStatus[] | undefined
  readonly order?: 'asc' | 'desc' | undefined
}

export interface SubscribeOptions {
  /** Where to begin without a cursor: `latest` (default), `earliest`, a sequence, a time. */
  readonly from?: 'latest' | 'earliest' | bigint | Date | undefined
  /** Of a live frame: goes on behind it. */
  readonly cursor?: string | undefined
  readonly statuses?: readonly FrameStatus[] | undefined
  readonly transport?: 'sse' | 'poll' | undefined
  readonly signal?: AbortSignal | undefined
  /** The connection stands: frames behind this cursor follow. */
  readonly onReady?: ((cursor: string) => void) | undefined
  /**
   * Retention has passed the cursor, reading goes on with what is left. Without it the subscription ends with
   * `cursor_expired`: nothing is skipped silently.
   */
  readonly onReset?: ((earliestCursor: string) => void) | undefined
}

export interface ClientOptions {
  readonly baseUrl: string | URL
  readonly apiKey?: string | undefined
  /** A short-lived token instead of a key: for live reading only. */
  readonly accessToken?: string | undefined
  readonly account?: string | undefined
  readonly tenant?: string | undefined
  /** Tries of one request; default 5. */
  readonly retry?: Partial<RetryPolicy> | undefined
  /** Of one try; default 30,000. */
  readonly timeoutMs?: number | undefined
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
}
