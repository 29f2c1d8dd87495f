/** What a frame and its share of a block take beside the payload. */
const FRAME_BYTES = 45

/** How much of each segment is still needed. */
export class SegmentUse {
  readonly #live = new Map<number, number>()
  readonly #keepUntil = new Map<number, number>()
  /** What was live when a segment was rewritten. */
  readonly #rewritten = new Map<number, number>()

  /** Frames came to a segment, or (negative) are gone. */
  add(segment: number, payloadBytes: number, frames: number): void {
    this.#live.set(segment, this.live(segment) + payloadBytes + FRAME_BYTES * frames)
  }

  /** It has an answer that may be asked for until then. */
  keep(segment: number, until: number): void {
    this.#keepUntil.set(segment, Math.max(until, this.#keepUntil.get(segment) ?? 0))
  }

  live(segment: number): number {
    return this.#live.get(segment) ?? 0
  }

  /** Nothing in it is needed. */
  isDead(segment: number, now: number): boolean {
    return this.live(segment) === 0 && (this.#keepUntil.get(segment) ?? 0) <= now
  }

  /** Less than half of it is needed, and less than half of what was when it was rewritten. */
  isSparse(segment: number, bytes: number): boolean {
    return 2 * this.live(segment) < Math.min(bytes, this.#rewritten.get(segment) ?? Number.POSITIVE_INFINITY)
  }

  rewritten(segment: number): void {
    this.#rewritten.set(segment, this.live(segment))
  }

  forget(segment: number): void {
    this.#live.delete(segment)
    this.#keepUntil.delete(segment)
    this.#rewritten.delete(segment)
  }
}
