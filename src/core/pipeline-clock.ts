import type { Clock } from './clock.ts'

/**
 * The wall clock of one run that no jump of the machine's clock moves: the later of the stored time and the wall at the
 * start, plus the time that has passed (rulings 29).
 */
export class PipelineClock implements Clock {
  readonly #clock: Clock
  readonly #baseMicros: number
  readonly #startMs: number

  /** `storedMicros`: the clock of the run that is taken up. */
  constructor(clock: Clock, storedMicros: number | undefined) {
    this.#clock = clock
    this.#baseMicros = Math.max(storedMicros ?? 0, clock.nowMicros())
    this.#startMs = clock.elapsedMs()
  }

  nowMicros(): number {
    return this.#baseMicros + Math.floor((this.#clock.elapsedMs() - this.#startMs) * 1000)
  }

  elapsedMs(): number {
    return this.#clock.elapsedMs()
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal)
  }
}
