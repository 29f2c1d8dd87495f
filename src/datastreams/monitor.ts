import type { StreamCounters } from './counters.ts'
import type { Frame } from './frame.ts'
import { SlaWindows } from './sla-windows.ts'
import type { Stream } from './stream.ts'

/** How one stream does, as the service saw it since it began (streams-service.md §1.3). Times: milliseconds since 1970. */
export class StreamMonitor {
  readonly windows: SlaWindows
  readonly counters: StreamCounters
  #stream: Stream
  /** When the last frame came, moved on by the time in which none was due. */
  #arrivedAt: number | undefined
  #missing = 0
  #pausedAt: number | undefined
  #highest = 0n
  #lowest = 0n

  constructor(stream: Stream, counters: StreamCounters, now: number) {
    this.#stream = stream
    this.counters = counters
    this.windows = new SlaWindows(now)
    if (stream.status !== 'active') this.#pausedAt = now
  }

  /** What was there before the service began: nothing was missing while it did not run. */
  begin(had: { readonly highest: bigint; readonly lowest: bigint; readonly frames: boolean }, now: number): void {
    this.#highest = had.highest
    this.#lowest = had.lowest
    if (had.frames) this.#arrivedAt = now
  }

  change(stream: Stream, now: number): void {
    this.check(now)
    this.#stream = stream
    if (stream.status !== 'active') this.#pausedAt ??= now
    else if (this.#pausedAt !== undefined) {
      if (this.#arrivedAt !== undefined) this.#arrivedAt += now - this.#pausedAt
      this.#pausedAt = undefined
    }
  }

  /** Frames that may be delivered, in the order of positions. */
  frames(frames: readonly Frame[], now: number): void {
    this.check(now)
    const { counters } = this
    const window = this.windows.at(now)
    for (const { status, latencyMs, outOfOrder, sequence } of frames) {
      counters.framesCreated++
      counters.statuses[status]++
      counters.sla[status]++
      if (outOfOrder) counters.sla.out_of_order++
      counters.latency.add(latencyMs / 1000)
      window.frame(status, latencyMs, outOfOrder)
      if (this.#stream.sequenceMode === 'dense') window.gaps += this.#gapsBy(sequence)
    }
    this.#arrivedAt = now
    this.#missing = 0
  }

  /** Missing numbers that a frame opens; −1 when it closes one. */
  #gapsBy(sequence: bigint): number {
    if (this.#highest === 0n) {
      this.#highest = this.#lowest = sequence
      return 0
    }
    let opened: bigint
    if (sequence > this.#highest) {
      opened = sequence - this.#highest - 1n
      this.#highest = sequence
    } else if (sequence < this.#lowest) {
      opened = this.#lowest - sequence - 1n
      this.#lowest = sequence
    } else return -1
    this.counters.sla.gap += Number(opened)
    return Number(opened)
  }

  /** Counts the frames that should have come by now. */
  check(now: number): void {
    const due = this.#due(now)
    if (due <= this.#missing) return
    const missing = due - this.#missing
    this.#missing = due
    this.counters.sla.missing += missing
    this.windows.at(now).missing += missing
  }

  /** Every full period behind the last arrival and the grace is one. */
  #due(now: number): number {
    const { frequencyMs, slaMs } = this.#stream
    if (frequencyMs === null || this.#arrivedAt === undefined || this.#pausedAt !== undefined) return 0
    const grace = Math.max(slaMs, frequencyMs)
    return Math.max(0, Math.floor((now - this.#arrivedAt - grace) / frequencyMs))
  }

  /** Frames are missing now. */
  stalled(now: number): boolean {
    return this.#due(now) > 0
  }

  /** When to look again, in milliseconds; undefined: nothing can be missing. */
  get checkEveryMs(): number | undefined {
    const { frequencyMs } = this.#stream
    return frequencyMs === null || this.#pausedAt !== undefined ? undefined : Math.min(frequencyMs, 1000)
  }
}
