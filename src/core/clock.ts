/** Where time comes from. Read at most once per batch: a reading costs as much as a row (engine report §5). */
export interface Clock {
  /** Wall time in microseconds since 1970-01-01T00:00:00Z. */
  nowMicros(): number
  /** Monotonic time in milliseconds, for measuring spans. */
  elapsedMs(): number
  /** Resolves after `ms`, or at once (without error) when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's clock: the one place that reads it. */
export const systemClock: Clock = {
  nowMicros: () => Date.now() * 1000,
  elapsedMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** A clock that stands still until it is told to move; sleepers wake in order. */
export class ManualClock implements Clock {
  #micros: number
  readonly #startMicros: number
  #sleepers: { at: number; wake: () => void }[] = []

  constructor(startMicros = 1_767_225_600_000_000) {
    this.#micros = startMicros
    this.#startMicros = startMicros
  }

  nowMicros(): number {
    return this.#micros
  }

  elapsedMs(): number {
    return (this.#micros - this.#startMicros) / 1000
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const sleeper = { at: this.#micros + ms * 1000, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        resolve()
      })
    })
  }

  advance(ms: number): void {
    this.#micros += ms * 1000
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#micros).sort((a, b) => a.at - b.at)
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#micros)
    for (const sleeper of due) sleeper.wake()
  }
}
