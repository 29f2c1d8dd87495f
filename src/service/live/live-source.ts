import type { Frame, FrameStatus } from '../../datastreams/frame.ts'

/** What live reading stands on: positions, and being woken. */
export interface LiveSource {
  /** Throws `cursor_expired` with `earliest` in its details when retention has passed `after`. */
  read(
    accountId: string,
    streamId: string,
    query: {
      readonly after: bigint
      readonly limit: number
      readonly statuses?: readonly FrameStatus[] | undefined
      readonly maxBytes?: number | undefined
    },
  ): Promise<{ readonly frames: readonly Frame[]; readonly next: bigint; readonly upToDate: boolean }>
  follow(streamId: string): LiveFollower
  startPosition(accountId: string, streamId: string, from: LiveFrom): Promise<bigint>
}

export interface LiveFollower {
  readonly deleted: boolean
  /** Resolves when something came since the last wait, or the signal aborts. */
  wait(signal: AbortSignal): Promise<void>
  close(): void
}

/** Where a reader without a cursor begins. */
export type LiveFrom = 'latest' | 'earliest' | { readonly sequence: bigint } | { readonly time: number }

/** Where a reader goes on whose cursor is passed; undefined for any other fault. */
export function expiredAt(error: unknown): bigint | undefined {
  const { code, details } = error as { readonly code?: string; readonly details?: { readonly earliest?: bigint } }
  return code === 'cursor_expired' ? details?.earliest : undefined
}
