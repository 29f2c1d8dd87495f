import { type Clock, systemClock } from '../../core/clock.ts'
import { ProcessingDecision, SkipReason } from '../decision.ts'
import type { Message } from '../message.ts'
import type { Processor } from '../processor.ts'
import { duration, needFunction, positive, refuseUnknown } from '../settings.ts'

export interface DedupeOptions {
  /** The id of the message when absent. */
  readonly key?: ((message: Message) => string) | undefined
  /** Milliseconds, or a text such as `5m`. */
  readonly windowMs?: number | string | undefined
  readonly maxEntries?: number | undefined
  readonly clock?: Clock | undefined
}

const DUPLICATE = ProcessingDecision.skip(SkipReason.duplicate)

/**
 * A message whose key was confirmed within the window is a `Duplicate`. A key is remembered only when the sink has taken
 * its message; when there are too many the oldest leaves first.
 */
export class DedupeProcessor implements Processor {
  readonly #key: (message: Message) => string
  readonly #windowMs: number
  readonly #maxEntries: number
  readonly #clock: Clock
  /** Key → milliseconds of its confirmation; the oldest first. */
  readonly #seen = new Map<string, number>()
  #evicted = 0

  constructor(options: DedupeOptions = {}) {
    refuseUnknown('a dedupe processor', options, { key: true, windowMs: true, maxEntries: true, clock: true })
    const { key = (message) => message.id, windowMs = 300_000, maxEntries = 100_000, clock = systemClock } = options
    needFunction('key', key)
    this.#key = key
    this.#windowMs = positive('windowMs', duration('windowMs', windowMs))
    this.#maxEntries = positive('maxEntries', maxEntries)
    this.#clock = clock
  }

  process(message: Message): ProcessingDecision {
    const seenAt = this.#seen.get(this.#key(message))
    if (seenAt === undefined) return ProcessingDecision.process
    return this.#clock.elapsedMs() - seenAt < this.#windowMs ? DUPLICATE : ProcessingDecision.process
  }

  confirm(message: Message): void {
    const now = this.#clock.elapsedMs()
    const key = this.#key(message)
    this.#seen.delete(key)
    this.#seen.set(key, now)
    for (const [old, seenAt] of this.#seen) {
      const isOver = this.#seen.size > this.#maxEntries
      if (now - seenAt < this.#windowMs && !isOver) return
      this.#seen.delete(old)
      if (now - seenAt < this.#windowMs) this.#evicted++
    }
  }

  /** Keys that are remembered. */
  get entries(): number {
    return this.#seen.size
  }

  /** Keys that left before their window had passed, for want of room. */
  get evicted(): number {
    return this.#evicted
  }
}
