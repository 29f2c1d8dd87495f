import { type Clock, systemClock } from '../../core/clock.ts'
import { ProcessingDecision, SkipReason } from '../decision.ts'
import type { Message } from '../message.ts'
import type { Processor } from '../processor.ts'
import { duration, refuseUnknown } from '../settings.ts'

export interface TimeWindowOptions {
  /** Milliseconds, or a text such as `1h`; no limit when absent. */
  readonly maxAgeMs?: number | string | undefined
  readonly maxAheadMs?: number | string | undefined
  readonly clock?: Clock | undefined
}

/** Messages whose timestamp lies outside now − maxAge … now + maxAhead (both inclusive) are `OutOfWindow`. */
export class TimeWindowProcessor implements Processor {
  readonly #maxAgeMs: number
  readonly #maxAheadMs: number
  readonly #clock: Clock

  constructor(options: TimeWindowOptions = {}) {
    refuseUnknown('a time window', options, { maxAgeMs: true, maxAheadMs: true, clock: true })
    const { maxAgeMs, maxAheadMs = 1000, clock = systemClock } = options
    this.#maxAgeMs = maxAgeMs === undefined ? Number.POSITIVE_INFINITY : duration('maxAgeMs', maxAgeMs)
    this.#maxAheadMs = duration('maxAheadMs', maxAheadMs)
    this.#clock = clock
  }

  process(message: Message): ProcessingDecision {
    const ageMs = (this.#clock.nowMicros() - Number(message.metadata.timestamp)) / 1000
    if (ageMs > this.#maxAgeMs) return outside(`${ageMs} ms old, more than ${this.#maxAgeMs}`)
    if (-ageMs > this.#maxAheadMs) return outside(`${-ageMs} ms ahead of the clock, more than ${this.#maxAheadMs}`)
    return ProcessingDecision.process
  }
}

const outside = (reason: string): ProcessingDecision => ProcessingDecision.skip(SkipReason.outOfWindow(reason))
