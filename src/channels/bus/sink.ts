import type { Health, Sink, SinkContext, SinkReject } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import { rowAt } from '../../core/row-batch.ts'
import { type RowTopic, topicName, topicOf } from './client.ts'
import type { BusOptions } from './options.ts'

/** Publishes every row; nobody has to listen. */
export class BusSink implements Sink {
  readonly #topic: RowTopic

  constructor(context: SinkContext) {
    this.#topic = topicOf(context.shared, topicName(context.uri), context.options as BusOptions)
    this.#topic.schema ??= context.schema
  }

  async write(batch: Batch): Promise<readonly SinkReject[]> {
    for (let i = 0; i < batch.rows; i++) await this.#topic.topic.publish(rowAt(batch, i))
    return []
  }

  async flush(): Promise<readonly SinkReject[]> {
    return []
  }

  /** A topic has no end: other writers may go on. */
  async finish(): Promise<boolean> {
    return true
  }

  async health(): Promise<Health> {
    const issues = this.#topic.topic.broadcast
      .subscribers()
      .filter(({ isLagging }) => isLagging)
      .map(({ name, lag }) => ({
        code: 'broadcast_slow_subscriber_timeout',
        detail: `"${name}" is ${lag} rows behind`,
      }))
    return { state: issues.length === 0 ? 'healthy' : 'degraded', issues }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
