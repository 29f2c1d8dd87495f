import type { Clock } from '../core/clock.ts'
import type { DomainCounters } from './counters.ts'
import type { Frame } from './frame.ts'
import { StreamMonitor } from './monitor.ts'
import { SlaCounts, SlaWindows } from './sla-windows.ts'
import type { Store, StreamBounds, StreamNews } from './store.ts'
import type { Stream } from './stream.ts'
import { TimerWheel } from './timer-wheel.ts'

/** Answer of `sla` (streams-service.md §1.3). Times are milliseconds since 1970. */
export interface SlaAnswer {
  readonly window: number
  readonly total: number
  readonly ok: number
  readonly late: number
  readonly error: number
  readonly missing: number
  readonly out_of_order: number
  readonly gaps: number
  /** Null without frames. */
  readonly ok_ratio: number | null
  readonly latency_ms: {
    readonly p50: number | null
    readonly p95: number | null
    readonly p99: number | null
    readonly max: number | null
  }
  readonly last_frame_at: number | null
  readonly stalled: boolean
}

const DAY_MS = 86_400_000
/** Frames from before the start that are counted at most, the newest. */
const REBUILT_MAX = 100_000
const READ_MAX = 1000

/** The monitors of all streams, and the one timer that finds what is missing. */
export class Monitors {
  readonly #store: Store
  readonly #clock: Clock
  readonly #counters: DomainCounters
  readonly #monitors = new Map<string, StreamMonitor>()
  readonly #wheel: TimerWheel
  /** Where each stream stood when its monitor began, and the counts of the frames before. */
  readonly #past = new Map<string, { readonly upTo: bigint; windows?: Promise<SlaWindows> }>()

  constructor(store: Store, clock: Clock, counters: DomainCounters) {
    this.#store = store
    this.#clock = clock
    this.#counters = counters
    this.#wheel = new TimerWheel(clock)
  }

  /** Looks for missing frames until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#wheel.run(signal, (id) => {
      const monitor = this.#monitors.get(id)
      monitor?.check(this.#nowMs())
      return monitor?.checkEveryMs
    })
  }

  /** A stream that was there when the service began. */
  begin(stream: Stream, bounds: StreamBounds): void {
    const monitor = this.#of(stream)
    const { highestSequence: highest, lowestEver: lowest, releasedPosition, lastPosition } = bounds
    monitor.begin({ highest, lowest, frames: lastPosition > 0n }, this.#nowMs())
    this.#past.set(stream.id, { upTo: releasedPosition })
    this.#schedule(stream.id, monitor)
  }

  onStream(stream: Stream): void {
    const monitor = this.#of(stream)
    monitor.change(stream, this.#nowMs())
    this.#schedule(stream.id, monitor)
  }

  onFrames(stream: Stream, frames: readonly Frame[]): void {
    this.#of(stream).frames(frames, this.#nowMs())
  }

  onDeleted({ streamId }: StreamNews): void {
    this.#monitors.delete(streamId)
    this.#past.delete(streamId)
    this.#wheel.delete(streamId)
  }

  async sla(stream: Stream, windowMs: number): Promise<SlaAnswer> {
    const now = this.#nowMs()
    const monitor = this.#of(stream)
    monitor.check(now)
    const counts = new SlaCounts(now)
    counts.merge((await this.#before(stream, now)).sum(windowMs, now))
    counts.merge(monitor.windows.sum(windowMs, now))
    const { total, statuses, missing, outOfOrder, gaps } = counts
    const bounds = await this.#store.bounds(stream.id)
    return {
      window: windowMs,
      total,
      ...statuses,
      missing,
      out_of_order: outOfOrder,
      gaps: Math.max(0, gaps),
      ok_ratio: total === 0 ? null : statuses.ok / total,
      latency_ms: {
        p50: counts.quantile(0.5),
        p95: counts.quantile(0.95),
        p99: counts.quantile(0.99),
        max: total === 0 ? null : counts.latencyMax,
      },
      last_frame_at: bounds?.lastFrameAt ?? null,
      stalled: monitor.stalled(now),
    }
  }

  /** The frames from before the start, counted when somebody asks. */
  #before(stream: Stream, now: number): Promise<SlaWindows> {
    const past = this.#past.get(stream.id)
    if (past === undefined) return Promise.resolve(new SlaWindows(now))
    past.windows ??= this.#rebuild(stream.id, past.upTo, now)
    return past.windows
  }

  async #rebuild(streamId: string, upTo: bigint, now: number): Promise<SlaWindows> {
    const from = (await this.#store.positionAt(streamId, now - DAY_MS)) ?? upTo
    const newest = upTo - BigInt(REBUILT_MAX)
    let after = from > newest ? from : newest
    if (after < 0n) after = 0n
    const windows = new SlaWindows(now - DAY_MS)
    while (after < upTo) {
      const frames = await this.#store.readFrames(streamId, { after, upTo, limit: READ_MAX })
      if (frames.length === 0) break
      for (const { createdAt, status, latencyMs, outOfOrder } of frames) {
        windows.at(createdAt).frame(status, latencyMs, outOfOrder)
      }
      after = frames.at(-1)!.position
    }
    return windows
  }

  #of(stream: Stream): StreamMonitor {
    let monitor = this.#monitors.get(stream.id)
    if (monitor === undefined) {
      monitor = new StreamMonitor(stream, this.#counters.of(stream.id, stream.accountId), this.#nowMs())
      this.#monitors.set(stream.id, monitor)
      this.#schedule(stream.id, monitor)
    }
    return monitor
  }

  #schedule(id: string, monitor: StreamMonitor): void {
    const ms = monitor.checkEveryMs
    if (ms === undefined) this.#wheel.delete(id)
    else this.#wheel.set(id, ms)
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMicros() / 1000)
  }
}
