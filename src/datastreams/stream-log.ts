import type { FramesEntry } from './entries.ts'
import { type Frame, payloadBytes } from './frame.ts'
import type { FrameShelf, ShelfFacts } from './shelf.ts'
import type { FrameQuery } from './store.ts'

/** The frames of one stream in memory: by position, and by sequence. */
export class StreamLog implements FrameShelf<undefined> {
  /** In the order of positions, from the cut on. */
  #frames: Frame[] = []
  readonly #bySequence = new Map<bigint, Frame>()
  /** Sequences in rising order; sorted when it is asked for. */
  #sorted: bigint[] = []
  #isSorted = true
  #bytes = 0
  highest = 0n
  lowest = 0n
  last = 0n
  cutPosition = 0n
  survivor: Frame | undefined
  lastCreatedAt: number | undefined

  push({ frames }: FramesEntry): void {
    for (const frame of frames) this.#push(frame)
  }

  #push(frame: Frame): void {
    const { sequence } = frame
    this.#frames.push(frame)
    this.#bySequence.set(sequence, frame)
    this.#sorted.push(sequence)
    if (sequence > this.highest) this.#passSurvivor(sequence)
    else this.#isSorted = false
    if (this.lowest === 0n || sequence < this.lowest) this.lowest = sequence
    this.last = frame.position
    this.lastCreatedAt = frame.createdAt
    this.#bytes += payloadBytes(frame)
  }

  /** The one that was kept for its sequence has no longer the highest. */
  #passSurvivor(highest: bigint): void {
    this.highest = highest
    if (this.survivor === undefined) return
    this.#forget(this.survivor)
    this.survivor = undefined
  }

  #forget(frame: Frame): void {
    this.#bySequence.delete(frame.sequence)
    this.#bytes -= payloadBytes(frame)
    this.#sorted = [...this.#bySequence.keys()]
    this.#isSorted = false
  }

  latest(): Frame | undefined {
    return this.#bySequence.get(this.highest)
  }

  find(sequence: bigint): Frame | undefined {
    return this.#bySequence.get(sequence)
  }

  at(position: bigint): Frame | undefined {
    return this.#frames[Number(position - this.cutPosition) - 1]
  }

  async list({
    by,
    order,
    limit,
    after,
    before,
    createdFrom,
    createdTo,
    statuses,
  }: FrameQuery): Promise<readonly Frame[]> {
    const keys = by === 'position' ? undefined : this.#order()
    const frames = keys === undefined ? this.#byPosition() : []
    const length = keys?.length ?? frames.length
    const frameAt = (i: number): Frame => (keys === undefined ? frames[i]! : this.#bySequence.get(keys[i]!)!)
    const keyAt = (i: number): bigint => (keys === undefined ? frames[i]!.position : keys[i]!)
    const firstAbove = (bound: bigint): number => lowestWhere(length, (i) => keyAt(i) > bound)
    const from = after === undefined ? 0 : firstAbove(after)
    const to = before === undefined ? length : firstAbove(before - 1n)
    const found: Frame[] = []
    for (let step = 0; step < to - from && found.length < limit; step++) {
      const frame = frameAt(order === 'asc' ? from + step : to - 1 - step)
      if (createdFrom !== undefined && frame.createdAt < createdFrom) continue
      if (createdTo !== undefined && frame.createdAt >= createdTo) continue
      if (statuses === undefined || statuses.includes(frame.status)) found.push(frame)
    }
    return found
  }

  read(range: {
    readonly after: bigint
    readonly upTo: bigint
    readonly limit: number
    readonly maxBytes: number
  }): readonly Frame[] {
    const from = Math.max(0, Number(range.after - this.cutPosition))
    const to = Math.min(this.#frames.length, Number(range.upTo - this.cutPosition), from + range.limit)
    let bytes = 0
    const found: Frame[] = []
    for (let i = from; i < to; i++) {
      bytes += payloadBytes(this.#frames[i]!)
      if (bytes > range.maxBytes && found.length > 0) break
      found.push(this.#frames[i]!)
    }
    return found
  }

  before(time: number): bigint {
    const at = lowestWhere(this.#frames.length, (i) => this.#frames[i]!.createdAt >= time)
    return this.cutPosition + BigInt(at)
  }

  beyond(bytes: number): bigint {
    let kept = 0
    for (let i = this.#frames.length - 1; i >= 0; i--) {
      kept += payloadBytes(this.#frames[i]!)
      if (kept > bytes) return this.#frames[i]!.position
    }
    return this.cutPosition
  }

  cut(position: bigint, survivor: Frame | undefined): void {
    const count = Math.max(0, Number(position - this.cutPosition))
    for (const frame of this.#frames.splice(0, count)) {
      if (frame.sequence === survivor?.sequence) continue
      this.#bySequence.delete(frame.sequence)
      this.#bytes -= payloadBytes(frame)
    }
    this.#sorted = [...this.#bySequence.keys()]
    this.#isSorted = false
    this.survivor = survivor
    if (position > this.cutPosition) this.cutPosition = position
  }

  facts(): ShelfFacts {
    return {
      frames: BigInt(this.#bySequence.size),
      bytes: BigInt(this.#bytes),
      firstPosition: this.#byPosition()[0]?.position,
      lowestSequence: this.#order()[0],
    }
  }

  release(): void {}

  /** It forgets nothing while it lives. */
  restore(): void {}

  #byPosition(): readonly Frame[] {
    return this.survivor === undefined ? this.#frames : [this.survivor, ...this.#frames]
  }

  #order(): readonly bigint[] {
    if (!this.#isSorted) this.#sorted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    this.#isSorted = true
    return this.#sorted
  }
}

/** The lowest index below `length` at which a rising condition holds; `length` when it holds nowhere. */
export function lowestWhere(length: number, holds: (index: number) => boolean): number {
  let low = 0
  for (let high = length; low < high; ) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
