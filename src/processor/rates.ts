import type { Clock } from '../core/clock.ts'
import { noCounts, type StreamCounts } from './stream-stats.ts'

const RATED = ['consumed', 'processed', 'skipped', 'failed'] as const

/** Counters and their rates a second since the line before. */
export class Rates {
  readonly #clock: Clock
  #sinceMs: number
  #before: Readonly<StreamCounts> = noCounts()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.elapsedMs()
  }

  line(counts: Readonly<StreamCounts>): Readonly<Record<string, number>> {
    const now = this.#clock.elapsedMs()
    const seconds = Math.max(0.001, (now - this.#sinceMs) / 1000)
    const line: Record<string, number> = { ...counts }
    for (const name of RATED) {
      line[`${name}PerSecond`] = Math.round(((counts[name] - this.#before[name]) / seconds) * 10) / 10
    }
    this.#sinceMs = now
    this.#before = { ...counts }
    return line
  }
}
