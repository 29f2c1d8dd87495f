import type { Batch } from '../../core/batch.ts'
import type { Encoder } from '../../formats/encoder.ts'
import type { Health, Sink, SinkContext, SinkReject } from '../contract.ts'
import type { BlackholeOptions } from './options.ts'

/** Takes everything, keeps a count and a hash: the sum, modulo 2³², of FNV-1a over each row as JSON. */
export class BlackholeSink implements Sink {
  readonly #encoder: Encoder | undefined
  readonly counts: BlackholeCounts

  constructor(context: SinkContext) {
    const { hash } = context.options as BlackholeOptions
    this.#encoder = hash ? context.encoder('jsonl') : undefined
    this.counts = context.shared.get<BlackholeCounts>('blackhole', () => ({ rows: 0, hash: 0 }))
  }

  async write(batch: Batch): Promise<readonly SinkReject[]> {
    this.counts.rows += batch.rows
    if (this.#encoder === undefined) return []
    const bytes = this.#encoder.encode(batch)
    const { rowEnds } = this.#encoder
    let start = 0
    for (let row = 0; row < batch.rows; row++) {
      const end = rowEnds[row]!
      let hash = 0x811c9dc5
      for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
      this.counts.hash = (this.counts.hash + hash) >>> 0
      start = end
    }
    return []
  }

  async flush(): Promise<readonly SinkReject[]> {
    return []
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#encoder?.[Symbol.dispose]()
  }
}

/** Totals of all blackhole sinks of an instance. */
export interface BlackholeCounts {
  rows: number
  hash: number
}
