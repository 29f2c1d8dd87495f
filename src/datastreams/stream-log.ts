import { type Frame, type FrameFields, isRepeat } from './frame.ts'
import type { FrameQuery, StreamExtent } from './store.ts'
import type { Stream } from './stream.ts'
import { timeliness } from './timeliness.ts'

/** The frames of one stream in memory: by position, and by sequence. */
export class StreamLog {
  /** In the order of positions. */
  readonly #frames: Frame[] = []
  readonly #bySequence = new Map<bigint, Frame>()
  /** Sequences in rising order; sorted when it is asked for. */
  #sorted: bigint[] = []
  #isSorted = true
  #bytes = 0n
  #highest = 0n

  get latest(): Frame | undefined {
    return this.#highest === 0n ? undefined : this.#bySequence.get(this.#highest)
  }

  get(sequence: bigint): Frame | undefined {
    return this.#bySequence.get(sequence)
  }

  /** The frame that fields become when they are stored next; nothing is stored. */
  plan(
    stream: Stream,
    fields: FrameFields,
    at: { readonly receivedAt: number; readonly createdAt: number; readonly id: string; readonly ahead: PlannedAhead },
  ): Frame {
    const { ahead, id, receivedAt, createdAt } = at
    const highest = larger(ahead.highest, this.#highest)
    const nanoseconds = BigInt(createdAt) * 1_000_000n
    const sequence = fields.sequence ?? larger(nanoseconds, highest + 1n)
    const { latencyMs, reportedLatencyMs, observedAt, status } = timeliness(fields, stream, { receivedAt, createdAt })
    return {
      id,
      accountId: stream.accountId,
      streamId: stream.id,
      sequence,
      position: BigInt(this.#frames.length + ahead.count + 1),
      payload: fields.payload,
      latencyMs,
      reportedLatencyMs,
      status,
      statedStatus: fields.status,
      metadata: fields.metadata,
      observedAt,
      receivedAt,
      createdAt,
      outOfOrder: sequence < highest,
      traceparent: fields.traceparent,
    }
  }

  /** What is there under its sequence: `repeat` of the same frame, or another one. */
  found(
    fields: FrameFields,
    observedAt: number | undefined,
  ): { readonly frame: Frame; readonly repeat: boolean } | undefined {
    const frame = fields.sequence === undefined ? undefined : this.#bySequence.get(fields.sequence)
    return frame === undefined ? undefined : { frame, repeat: isRepeat(frame, fields, observedAt) }
  }

  push(frame: Frame): void {
    this.#frames.push(frame)
    this.#bySequence.set(frame.sequence, frame)
    if (frame.sequence > this.#highest) this.#highest = frame.sequence
    else this.#isSorted = false
    this.#sorted.push(frame.sequence)
    this.#bytes += BigInt(frame.payload.length)
  }

  list({ by, order, limit, after, before, createdFrom, createdTo, statuses }: FrameQuery): readonly Frame[] {
    const keys = by === 'position' ? undefined : this.#order()
    const length = this.#frames.length
    const frameAt = (i: number): Frame => (keys === undefined ? this.#frames[i]! : this.#bySequence.get(keys[i]!)!)
    const keyOf = (frame: Frame): bigint => (by === 'position' ? frame.position : frame.sequence)
    const firstAbove = (bound: bigint): number => {
      let low = 0
      for (let high = length; low < high; ) {
        const middle = (low + high) >> 1
        if (keyOf(frameAt(middle)) > bound) high = middle
        else low = middle + 1
      }
      return low
    }
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

  #order(): readonly bigint[] {
    if (!this.#isSorted) this.#sorted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    this.#isSorted = true
    return this.#sorted
  }

  extent(): StreamExtent {
    return {
      frames: BigInt(this.#frames.length),
      bytes: this.#bytes,
      firstPosition: this.#frames[0]?.position,
      lastPosition: BigInt(this.#frames.length),
      lowestSequence: this.#order()[0],
      highestSequence: this.#highest,
    }
  }
}

const larger = (a: bigint, b: bigint): bigint => (a < b ? b : a)

/** Frames of the same append that are planned before. */
export interface PlannedAhead {
  readonly count: number
  readonly highest: bigint
}
