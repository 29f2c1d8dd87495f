import type { Clock } from '../../../core/clock.ts'

/** After a hint the next look comes no sooner than this behind the last one, nor than so many times its length. */
const HINT_GAP_MS = 20
const HINT_GAP_LOOKS = 9

/**
 * Looks at the file system at intervals while somebody waits, and wakes everybody who does. One timer for all; none
 * while nobody waits.
 */
export class Pulse implements Disposable {
  readonly #clock: Clock
  readonly #look: () => void
  readonly #intervalMs: () => number
  #waiting = new Set<{ readonly dueMs: number; readonly wake: () => void }>()
  /** Ends the sleep between two looks. */
  #sleep: AbortController | undefined
  #running = false
  #disposed = false
  #hinted = false
  #lookedMs: number
  #gapMs = HINT_GAP_MS

  /** `look` must not throw; `intervalMs` is asked before every sleep. The first look was made by the caller. */
  constructor(clock: Clock, look: () => void, intervalMs: () => number) {
    this.#clock = clock
    this.#look = look
    this.#intervalMs = intervalMs
    this.#lookedMs = clock.elapsedMs()
  }

  /** Resolves after the next look, which comes at most `mostMs` from now; after `wake`; or when `signal` aborts. */
  async wait(signal: AbortSignal, mostMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (signal.aborted || this.#disposed) return
    const woken = Promise.withResolvers<void>()
    const waiter = { dueMs: this.#clock.elapsedMs() + mostMs, wake: woken.resolve }
    this.#waiting.add(waiter)
    signal.addEventListener('abort', woken.resolve as () => void, { once: true })
    if (!this.#running) void this.#run()
    else if (mostMs < Number.POSITIVE_INFINITY) this.#sleep?.abort()
    await woken.promise
    signal.removeEventListener('abort', woken.resolve as () => void)
    this.#waiting.delete(waiter)
    if (this.#waiting.size === 0) this.#sleep?.abort()
  }

  /** Wakes everybody, without a look. */
  wake(): void {
    for (const { wake } of this.#waiting) wake()
  }

  /** Something may have changed: the next look comes soon. */
  hint(): void {
    if (this.#hinted) return
    this.#hinted = true
    this.#sleep?.abort()
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.size > 0 && !this.#disposed) {
      const left = this.#dueMs() - this.#clock.elapsedMs()
      if (left > 0) {
        this.#sleep = new AbortController()
        await this.#clock.sleep(left, this.#sleep.signal)
        this.#sleep = undefined
        continue
      }
      this.#hinted = false
      const begunMs = this.#clock.elapsedMs()
      this.#look()
      this.#lookedMs = this.#clock.elapsedMs()
      this.#gapMs = Math.max(HINT_GAP_MS, HINT_GAP_LOOKS * (this.#lookedMs - begunMs))
      const woken = this.#waiting
      this.#waiting = new Set()
      for (const { wake } of woken) wake()
    }
    this.#running = false
  }

  #dueMs(): number {
    const interval = this.#intervalMs()
    let due = this.#lookedMs + (this.#hinted ? Math.min(this.#gapMs, interval) : interval)
    for (const waiter of this.#waiting) due = Math.min(due, waiter.dueMs)
    return due
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    this.#sleep?.abort()
    this.wake()
  }
}
