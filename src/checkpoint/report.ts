import type { Logger } from '../core/logger.ts'
import type { MetricsRegistry } from '../core/metrics-registry.ts'
import type { CheckpointError } from './error.ts'

/** Share of `max_checkpoint_bytes` from which on a checkpoint is warned of. */
const LARGE = 0.8

/** What a manager tells of its checkpoints: log lines for what goes wrong, counters for everything. */
export class CheckpointReport {
  readonly #logger: Logger
  readonly #metrics: MetricsRegistry | undefined
  readonly #onFailure: (error: CheckpointError) => void
  /** Persists, and flushes of an async log, that failed. */
  failures = 0

  constructor(deps: {
    readonly logger?: Logger | undefined
    readonly metrics?: MetricsRegistry | undefined
    readonly onFailure?: ((error: CheckpointError) => void) | undefined
  }) {
    this.#logger = deps.logger ?? (() => undefined)
    this.#metrics = deps.metrics
    this.#onFailure = deps.onFailure ?? (() => undefined)
  }

  stored(): void {
    this.#add('headrace_checkpoints_total', 1, { result: 'ok' })
  }

  /** `phase`: `persist` of a checkpoint, `wal` of a flush. */
  failed(error: CheckpointError, phase: 'persist' | 'wal'): void {
    this.failures++
    if (phase === 'persist') this.#add('headrace_checkpoints_total', 1, { result: 'failed' })
    this.#add('headrace_checkpoint_failures_total', 1, { phase })
    this.#logger('warn', phase === 'persist' ? 'a checkpoint was not stored' : 'the write-ahead log was not flushed', {
      code: error.code,
      error: error.message,
    })
    this.#onFailure(error)
  }

  /** Steps of the timer that fell into a running checkpoint. */
  skipped(steps: number): void {
    this.#add('headrace_checkpoint_skipped_total', steps)
  }

  /** Bytes of a torn tail that were cut off. */
  repaired(bytes: number): void {
    if (bytes === 0) return
    this.#add('headrace_wal_repaired_bytes_total', bytes)
    this.#logger('warn', 'a torn tail of the write-ahead log was cut off', { bytes })
  }

  sized(bytes: number, most: number | null): void {
    if (most === null || bytes <= LARGE * most) return
    this.#logger('warn', 'a checkpoint is near its largest size', { bytes, max_checkpoint_bytes: most })
  }

  #add(name: string, amount: number, labels: Readonly<Record<string, string>> = {}): void {
    if (amount > 0) this.#metrics?.counter(name, labels).add(amount)
  }
}
