import { described, type OptionNames } from '../core/option-names.ts'
import { parseDuration } from '../core/option-text.ts'
import { StreamError } from './errors.ts'
import { needMethods, refuseUnknown } from './settings.ts'
import type { Sink } from './sink.ts'

/** What becomes of a message that fails. */
export type FailurePolicy =
  /** Later messages go on, commits stay before it: it returns after a restart. */
  | 'hold'
  /** It is tried again, `maxRetries` times; then as `dead_letter` where there is such a sink, else as `hold`. */
  | 'retry'
  /** It goes to the `deadLetter` sink and is done; as `hold` where that fails. */
  | 'dead_letter'
  /** The run ends with the error. */
  | 'stop'

/** The pause after the n-th failure in a row: initial × multiplier^(n−1), at most `maxMs`, ± the share `jitter`. */
export interface Backoff {
  readonly initialMs: number
  readonly multiplier: number
  readonly maxMs: number
  readonly jitter: number
}

/** What of it is given: durations are milliseconds or texts such as `100ms`. */
export interface BackoffInput {
  readonly initialMs?: number | string | undefined
  readonly multiplier?: number | undefined
  readonly maxMs?: number | string | undefined
  readonly jitter?: number | undefined
}

/** Commits are due when either is reached; `ms` also while nothing comes. */
export interface CommitEvery {
  readonly messages: number
  readonly ms: number | null
}

interface Settings {
  readonly autoCommit: boolean
  readonly statsInterval: number | null
  readonly maxConsecutiveFailures: number | null
  readonly failurePolicy: FailurePolicy
  readonly backoff: Backoff | null
  readonly maxRetries: number
  readonly commitEvery: CommitEvery
  readonly maxUncommitted: number
  readonly deadLetter: Sink | null
}

const DEFAULTS: Settings = {
  autoCommit: true,
  statsInterval: 60_000,
  maxConsecutiveFailures: 10,
  failurePolicy: 'hold',
  backoff: { initialMs: 100, multiplier: 2, maxMs: 30_000, jitter: 0.2 },
  maxRetries: 5,
  commitEvery: { messages: 1, ms: null },
  maxUncommitted: 10_000,
  deadLetter: null,
}

const POLICIES: readonly FailurePolicy[] = ['hold', 'retry', 'dead_letter', 'stop']

const NAMES: OptionNames<Settings> = {
  autoCommit: true,
  statsInterval: true,
  maxConsecutiveFailures: true,
  failurePolicy: true,
  backoff: true,
  maxRetries: true,
  commitEvery: true,
  maxUncommitted: true,
  deadLetter: true,
}

/** How a `StreamProcessor` works. It is never changed: every `with…` gives a copy; a bad value throws. */
export class StreamConfig implements Settings {
  readonly autoCommit: boolean
  /** Milliseconds between log lines; null: none. */
  readonly statsInterval: number | null
  /** Null: no limit. */
  readonly maxConsecutiveFailures: number | null
  readonly failurePolicy: FailurePolicy
  /** Null: no pause. */
  readonly backoff: Backoff | null
  readonly maxRetries: number
  readonly commitEvery: CommitEvery
  /** Messages that may be done behind one that is held, in one partition. */
  readonly maxUncommitted: number
  readonly deadLetter: Sink | null

  constructor(settings: { readonly [K in keyof Settings]?: Settings[K] | undefined } = {}) {
    refuseUnknown('a configuration', settings, NAMES)
    const given = Object.entries(settings).filter(([, value]) => value !== undefined)
    const all: Settings = checked({ ...DEFAULTS, ...Object.fromEntries(given) })
    this.autoCommit = all.autoCommit
    this.statsInterval = all.statsInterval
    this.maxConsecutiveFailures = all.maxConsecutiveFailures === 0 ? null : all.maxConsecutiveFailures
    this.failurePolicy = all.failurePolicy
    this.backoff = all.backoff
    this.maxRetries = all.maxRetries
    this.commitEvery = all.commitEvery
    this.maxUncommitted = all.maxUncommitted
    this.deadLetter = all.deadLetter
  }

  withAutoCommit(autoCommit: boolean): StreamConfig {
    return this.#with({ autoCommit })
  }

  /** Milliseconds or a text such as `'5s'`; null: no log line. */
  withStatsInterval(interval: number | string | null): StreamConfig {
    return this.#with({ statsInterval: interval === null ? null : millis('statsInterval', interval, 1) })
  }

  /** Null or 0: no limit. */
  withMaxConsecutiveFailures(limit: number | null): StreamConfig {
    return this.#with({ maxConsecutiveFailures: limit })
  }

  withFailurePolicy(failurePolicy: FailurePolicy): StreamConfig {
    return this.#with({ failurePolicy })
  }

  /** What is not given keeps its value; null: no pause. */
  withBackoff(backoff: BackoffInput | null = {}): StreamConfig {
    if (backoff === null) return this.#with({ backoff })
    refuseUnknown('backoff', backoff, { initialMs: true, multiplier: true, maxMs: true, jitter: true })
    const { multiplier, jitter } = { ...this.backoff, ...backoff }
    const [initialMs, maxMs] = [backoff.initialMs, backoff.maxMs].map((value, i) =>
      value === undefined ? undefined : millis(i === 0 ? 'backoff.initialMs' : 'backoff.maxMs', value, 0),
    )
    const given = Object.entries({ initialMs, multiplier, maxMs, jitter }).filter(([, value]) => value !== undefined)
    return this.#with({ backoff: { ...(this.backoff ?? DEFAULTS.backoff!), ...Object.fromEntries(given) } })
  }

  withMaxRetries(maxRetries: number): StreamConfig {
    return this.#with({ maxRetries })
  }

  /** A number of messages, or messages and time: `{ messages: 1000, ms: '1s' }`. */
  withCommitEvery(
    every: number | { readonly messages?: number | undefined; readonly ms?: number | string | undefined },
  ): StreamConfig {
    const form = typeof every === 'number' ? { messages: every } : every
    refuseUnknown('commitEvery', form, { messages: true, ms: true })
    const { messages, ms } = { messages: undefined, ms: undefined, ...form }
    if (messages === undefined && ms === undefined) throw invalid('commitEvery needs messages, ms or both')
    return this.#with({
      commitEvery: {
        messages: messages ?? Number.MAX_SAFE_INTEGER,
        ms: ms === undefined ? null : millis('commitEvery.ms', ms, 1),
      },
    })
  }

  withMaxUncommitted(maxUncommitted: number): StreamConfig {
    return this.#with({ maxUncommitted })
  }

  withDeadLetter(deadLetter: Sink | null): StreamConfig {
    return this.#with({ deadLetter })
  }

  /** Throws `InvalidConfiguration` for settings that exclude each other. */
  validate(): void {
    if (this.failurePolicy === 'dead_letter' && this.deadLetter === null) {
      throw invalid('failurePolicy dead_letter needs a sink: call withDeadLetter')
    }
  }

  #with(change: Partial<Settings>): StreamConfig {
    return new StreamConfig({ ...this, ...change })
  }
}

/** Throws `InvalidConfiguration` for the first value that cannot be. */
function checked(all: Settings): Settings {
  const { autoCommit, statsInterval, maxConsecutiveFailures: limit, failurePolicy, backoff, commitEvery } = all
  if (typeof autoCommit !== 'boolean') throw invalid(`autoCommit must be true or false, not ${described(autoCommit)}`)
  if (statsInterval !== null) millis('statsInterval', statsInterval, 1)
  if (limit !== null) whole('maxConsecutiveFailures', limit, 0)
  if (!POLICIES.includes(failurePolicy)) {
    throw invalid(`failurePolicy must be one of ${POLICIES.join(', ')}, not ${described(failurePolicy)}`)
  }
  if (backoff !== null) checkBackoff(backoff)
  whole('maxRetries', all.maxRetries, 0)
  whole('commitEvery.messages', commitEvery?.messages, 1)
  if (commitEvery.ms !== null) millis('commitEvery.ms', commitEvery.ms, 1)
  whole('maxUncommitted', all.maxUncommitted, 0)
  if (all.deadLetter !== null) needMethods('deadLetter', all.deadLetter, 'send')
  return all
}

function checkBackoff({ initialMs, multiplier, maxMs, jitter }: Backoff): void {
  if (!(initialMs >= 0) || !(maxMs >= initialMs) || !Number.isFinite(maxMs)) {
    throw invalid(`backoff needs 0 ≤ initialMs ≤ maxMs, not ${String(initialMs)} and ${String(maxMs)}`)
  }
  if (!(multiplier >= 1) || !Number.isFinite(multiplier)) {
    throw invalid(`backoff.multiplier must be at least 1, not ${String(multiplier)}`)
  }
  if (!(jitter >= 0 && jitter < 1))
    throw invalid(`backoff.jitter must be at least 0 and below 1, not ${String(jitter)}`)
}

const invalid = (details: string): StreamError => new StreamError('InvalidConfiguration', { details })

function whole(name: string, value: number | undefined, min: number): number {
  if (Number.isSafeInteger(value) && value! >= min) return value!
  throw invalid(`${name} must be a whole number of at least ${min}, not ${String(value)}`)
}

function millis(name: string, value: number | string, min: number): number {
  const ms = typeof value === 'string' ? parseDuration(value) : value
  if (ms !== undefined && Number.isFinite(ms) && ms >= min) return ms
  throw invalid(`${name} must be milliseconds (at least ${min}) or a text such as '5s', not ${String(value)}`)
}
