import type { Clock } from '../core/clock.ts'
import { StreamError } from './errors.ts'

const STOP_TIMEOUT_MS = 30_000

/** The end of a run: asked for, waited for, and enforced after a time limit. */
export class Shutdown {
  readonly #clock: Clock
  readonly #asked = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  readonly #abandonment = Promise.withResolvers<void>()
  readonly #over = new AbortController()
  /** The end is asked for: `signal` has aborted. */
  requested = false
  /** A message is being worked on; else the consumer is waited for. */
  inHand = false
  /** The work in hand took too long: what it comes to counts no more. */
  abandoned = false
  timeoutMs = STOP_TIMEOUT_MS

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Aborts when the end is asked for. */
  get signal(): AbortSignal {
    return this.#asked.signal
  }

  /** Resolves when the run has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  request(timeoutMs: number = STOP_TIMEOUT_MS): void {
    if (this.requested) return
    this.timeoutMs = timeoutMs
    this.requested = true
    this.#asked.abort(new StreamError('ShutdownRequested'))
    void this.#enforce(timeoutMs)
  }

  /** Like the loop, or resolves when it is abandoned. */
  guard(loop: Promise<void>): Promise<void> {
    return Promise.race([loop, this.#abandonment.promise])
  }

  /** Stops at the abort of a signal, and at SIGTERM and SIGINT; the result takes that back. */
  listen(signal: AbortSignal | undefined, handleSignals: boolean): () => void {
    const stop = (): void => this.request()
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop)
    const names = handleSignals ? (['SIGTERM', 'SIGINT'] as const) : []
    for (const name of names) process.on(name, stop)
    return () => {
      signal?.removeEventListener('abort', stop)
      for (const name of names) process.off(name, stop)
    }
  }

  /** The loop has ended: nothing is enforced any more, and nothing can be processed. */
  close(): void {
    this.#over.abort()
    if (this.requested) return
    this.requested = true
    this.#asked.abort(new StreamError('ShutdownRequested'))
  }

  /** The run has ended. */
  end(): void {
    this.#ended.resolve()
  }

  async #enforce(timeoutMs: number): Promise<void> {
    // A consumer that heeds the signal lets go within a turn; of one that does not, nothing is in hand.
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    if (this.inHand) await this.#clock.sleep(timeoutMs, this.#over.signal)
    if (this.#over.signal.aborted) return
    this.abandoned = true
    this.#abandonment.resolve()
  }
}
