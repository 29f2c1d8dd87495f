import type { Clock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import { BackOff } from '../core/retry.ts'
import { bump, type DomainCounters } from './counters.ts'
import type { Frame } from './frame.ts'
import { type FrameBus, messageOf, topicOfStream } from './frame-bus.ts'
import type { Store } from './store.ts'

export interface OutboxOptions {
  /** Frames that may wait; default 1,000,000. */
  readonly max?: number | undefined
  /** What happens beyond it: `block` refuses frames, `drop_oldest` gives up the oldest of the stream. */
  readonly onFull?: 'block' | 'drop_oldest' | undefined
}

export interface OutboxDeps {
  readonly store: Store
  readonly bus: FrameBus
  readonly clock: Clock
  readonly random: Random
  readonly counters: DomainCounters
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** The frames of one stream that the bus has not got. */
interface Lane {
  readonly streamId: string
  /** The bus has everything up to it. */
  done: bigint
  released: bigint
  running: boolean
  deleted: boolean
  /** When the frame that is tried was created. */
  headAt: number | undefined
}

const POLICY = {
  strategy: 'exponential',
  initialMs: 100,
  maxMs: 30_000,
  multiplier: 2,
  jitter: 0,
  attempts: Infinity,
} as const
/** Tries of a frame that the bus refuses for good. */
const REFUSED_MAX = 5
const READ_MAX = 256
const READ_BYTES = 1024 * 1024
/** Lanes that publish at once. */
const LANES_MAX = 64
const WARN_MS = 60_000

/**
 * Publishes what was stored, in the order of positions of each stream. A frame waits here because its position is
 * beyond the one that the store has noted as published: frame and outbox row are one.
 */
export class Outbox {
  readonly #deps: OutboxDeps
  readonly #max: number
  readonly #onFull: 'block' | 'drop_oldest'
  readonly #lanes = new Map<string, Lane>()
  readonly #queue: Lane[] = []
  readonly #warned = new Map<string, number>()
  readonly #abort = new AbortController()
  #active = 0
  #entries = 0
  #idle: PromiseWithResolvers<void> | undefined

  constructor(deps: OutboxDeps, { max = 1_000_000, onFull = 'block' }: OutboxOptions = {}) {
    this.#deps = deps
    this.#max = max
    this.#onFull = onFull
  }

  /** Frames that wait. */
  get entries(): number {
    return this.#entries
  }

  /** Whether that many more frames may be stored. */
  takes(frames: number): boolean {
    return this.#onFull === 'drop_oldest' || this.#entries + frames <= this.#max
  }

  /** Age of the oldest frame that is tried, in milliseconds. */
  oldestMs(now: number): number {
    let oldest = 0
    for (const { headAt, done, released } of this.#lanes.values()) {
      if (headAt !== undefined && released > done) oldest = Math.max(oldest, now - headAt)
    }
    return oldest
  }

  /** By stream: how many wait, and from when the first of them is. */
  waiting(): readonly { readonly streamId: string; readonly entries: bigint; readonly oldestAt: number | undefined }[] {
    return [...this.#lanes.values()]
      .filter(({ done, released }) => released > done)
      .map(({ streamId, done, released, headAt }) => ({ streamId, entries: released - done, oldestAt: headAt }))
  }

  /** Frames of a stream up to `released` may be published; `done`: where it stands, for a stream that is new here. */
  release(streamId: string, released: bigint, done: bigint): void {
    let lane = this.#lanes.get(streamId)
    if (lane === undefined) {
      lane = { streamId, done, released: done, running: false, deleted: false, headAt: undefined }
      this.#lanes.set(streamId, lane)
    }
    if (released <= lane.released) return
    this.#entries += Number(released - lane.released)
    lane.released = released
    if (this.#onFull === 'drop_oldest' && this.#entries > this.#max) this.#drop(lane)
    if (!lane.running) this.#start(lane)
  }

  delete(streamId: string): void {
    const lane = this.#lanes.get(streamId)
    if (lane === undefined) return
    lane.deleted = true
    this.#entries -= Number(lane.released - lane.done)
    lane.done = lane.released
    this.#lanes.delete(streamId)
    this.#warned.delete(streamId)
  }

  /** Resolves when nothing waits, or the signal aborts; then nothing more is published. */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#active > 0 && !signal.aborted) {
      this.#idle = Promise.withResolvers<void>()
      const stop = () => this.#idle?.resolve()
      signal.addEventListener('abort', stop, { once: true })
      await this.#idle.promise
      signal.removeEventListener('abort', stop)
    }
    this.#abort.abort()
  }

  #drop(lane: Lane): void {
    const surplus = BigInt(this.#entries - this.#max)
    const backlog = lane.released - lane.done
    const dropped = surplus < backlog ? surplus : backlog
    this.#advance(lane, lane.done + dropped)
    bump(this.#deps.counters.busPublished, 'dropped', Number(dropped))
  }

  #start(lane: Lane): void {
    lane.running = true
    if (this.#active >= LANES_MAX) {
      this.#queue.push(lane)
      return
    }
    this.#active++
    this.#run(lane)
      .catch((error: unknown) => this.#warn(lane.streamId, 'the outbox cannot read its frames', error))
      .finally(() => {
        lane.running = false
        this.#active--
        const next = this.#queue.shift()
        if (next !== undefined) this.#start(next)
        else if (this.#active === 0) this.#idle?.resolve()
      })
  }

  async #run(lane: Lane): Promise<void> {
    const { store, bus } = this.#deps
    // Frames of one turn are published together.
    await undefined
    while (lane.released > lane.done && !this.#abort.signal.aborted) {
      if (!bus.heard(topicOfStream(lane.streamId))) {
        bump(this.#deps.counters.busPublished, 'ok', Number(lane.released - lane.done))
        this.#advance(lane, lane.released)
        break
      }
      const { done: after, released: upTo, streamId } = lane
      const frames = await store.readFrames(streamId, { after, upTo, limit: READ_MAX, maxBytes: READ_BYTES })
      // What retention took before it was published cannot be: it never does that.
      if (frames.length === 0) this.#advance(lane, upTo)
      for (const frame of frames) {
        if (lane.deleted || this.#abort.signal.aborted) return
        if (frame.position <= lane.done) continue
        lane.headAt = frame.createdAt
        if (await this.#publish(lane, frame)) this.#advance(lane, frame.position)
      }
      await store.published(streamId, lane.done)
    }
    if (!lane.deleted) await store.published(lane.streamId, lane.done)
  }

  #advance(lane: Lane, position: bigint): void {
    if (position <= lane.done) return
    this.#entries -= Number(position - lane.done)
    lane.done = position
  }

  /** False: it was stopped, or given up, before the bus had it. */
  async #publish(lane: Lane, frame: Frame): Promise<boolean> {
    const { bus, clock, random, counters } = this.#deps
    const backOff = new BackOff(POLICY, random)
    const message = messageOf(frame)
    for (let refusals = 0; ; ) {
      try {
        await bus.publish(message)
        bump(counters.busPublished, 'ok')
        return true
      } catch (error) {
        if (isPermanent(error) && ++refusals >= REFUSED_MAX) {
          await this.#bury(frame, error, refusals)
          return true
        }
        bump(counters.busPublished, 'retried')
        this.#warn(lane.streamId, 'the bus does not take a frame', error)
        await clock.sleep(backOff.next(), this.#abort.signal)
        if (this.#abort.signal.aborted || lane.deleted) return false
        // It was given up meanwhile.
        if (frame.position <= lane.done) return false
      }
    }
  }

  async #bury({ streamId, position }: Frame, error: unknown, attempts: number): Promise<void> {
    const { store, clock, counters } = this.#deps
    const at = Math.floor(clock.nowMicros() / 1000)
    await store.putDead({ streamId, position, error: messageText(error), attempts, at })
    bump(counters.busPublished, 'dead')
  }

  /** Once a minute and stream. */
  #warn(streamId: string, message: string, error: unknown): void {
    const now = this.#deps.clock.elapsedMs()
    if (now - (this.#warned.get(streamId) ?? Number.NEGATIVE_INFINITY) < WARN_MS) return
    this.#warned.set(streamId, now)
    this.#deps.warn(message, { stream_id: streamId, error: messageText(error) })
  }
}

/** A refusal that another try does not change: too large, not allowed. */
export const isPermanent = (error: unknown): boolean =>
  !(error instanceof HeadraceError) || error.class === 'permanent' || error.class === 'poison'

const messageText = (error: unknown): string => (error instanceof Error ? error.message : String(error))
