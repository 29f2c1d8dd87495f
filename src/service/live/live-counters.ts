export const LIVE_KINDS = ['sse', 'poll'] as const
export type LiveKind = (typeof LIVE_KINDS)[number]

/** What live readers are counted by (streams-service.md §10). */
export class LiveCounters {
  readonly subscribers: Record<LiveKind, number> = { sse: 0, poll: 0 }
  readonly lagged: Record<LiveKind, number> = { sse: 0, poll: 0 }
  readonly delivered: Record<LiveKind, number> = { sse: 0, poll: 0 }
}
