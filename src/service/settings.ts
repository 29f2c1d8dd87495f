/** What handlers look at (streams-service.md §11). Sizes are bytes, times milliseconds. */
export interface ServiceSettings {
  readonly maxBodyBytes: number
  readonly maxFrameBytes: number
  readonly busMaxBytes: number
  readonly defaultLimit: number
  readonly maxLimit: number
  readonly requireIfMatch: boolean
  readonly denyInactive: boolean
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
  denyInactive: false,
  heartbeatMs: 15_000,
  sseMaxMs: 3_600_000,
  longPollMaxMs: 60_000,
  readerStallMs: 60_000,
  commitWaitMs: 5000,
  requireTenantHeader: false,
  corsOrigins: [],
  streamLabels: true,
}
