import { type Clock, systemClock } from '../core/clock.ts'
import { parseDuration } from '../core/option-text.ts'
import { freshSeed, Random } from '../core/random.ts'
import { BackOff, type RetryPolicy } from '../core/retry.ts'
import { DatastreamError } from './errors.ts'

/** Milliseconds, or a text such as `250ms`, `5s`, `1h`. */
export type Duration = number | string

export interface PollingOptions {
  /** Pause before a source that had nothing is asked again; default 2 s. */
  readonly pollInterval?: Duration | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
}

/** Pauses after errors: 1 s, doubled up to 60 s, without end. */
const PATIENT: RetryPolicy = {
  strategy: 'exponential',
  initialMs: 1000,
  maxMs: 60_000,
  multiplier: 2,
  jitter: 0.2,
  attempts: Number.POSITIVE_INFINITY,
}

/** When a source is asked again: after `pollInterval` when it had nothing, after a growing pause when it failed. */
export class Polling {
  readonly #intervalMs: number
  readonly #clock: Clock
  readonly #random: Random
  #backOff: BackOff | undefined

  constructor({ pollInterval, clock, random }: PollingOptions) {
    this.#intervalMs = milliseconds(pollInterval ?? 2000, 'pollInterval')
    this.#clock = clock ?? systemClock
    this.#random = random ?? new Random(freshSeed())
  }

  succeeded(): void {
    this.#backOff = undefined
  }

  async pause(error: DatastreamError | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (error === undefined) this.#backOff = undefined
    else this.#backOff ??= new BackOff(PATIENT, this.#random)
    const asked = error?.retryAfterMs ?? 0
    await this.#clock.sleep(Math.max(this.#backOff?.next() ?? this.#intervalMs, asked), signal)
  }
}

/** At most a day; `ConfigError` for anything else. */
export function milliseconds(value: Duration, name: string): number {
  const ms = typeof value === 'number' ? value : parseDuration(value)
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > 86_400_000) {
    throw new DatastreamError('ConfigError', `${name}: ${JSON.stringify(value)} is no duration of at most a day`, {
      hint: "milliseconds as a number, or a text such as '250ms', '5s', '2m'",
    })
  }
  return ms
}
