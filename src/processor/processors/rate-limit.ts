import { type Clock, systemClock } from '../../core/clock.ts'
import { ProcessingDecision, SkipReason } from '../decision.ts'
import type { Message } from '../message.ts'
import type { Processor } from '../processor.ts'
import { needFunction, oneOf, positive, refuseUnknown } from '../settings.ts'

export interface RateLimitOptions {
  readonly perSecond: number
  /** Messages that may come at once; `perSecond` when absent. */
  readonly burst?: number | undefined
  /** One limit for each key; one for all when absent. */
  readonly key?: ((message: Message) => string) | undefined
  /** `skip`: too many are `RateLimited`. `wait`: they are delayed. */
  readonly mode?: 'skip' | 'wait' | undefined
  readonly clock?: Clock | undefined
}

/** Keys with a bucket at once; the one that was used longest ago gives way, and begins with a full bucket. */
const KEYS_MAX = 10_000
const LIMITED = ProcessingDecision.skip(SkipReason.rateLimited)

interface Bucket {
  tokens: number
  /** Milliseconds of the last filling. */
  atMs: number
}

/** A token bucket for each key. */
export class RateLimitProcessor implements Processor {
  readonly #perMs: number
  readonly #burst: number
  readonly #key: (message: Message) => string
  readonly #mode: 'skip' | 'wait'
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  constructor(options: RateLimitOptions) {
    refuseUnknown('a rate limit', options ?? {}, { perSecond: true, burst: true, key: true, mode: true, clock: true })
    const { perSecond, burst = perSecond, key = () => '', mode = 'skip', clock = systemClock } = options ?? {}
    needFunction('key', key)
    this.#perMs = positive('perSecond', perSecond) / 1000
    this.#burst = Math.max(1, positive('burst', burst))
    this.#key = key
    this.#mode = oneOf('mode', mode, ['skip', 'wait'])
    this.#clock = clock
  }

  process(message: Message): ProcessingDecision | Promise<ProcessingDecision> {
    const bucket = this.#bucket(this.#key(message))
    if (this.#mode === 'skip') {
      if (bucket.tokens < 1) return LIMITED
      bucket.tokens--
      return ProcessingDecision.process
    }
    // A debt is a place in the queue: who comes later waits longer.
    bucket.tokens--
    if (bucket.tokens >= 0) return ProcessingDecision.process
    return this.#clock.sleep(-bucket.tokens / this.#perMs).then(() => ProcessingDecision.process)
  }

  /** Keys that have a bucket. */
  get keys(): number {
    return this.#buckets.size
  }

  #bucket(key: string): Bucket {
    const nowMs = this.#clock.elapsedMs()
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      if (this.#buckets.size >= KEYS_MAX) this.#buckets.delete(this.#buckets.keys().next().value!)
      bucket = { tokens: this.#burst, atMs: nowMs }
    } else {
      this.#buckets.delete(key)
      bucket.tokens = Math.min(this.#burst, bucket.tokens + (nowMs - bucket.atMs) * this.#perMs)
      bucket.atMs = nowMs
    }
    this.#buckets.set(key, bucket)
    return bucket
  }
}
