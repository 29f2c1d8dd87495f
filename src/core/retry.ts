import type { Clock } from './clock.ts'
import { HeadraceError } from './errors.ts'
import type { Random } from './random.ts'

/** How long to wait between tries (resilience.md §2). */
export interface RetryPolicy {
  readonly strategy: 'fixed' | 'linear' | 'exponential' | 'decorrelated'
  readonly initialMs: number
  readonly maxMs: number
  readonly multiplier: number
  /** ± share of the delay; not used by `decorrelated`, which draws between `initialMs` and 3 × the delay before. */
  readonly jitter: number
  /** Tries in all; Infinity: no limit. */
  readonly attempts: number
}

export const RETRY_DEFAULTS: RetryPolicy = {
  strategy: 'decorrelated',
  initialMs: 100,
  maxMs: 30_000,
  multiplier: 2,
  jitter: 0.2,
  attempts: Number.POSITIVE_INFINITY,
}

/** The delays of one run of failures, in milliseconds. */
export class BackOff {
  readonly #policy: RetryPolicy
  readonly #random: Random
  #failures = 0
  #before: number

  constructor(policy: RetryPolicy, random: Random) {
    this.#policy = policy
    this.#random = random
    this.#before = policy.initialMs
  }

  /** Tries that have failed. */
  get failures(): number {
    return this.#failures
  }

  /** The delay before the next try. */
  next(): number {
    const { strategy, initialMs, maxMs, multiplier, jitter } = this.#policy
    const step = this.#failures++
    if (strategy === 'decorrelated') {
      this.#before = Math.min(maxMs, initialMs + this.#random.float() * (3 * this.#before - initialMs))
      return this.#before
    }
    const growth = { fixed: 1, linear: step + 1, exponential: multiplier ** step }[strategy]
    const spread = 1 + jitter * (2 * this.#random.float() - 1)
    return Math.min(maxMs, initialMs * growth * spread)
  }
}

/** Classes of errors that another try may help. */
export const isRetryable = (error: unknown): boolean =>
  error instanceof HeadraceError && (error.class === 'transient' || error.class === 'throttled')

/**
 * The one way to try again: runs `task` until it succeeds, fails for good, the policy's tries are used up or `signal`
 * aborts. The last error is thrown.
 */
export async function retry<T>(
  task: () => Promise<T>,
  how: {
    readonly policy: RetryPolicy
    readonly clock: Clock
    readonly random: Random
    readonly signal?: AbortSignal | undefined
    readonly onRetry?: ((error: HeadraceError, delayMs: number) => void) | undefined
    /** Milliseconds that the other side asked to be left alone; the wait is at least that. */
    readonly askedMs?: ((error: HeadraceError) => number | undefined) | undefined
  },
): Promise<T> {
  const backOff = new BackOff(how.policy, how.random)
  const aborted = (): boolean => how.signal?.aborted === true
  for (;;) {
    try {
      return await task()
    } catch (error) {
      if (!isRetryable(error) || backOff.failures + 1 >= how.policy.attempts || aborted()) throw error
      const delay = Math.max(backOff.next(), how.askedMs?.(error as HeadraceError) ?? 0)
      how.onRetry?.(error as HeadraceError, delay)
      await how.clock.sleep(delay, how.signal)
      if (aborted()) throw error
    }
  }
}
