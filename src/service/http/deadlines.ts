import type { Clock } from '../../core/clock.ts'

const SWEEP_MS = 1000

interface Deadline {
  readonly at: number
  readonly expire: () => void
}

/**
 * Time limits of many waits, told to within a second: adding and dropping one costs no timer, because nearly all are
 * dropped long before they are due.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #stop: AbortSignal
  readonly #waiting = new Set<Deadline>()
  #sweeping = false

  constructor(clock: Clock, stop: AbortSignal) {
    this.#clock = clock
    this.#stop = stop
  }

  /** Calls `expire` once `ms` have passed; the returned function drops it. */
  add(ms: number, expire: () => void): () => void {
    const deadline: Deadline = { at: this.#clock.elapsedMs() + ms, expire }
    this.#waiting.add(deadline)
    if (!this.#sweeping) void this.#sweep()
    return () => void this.#waiting.delete(deadline)
  }

  async #sweep(): Promise<void> {
    this.#sweeping = true
    while (this.#waiting.size > 0 && !this.#stop.aborted) {
      await this.#clock.sleep(SWEEP_MS, this.#stop)
      const now = this.#clock.elapsedMs()
      for (const deadline of this.#waiting) {
        if (deadline.at > now) continue
        this.#waiting.delete(deadline)
        deadline.expire()
      }
    }
    this.#sweeping = false
  }
}
