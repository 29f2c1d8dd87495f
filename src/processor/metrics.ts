import type { MetricsRegistry } from '../core/metrics-registry.ts'

/** The counters of one processor. */
export class ProcessorMetrics {
  readonly #messages: Readonly<Record<'processed' | 'skipped' | 'failed', { add(amount: number): void }>>
  readonly #commits: Readonly<Record<'ok' | 'failed', { add(amount: number): void }>>

  constructor(registry: MetricsRegistry, processor: string) {
    const messages = (result: string) => registry.counter('headrace_processor_messages_total', { processor, result })
    const commits = (result: string) => registry.counter('headrace_processor_commits_total', { processor, result })
    this.#messages = { processed: messages('processed'), skipped: messages('skipped'), failed: messages('failed') }
    this.#commits = { ok: commits('ok'), failed: commits('failed') }
  }

  message(result: 'processed' | 'skipped' | 'failed'): void {
    this.#messages[result].add(1)
  }

  commit(result: 'ok' | 'failed'): void {
    this.#commits[result].add(1)
  }
}
