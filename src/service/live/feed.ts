import type { Frame, FrameStatus } from '../../datastreams/frame.ts'
import { cursorText, positionScope } from '../access/cursor.ts'
import type { Signer } from '../access/signer.ts'
import { frameText } from '../shapes/frame-shape.ts'
import type { LiveSource } from './live-source.ts'

/** Frames as they go to every reader that stands at the same place. */
export interface Chunk {
  readonly bytes: Buffer
  readonly frames: number
  /** Position to go on behind. */
  readonly next: bigint
  readonly upToDate: boolean
}

/** Who is woken. */
export interface FeedReader {
  wake(): void
  /** The stream is gone. */
  deleted(): void
}

export interface FeedOf {
  readonly source: LiveSource
  readonly signer: Signer
  readonly accountId: string
  readonly streamId: string
  readonly statuses: readonly FrameStatus[] | undefined
}

/** One chunk; two of them may wait for a reader. */
const CHUNK_BYTES = 24 * 1024
const CHUNK_FRAMES = 500
/** Places that are remembered: readers who keep up stand at one. */
const PLACES = 8

/**
 * The events of one stream for all of its readers: what stands at a place is read and written as text once, however many
 * readers come by. It follows the stream while it has readers.
 */
export class Feed {
  readonly #of: FeedOf
  readonly #readers = new Set<FeedReader>()
  readonly #chunks = new Map<bigint, Promise<Chunk>>()
  #following: AbortController | undefined

  constructor(of: FeedOf) {
    this.#of = of
  }

  get size(): number {
    return this.#readers.size
  }

  join(reader: FeedReader): void {
    this.#readers.add(reader)
    if (this.#following !== undefined) return
    this.#following = new AbortController()
    void this.#follow(this.#following.signal)
  }

  leave(reader: FeedReader): void {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return
    this.#following?.abort()
    this.#following = undefined
    this.#chunks.clear()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const follower = this.#of.source.follow(this.#of.streamId)
    try {
      for (;;) {
        await follower.wait(signal)
        if (signal.aborted) return
        this.#chunks.clear()
        const { deleted } = follower
        for (const reader of this.#readers) deleted ? reader.deleted() : reader.wake()
        if (deleted) return
      }
    } finally {
      follower.close()
    }
  }

  /** What comes behind a position. Throws `cursor_expired`. */
  chunk(after: bigint): Promise<Chunk> {
    const known = this.#chunks.get(after)
    if (known !== undefined) return known
    if (this.#chunks.size >= PLACES) this.#chunks.delete(this.#chunks.keys().next().value!)
    const chunk = this.#read(after)
    this.#chunks.set(after, chunk)
    // A fault is not remembered: the next one may succeed.
    chunk.catch(() => this.#chunks.delete(after))
    return chunk
  }

  async #read(after: bigint): Promise<Chunk> {
    const { source, accountId, streamId, statuses } = this.#of
    const { frames, next, upToDate } = await source.read(accountId, streamId, {
      after,
      limit: CHUNK_FRAMES,
      statuses,
      maxBytes: CHUNK_BYTES,
    })
    let text = ''
    for (const frame of frames) text += this.#event(frame)
    return { bytes: Buffer.from(text), frames: frames.length, next, upToDate }
  }

  #event(frame: Frame): string {
    return `id: ${this.cursor(frame.position)}\nevent: frame\ndata: ${frameText(frame)}\n\n`
  }

  cursor(position: bigint): string {
    return cursorText(this.#of.signer, { scope: positionScope(this.#of.streamId), values: [position] })
  }
}
