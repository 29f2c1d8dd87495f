import type { Health, Sink, SinkContext, SinkReject } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import { rowAt } from '../../core/row-batch.ts'
import type { NamedStream } from '../named-streams.ts'
import { namedStream } from '../named-streams.ts'
import { streamName } from './client.ts'

/** Pushes every row into the stream. */
export class InstanceSink implements Sink {
  readonly #stream: NamedStream

  constructor(context: SinkContext) {
    this.#stream = namedStream(context.shared, streamName(context.uri))
  }

  async write(batch: Batch): Promise<readonly SinkReject[]> {
    const { source } = this.#stream
    for (let i = 0; i < batch.rows; i++) await source.push(this.#stream.ofRow(rowAt(batch, i)))
    return []
  }

  async flush(): Promise<readonly SinkReject[]> {
    return []
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
