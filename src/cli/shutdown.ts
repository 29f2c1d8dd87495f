import type { Clock } from '../core/clock.ts'

/**
 * Calls `expire` when whoever was told to stop by `signal` has not finished within `ms` (delivery.md §11); `finished`
 * ends the wait.
 */
export class ShutdownLimit {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #ms: number
  readonly #expire: () => void
  readonly #done = new AbortController()

  constructor(clock: Clock, signal: AbortSignal, form: { readonly ms: number; readonly expire: () => void }) {
    this.#clock = clock
    this.#signal = signal
    this.#ms = form.ms
    this.#expire = form.expire
    if (signal.aborted) void this.#watch()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  readonly #onAbort = (): void => void this.#watch()

  async #watch(): Promise<void> {
    await this.#clock.sleep(this.#ms, this.#done.signal)
    if (!this.#done.signal.aborted) this.#expire()
  }

  finished(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#done.abort()
  }
}
