import type { Settings } from './config/spec.ts'

/** What handlers look at (streams-service.md §11). Sizes are bytes, times milliseconds. */
export interface ServiceSettings {
  readonly maxBodyBytes: number
  readonly maxFrameBytes: number
  readonly busMaxBytes: number
  readonly defaultLimit: number
  readonly maxLimit: number
  readonly requireIfMatch: boolean
  readonly heartbeatMs: number
  readonly sseMaxMs: number
  readonly longPollMaxMs: number
  readonly readerStallMs: number
  readonly commitWaitMs: number
  readonly requireTenantHeader: boolean
  readonly corsOrigins: readonly string[]
  readonly streamLabels: boolean
}

export const SETTINGS_DEFAULTS: ServiceSettings = {
  maxBodyBytes: 10 * 1024 * 1024,
  maxFrameBytes: 1024 * 1024,
  busMaxBytes: 1024 * 1024,
  defaultLimit: 25,
  maxLimit: 500,
  requireIfMatch: false,
  heartbeatMs: 15_000,
  sseMaxMs: 3_600_000,
  longPollMaxMs: 60_000,
  readerStallMs: 60_000,
  commitWaitMs: 5000,
  requireTenantHeader: false,
  corsOrigins: [],
  streamLabels: true,
}

const COMMIT_WAIT_MS = 5000

export const serviceSettings = (settings: Settings): ServiceSettings => ({
  maxBodyBytes: settings['streams.max_body_bytes'],
  maxFrameBytes: settings['streams.max_frame_bytes'],
  busMaxBytes: settings['streams.bus_max_bytes'],
  defaultLimit: settings['streams.default_limit'],
  maxLimit: settings['streams.max_limit'],
  requireIfMatch: settings['streams.require_if_match'],
  heartbeatMs: settings['streams.heartbeat_s'] * 1000,
  sseMaxMs: settings['streams.sse_max_minutes'] * 60_000,
  longPollMaxMs: settings['streams.long_poll_max_s'] * 1000,
  readerStallMs: settings['streams.reader_stall_s'] * 1000,
  commitWaitMs: COMMIT_WAIT_MS,
  requireTenantHeader: settings['streams.auth.require_tenant_header'],
  corsOrigins: settings['streams.cors.origins'],
  streamLabels: settings['metrics.stream_labels'],
})
