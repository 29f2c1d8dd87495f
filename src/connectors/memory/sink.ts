import type { Batch } from '../../core/batch.ts'
import { type Row, rowAt } from '../../core/row-batch.ts'
import type { Health, Sink, SinkContext, SinkReject } from '../contract.ts'
import { type Channel, channelName, channelOf, revisingChannels } from './client.ts'
import type { MemoryOptions } from './options.ts'

/** Rows go into the channel batch by batch, each admitted whole. */
export class MemorySink implements Sink {
  readonly #channel: Channel

  constructor(context: SinkContext) {
    const name = channelName(context.uri)
    this.#channel = channelOf(context.shared, name, context.options as MemoryOptions)
    this.#channel.schema ??= context.schema
    if (context.changes) revisingChannels(context.shared).add(name)
  }

  async write(batch: Batch): Promise<readonly SinkReject[]> {
    const rows: Row[] = []
    for (let i = 0; i < batch.rows; i++) rows.push(rowAt(batch, i))
    await this.#channel.ring.push(rows)
    return []
  }

  async flush(): Promise<readonly SinkReject[]> {
    return []
  }

  /** The end of a bounded pipeline closes the channel, so that its readers end. */
  async finish(complete: boolean): Promise<boolean> {
    if (complete) this.#channel.ring.close()
    return true
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
