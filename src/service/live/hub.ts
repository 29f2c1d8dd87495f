import type { ServerResponse } from 'node:http'
import type { Clock } from '../../core/clock.ts'
import type { Random } from '../../core/random.ts'
import type { FrameStatus } from '../../datastreams/frame.ts'
import type { Signer } from '../access/signer.ts'
import { Feed } from './feed.ts'
import { LiveCounters } from './live-counters.ts'
import type { LiveSource } from './live-source.ts'
import { SseReader } from './sse-reader.ts'

export interface HubLimits {
  readonly heartbeatMs: number
  readonly readerStallMs: number
  readonly sseMaxMs: number
}

const TICK_MS = 1000
/** Connections that began together do not end together. */
const END_JITTER = 0.1

/** All live readers of the process. */
export class LiveHub {
  readonly counters = new LiveCounters()
  readonly #source: LiveSource
  readonly #signer: Signer
  readonly #clock: Clock
  readonly #random: Random
  readonly #limits: HubLimits
  readonly #feeds = new Map<string, Feed>()
  readonly #readers = new Set<SseReader>()
  readonly #stop = new AbortController()
  #ticking = false

  constructor(
    source: LiveSource,
    signer: Signer,
    { clock, random, limits }: { readonly clock: Clock; readonly random: Random; readonly limits: HubLimits },
  ) {
    this.#source = source
    this.#signer = signer
    this.#clock = clock
    this.#random = random
    this.#limits = limits
  }

  /** Aborts when no more is read: waits end. */
  get stopped(): AbortSignal {
    return this.#stop.signal
  }

  /** Gives a response the events of a stream behind a position; its head was written. */
  openSse(
    response: ServerResponse,
    {
      accountId,
      streamId,
      statuses,
      position,
    }: {
      readonly accountId: string
      readonly streamId: string
      readonly statuses: readonly FrameStatus[] | undefined
      readonly position: bigint
    },
  ): void {
    const key = `${streamId} ${statuses?.join() ?? ''}`
    const feed =
      this.#feeds.get(key) ?? new Feed({ accountId, streamId, statuses, source: this.#source, signer: this.#signer })
    this.#feeds.set(key, feed)
    const now = this.#clock.elapsedMs()
    const { heartbeatMs, readerStallMs: stallMs, sseMaxMs } = this.#limits
    const endsAt = now + sseMaxMs * (1 - END_JITTER / 2 + END_JITTER * this.#random.float())
    const reader: SseReader = new SseReader(response, feed, {
      position,
      now,
      limits: { heartbeatMs, stallMs, endsAt },
      onDelivered: (frames) => {
        this.counters.delivered.sse += frames
      },
      onEnd: (end) => {
        this.counters.subscribers.sse--
        if (end === 'lagged') this.counters.lagged.sse++
        this.#readers.delete(reader)
        if (feed.size === 0 && this.#feeds.get(key) === feed) this.#feeds.delete(key)
      },
    })
    this.counters.subscribers.sse++
    this.#readers.add(reader)
    feed.join(reader)
    reader.begin(streamId)
    if (this.#stop.signal.aborted) reader.resume('shutdown')
    else if (!this.#ticking) void this.#tick()
  }

  async #tick(): Promise<void> {
    this.#ticking = true
    while (this.#readers.size > 0 && !this.#stop.signal.aborted) {
      await this.#clock.sleep(TICK_MS, this.#stop.signal)
      const now = this.#clock.elapsedMs()
      for (const reader of this.#readers) reader.tick(now)
    }
    this.#ticking = false
  }

  /** Every reader gets the place where it goes on elsewhere, and ends. */
  close(): void {
    this.#stop.abort()
    for (const reader of this.#readers) reader.resume('shutdown')
  }
}
