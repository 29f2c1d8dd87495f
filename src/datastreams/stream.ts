/** Streams and their fields (streams-service.md §1.1). Times are milliseconds since 1970, UTC. */

export const STREAM_STATUSES = ['inactive', 'active', 'paused'] as const
export type StreamStatus = (typeof STREAM_STATUSES)[number]

export type Metadata = Readonly<Record<string, string>>

export interface Retention {
  readonly maxAgeMs?: number | undefined
  readonly maxFrames?: number | undefined
  readonly maxBytes?: number | undefined
}

/** What a caller may write. */
export interface StreamFields {
  readonly name: string
  readonly symbol: string
  readonly description: string
  readonly frequency: string
  /** Milliseconds until a frame counts as late; 0: never. */
  readonly slaMs: number
  readonly status: StreamStatus
  readonly metadata: Metadata
  /** `dense`: numbers that are left out are gaps. */
  readonly sequenceMode: 'any' | 'dense'
  /** JSON pointer to the observation time in a payload. */
  readonly observedPath: string | null
  readonly onPaused: 'reject' | 'buffer'
  /** The first frame of an inactive stream activates it. */
  readonly autoActivate: boolean
  readonly retention: Retention
}

export interface Stream extends StreamFields {
  /** UUID version 7, never reused. */
  readonly id: string
  readonly accountId: string
  /** Of `frequency`; null when it promises nothing. */
  readonly frequencyMs: number | null
  readonly contentType: string
  readonly createdAt: number
  readonly updatedAt: number
  /** Grows by 1 with every change. */
  readonly version: number
}

export const STREAM_DEFAULTS: Omit<StreamFields, 'name' | 'symbol'> = {
  description: '',
  frequency: '',
  slaMs: 0,
  status: 'inactive',
  metadata: {},
  sequenceMode: 'any',
  observedPath: null,
  onPaused: 'reject',
  autoActivate: true,
  retention: {},
}
