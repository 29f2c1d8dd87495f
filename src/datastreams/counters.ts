import type { FrameStatus } from './frame.ts'

/** Upper bounds in seconds (streams-service.md §10). */
export const LATENCY_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Counts of values by upper bound; the last one counts what is above all. */
export class SecondsHistogram {
  readonly counts = new Float64Array(LATENCY_BUCKETS.length + 1)
  sum = 0
  count = 0

  add(seconds: number): void {
    let at = 0
    while (at < LATENCY_BUCKETS.length && seconds > LATENCY_BUCKETS[at]!) at++
    this.counts[at]!++
    this.sum += seconds
    this.count++
  }
}

export const SLA_OUTCOMES = ['ok', 'late', 'error', 'missing', 'out_of_order', 'gap'] as const
export type SlaOutcome = (typeof SLA_OUTCOMES)[number]

/** What one stream has counted since the service began; numbers only grow. */
export class StreamCounters {
  readonly accountId: string
  framesCreated = 0
  readonly statuses: Record<FrameStatus, number> = { ok: 0, late: 0, error: 0 }
  readonly sla: Record<SlaOutcome, number> = { ok: 0, late: 0, error: 0, missing: 0, out_of_order: 0, gap: 0 }
  readonly latency = new SecondsHistogram()
  duplicates = 0

  constructor(accountId: string) {
    this.accountId = accountId
  }
}

export interface OperationCounter {
  readonly operation: string
  readonly result: string
  readonly seconds: SecondsHistogram
}

/** Streams with counters of their own; what further ones count goes to the stream `other`. */
const STREAMS_MAX = 2000
const ACCOUNTS_MAX = 2000
const OTHER = 'other'

/** Everything that the domain counts, as plain numbers: whoever shows metrics reads them. */
export class DomainCounters {
  readonly streams = new Map<string, StreamCounters>()
  /** By account. */
  readonly streamsCreated = new Map<string, number>()
  readonly streamsUpdated = new Map<string, number>()
  /** Frames that were refused, by error code. */
  readonly rejected = new Map<string, number>()
  readonly busPublished = new Map<'ok' | 'retried' | 'dead' | 'dropped', number>()
  readonly #operations = new Map<string, OperationCounter>()
  /** Frames that wait for the bus, and the age of the oldest in seconds. */
  readonly outbox = { entries: 0, oldestSeconds: 0 }

  of(streamId: string, accountId: string): StreamCounters {
    const known = this.streams.get(streamId)
    if (known !== undefined) return known
    const name = this.streams.size < STREAMS_MAX ? streamId : OTHER
    const counters = this.streams.get(name) ?? new StreamCounters(name === OTHER ? OTHER : accountId)
    this.streams.set(name, counters)
    return counters
  }

  get operations(): Iterable<OperationCounter> {
    return this.#operations.values()
  }

  operation(operation: string, result: string, seconds: number): void {
    const key = `${operation} ${result}`
    let counter = this.#operations.get(key)
    if (counter === undefined) {
      counter = { operation, result, seconds: new SecondsHistogram() }
      this.#operations.set(key, counter)
    }
    counter.seconds.add(seconds)
  }

  account(counts: Map<string, number>, accountId: string): void {
    const name = counts.has(accountId) || counts.size < ACCOUNTS_MAX ? accountId : OTHER
    bump(counts, name)
  }
}

export function bump<K>(counts: Map<K, number>, key: K, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
