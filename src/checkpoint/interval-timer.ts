import type { Clock } from '../core/clock.ts'

/**
 * Calls `tick` at fixed steps after its start: a late tick shifts no later one, and a step that falls into a running
 * `tick` is skipped and counted. It alone does not keep the process alive when the clock's timers do not.
 */
export class IntervalTimer {
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #done: Promise<void>
  readonly #onSkip: (steps: number) => void
  #due = 0
  /** Steps that fell into a running tick. */
  skipped = 0

  /** `onSkip` is told of steps that fell into a running tick. */
  constructor(
    clock: Clock,
    intervalMs: number,
    tick: () => Promise<void>,
    onSkip: (steps: number) => void = () => undefined,
  ) {
    this.#clock = clock
    this.#onSkip = onSkip
    this.#done = this.#run(intervalMs, tick)
  }

  async #run(intervalMs: number, tick: () => Promise<void>): Promise<void> {
    const started = this.#clock.elapsedMs()
    for (let step = 1; ; step++) {
      this.#due = started + step * intervalMs
      const wait = this.#due - this.#clock.elapsedMs()
      await this.#clock.sleep(Math.max(0, wait), this.#stop.signal)
      if (this.#stop.signal.aborted) return
      await tick()
      const missed = Math.floor((this.#clock.elapsedMs() - started) / intervalMs) - step
      if (missed > 0) {
        this.skipped += missed
        this.#onSkip(missed)
        step += missed
      }
    }
  }

  /** Until the next step. */
  get nextMs(): number {
    return Math.max(0, this.#due - this.#clock.elapsedMs())
  }

  /** Resolves when no tick runs any more. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }
}
