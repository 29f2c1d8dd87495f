import type { ServerResponse } from 'node:http'
import type { Feed, FeedReader } from './feed.ts'
import { expiredAt } from './live-source.ts'

/** What waits for a reader before it is given no more; with one chunk on top it stays under 64 KiB. */
const WAITING_BYTES_MAX = 32 * 1024

export interface SseLimits {
  readonly heartbeatMs: number
  readonly stallMs: number
  /** On the clock of the hub. */
  readonly endsAt: number
}

export type SseEnd = 'deleted' | 'lagged' | 'resume' | 'gone' | 'fault'

/** One connection that gets the frames of a stream as events. It pulls: what it does not take stays in the store. */
export class SseReader implements FeedReader {
  readonly #response: ServerResponse
  readonly #feed: Feed
  readonly #limits: SseLimits
  readonly #onEnd: (end: SseEnd) => void
  readonly #onDelivered: (frames: number) => void
  #position: bigint
  #busy = false
  #again = false
  #ended = false
  #wroteAt: number
  /** Bytes that the system has taken, and since when no more. */
  #taken = 0
  #takenAt: number

  constructor(
    response: ServerResponse,
    feed: Feed,
    {
      position,
      now,
      limits,
      onEnd,
      onDelivered,
    }: {
      readonly position: bigint
      readonly now: number
      readonly limits: SseLimits
      readonly onEnd: (end: SseEnd) => void
      readonly onDelivered: (frames: number) => void
    },
  ) {
    this.#response = response
    this.#feed = feed
    this.#limits = limits
    this.#onEnd = onEnd
    this.#onDelivered = onDelivered
    this.#position = position
    this.#wroteAt = now
    this.#takenAt = now
    response.on('drain', () => this.wake())
    response.on('close', () => this.#end('gone'))
  }

  /** The first events: how long to wait before coming back, and where reading begins. */
  begin(streamId: string): void {
    const cursor = this.#feed.cursor(this.#position)
    const data = JSON.stringify({ stream_id: streamId, cursor })
    // The id holds for a reader who is cut off before the first frame.
    this.#response.write(
      `retry: 1000\nid: ${cursor}\nevent: ready\ndata: ${data.slice(0, -1)},"position":${this.#position}}\n\n`,
    )
    this.wake()
  }

  wake(): void {
    this.#again = true
    if (!this.#busy) void this.#pump()
  }

  deleted(): void {
    this.#last('end', { reason: 'deleted' }, 'deleted')
  }

  /** Every second: a sign of life, an end. */
  tick(now: number): void {
    const { socket } = this.#response
    const taken = (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0)
    if (taken !== this.#taken || this.#response.writableLength === 0) {
      this.#taken = taken
      this.#takenAt = now
    } else if (now - this.#takenAt >= this.#limits.stallMs) {
      this.#last('lagged', this.#place('stalled'), 'lagged')
      // Who takes nothing does not take this either.
      this.#response.destroy()
      return
    }
    if (now >= this.#limits.endsAt) this.resume('age')
    else if (now - this.#wroteAt >= this.#limits.heartbeatMs && this.#response.writableLength === 0) {
      this.#wroteAt = now
      this.#response.write(': keep-alive\n\n')
    }
  }

  /** Ends it with the place where to go on. */
  resume(reason: 'age' | 'shutdown'): void {
    this.#last('resume', this.#place(reason), 'resume')
  }

  async #pump(): Promise<void> {
    this.#busy = true
    try {
      while (this.#again && !this.#ended) {
        this.#again = false
        await this.#catchUp()
      }
    } catch {
      this.#response.destroy()
      this.#end('fault')
    }
    this.#busy = false
  }

  async #catchUp(): Promise<void> {
    while (!this.#ended && this.#response.writableLength < WAITING_BYTES_MAX) {
      const from = this.#position
      try {
        const { bytes, frames, next, upToDate } = await this.#feed.chunk(from)
        if (this.#ended) return
        this.#position = next
        if (frames > 0) {
          this.#response.write(bytes)
          this.#onDelivered(frames)
        }
        if (upToDate || next === from) return
      } catch (error) {
        const earliest = expiredAt(error)
        if (earliest === undefined) throw error
        if (this.#ended) return
        this.#position = earliest
        this.#event('reset', this.#place('cursor_expired'), true)
      }
    }
  }

  #place(reason: string): Readonly<Record<string, unknown>> {
    return { reason, cursor: this.#feed.cursor(this.#position), position: this.#position }
  }

  #event(name: string, data: Readonly<Record<string, unknown>>, withId = false): void {
    const members = Object.entries(data).map(
      ([key, value]) => `"${key}":${typeof value === 'bigint' ? value : JSON.stringify(value)}`,
    )
    const id = withId ? `id: ${String(data['cursor'])}\n` : ''
    this.#response.write(`${id}event: ${name}\ndata: {${members.join(',')}}\n\n`)
  }

  #last(name: string, data: Readonly<Record<string, unknown>>, end: SseEnd): void {
    if (this.#ended) return
    this.#event(name, data, data['cursor'] !== undefined)
    this.#end(end)
    this.#response.end()
  }

  #end(end: SseEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#feed.leave(this)
    this.#onEnd(end)
  }
}
