import { larger, smaller } from './bigints.ts'
import { DatastreamsError, NotFoundError } from './errors.ts'
import type { Frame, FrameStatus } from './frame.ts'
import type { Store, StreamBounds, StreamNews } from './store.ts'

/** What a live reader asks for next. */
export interface LiveQuery {
  /** Position behind which reading goes on; 0: the start. */
  readonly after: bigint
  readonly limit: number
  readonly statuses?: readonly FrameStatus[] | undefined
  /** Of payloads; one frame is always given. */
  readonly maxBytes?: number | undefined
}

export interface LivePage {
  readonly frames: readonly Frame[]
  /** Where to go on; also behind frames that were filtered out. */
  readonly next: bigint
  /** Nothing more can be delivered now. */
  readonly upToDate: boolean
}

/** Where a reader begins who has no position. */
export type LiveStart = 'latest' | 'earliest' | { readonly sequence: bigint } | { readonly time: number }

/** Frames looked at by one page, however few of them pass the filter. */
const LOOKED_MAX = 5000

/**
 * The frames behind a position that may be delivered, in the order of positions.
 *
 * @throws DatastreamsError `cursor_expired` with `earliest`, the position to go on behind, when retention has passed it.
 */
export async function readLive(store: Store, streamId: string, query: LiveQuery): Promise<LivePage> {
  const { after, limit, statuses, maxBytes } = query
  const bounds = await boundsOf(store, streamId)
  if (after < bounds.cutPosition) {
    throw new DatastreamsError('cursor_expired', `frames up to position ${bounds.cutPosition} are gone`, {
      earliest: bounds.cutPosition,
    })
  }
  const upTo = bounds.releasedPosition
  const found: Frame[] = []
  let next = after
  for (let looked = 0; next < upTo && found.length < limit && looked < LOOKED_MAX; ) {
    const most = statuses === undefined ? limit - found.length : LOOKED_MAX - looked
    const frames = await store.readFrames(streamId, { after: next, upTo, limit: most, maxBytes })
    if (frames.length === 0) break
    for (const frame of frames) {
      if (found.length === limit) break
      next = frame.position
      if (statuses === undefined || statuses.includes(frame.status)) found.push(frame)
    }
    looked += frames.length
    if (maxBytes !== undefined && found.length > 0) break
  }
  return { frames: found, next, upToDate: next >= upTo }
}

/** The position behind which such a reader begins. */
export async function startOf(store: Store, streamId: string, from: LiveStart): Promise<bigint> {
  const { cutPosition, releasedPosition } = await boundsOf(store, streamId)
  if (from === 'latest') return releasedPosition
  const within = (position: bigint): bigint => larger(cutPosition, smaller(position, releasedPosition))
  if (from === 'earliest') return cutPosition
  if ('time' in from) return within((await store.positionAt(streamId, from.time)) ?? cutPosition)
  const after = from.sequence - 1n
  const [first] = await store.listFrames({ streamId, by: 'sequence', order: 'asc', limit: 1, after })
  return first === undefined ? releasedPosition : within(first.position - 1n)
}

async function boundsOf(store: Store, streamId: string): Promise<StreamBounds> {
  const bounds = await store.bounds(streamId)
  if (bounds === undefined) throw new NotFoundError(`stream ${streamId} not found`)
  return bounds
}

/** Wakes its owner when there may be something to read. It holds nothing but a number while nobody asks. */
export class Follower {
  readonly #leave: () => void
  #wake: (() => void) | undefined
  #isNews = false
  /** The newest position that is known to be delivered. */
  lastPosition: bigint
  /** The stream is gone. */
  deleted = false
  /** The service stops: nothing will come any more. */
  ended = false

  constructor(lastPosition: bigint, leave: () => void) {
    this.lastPosition = lastPosition
    this.#leave = leave
  }

  /** Resolves when something came since the last wait, or the signal aborts. One wait at a time. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#isNews && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const wake = () => resolve()
      this.#wake = wake
      signal.addEventListener('abort', wake, { once: true })
      await promise
      signal.removeEventListener('abort', wake)
      this.#wake = undefined
    }
    this.#isNews = false
  }

  notify(): void {
    this.#isNews = true
    this.#wake?.()
  }

  close(): void {
    this.#leave()
    this.notify()
  }
}

/** Everybody who waits for frames, by stream. */
export class LiveHub {
  readonly #followers = new Map<string, Set<Follower>>()
  #count = 0

  /** Of one stream, or of all. */
  count(streamId?: string): number {
    return streamId === undefined ? this.#count : (this.#followers.get(streamId)?.size ?? 0)
  }

  follow(streamId: string, lastPosition = 0n): Follower {
    const followers = this.#followers.get(streamId) ?? new Set()
    const follower: Follower = new Follower(lastPosition, () => {
      if (!followers.delete(follower)) return
      this.#count--
      if (followers.size === 0 && this.#followers.get(streamId) === followers) this.#followers.delete(streamId)
    })
    this.#followers.set(streamId, followers.add(follower))
    this.#count++
    return follower
  }

  onNews(news: StreamNews): void {
    if (news.kind === 'stream') return
    const followers = this.#followers.get(news.streamId)
    if (followers === undefined) return
    for (const follower of followers) {
      if (news.kind === 'frames') follower.lastPosition = news.frames.at(-1)!.position
      if (news.kind === 'released') follower.lastPosition = news.to
      if (news.kind === 'deleted') follower.deleted = true
      follower.notify()
    }
  }

  /** Ends all: the service stops. */
  close(): void {
    for (const followers of this.#followers.values()) {
      for (const follower of followers) {
        follower.ended = true
        follower.notify()
      }
    }
  }
}
