import type {
  Health,
  Offset,
  Source,
  SourceContext,
  SourceItem,
  SplitEvent,
  SplitReader,
} from '../../connectors/contract.ts'
import { RowBatches } from '../../connectors/row-batches.ts'
import type { Row } from '../../core/row-batch.ts'
import { StreamingError } from '../errors.ts'
import type { NamedStream } from '../named-streams.ts'
import type { Subscription } from '../subscription.ts'

/** One split: what a subscriber of the stream gets. */
export class InstanceSource implements Source {
  readonly #context: SourceContext
  readonly #stream: NamedStream
  readonly #subscription: Subscription<unknown>

  constructor(context: SourceContext, stream: NamedStream) {
    this.#context = context
    this.#stream = stream
    this.#subscription = stream.sink.subscribe({ name: `${context.pipeline ?? 'query'}/${context.part}` })
  }

  incarnation(): Promise<string> {
    return Promise.resolve(`stream:${this.#stream.sink.name}`)
  }

  async *splits(): AsyncIterable<SplitEvent> {
    yield { kind: 'added', split: { id: this.#stream.sink.name } }
    yield { kind: 'complete' }
  }

  open(): SplitReader {
    return new InstanceReader(this.#context, this.#stream, this.#subscription)
  }

  async lag(): Promise<{ readonly records: bigint }> {
    return { records: BigInt(this.#subscription.pending) }
  }

  async health(): Promise<Health> {
    const { missed } = this.#subscription
    if (missed === 0) return { state: 'healthy', issues: [] }
    return { state: 'degraded', issues: [{ code: 'stream_items_dropped', detail: `${missed} items were dropped` }] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscription.close()
  }
}

class InstanceReader implements SplitReader {
  readonly #context: SourceContext
  readonly #stream: NamedStream
  readonly #subscription: Subscription<unknown>
  readonly #batches: RowBatches

  constructor(context: SourceContext, stream: NamedStream, subscription: Subscription<unknown>) {
    this.#context = context
    this.#stream = stream
    this.#subscription = subscription
    const { name } = stream.sink
    this.#batches = new RowBatches(context, { split: name, source: `stream:${name}` })
  }

  /** A stream keeps nothing that was read: a stored position only counts on. */
  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    let position = Number(/^i1:(\d+)$/.exec(from ?? '')?.[1] ?? 0)
    for (;;) {
      const rows = await this.#take(signal)
      if (rows === undefined) return
      const first = position
      position += rows.length
      yield this.#batches.item(rows, this.#stream.schema, { first, next: `i1:${position}` })
    }
  }

  async #take(signal: AbortSignal): Promise<Row[] | undefined> {
    if (signal.aborted) return undefined
    const values: unknown[] = []
    try {
      values.push(await this.#subscription.recv({ signal }))
    } catch (error) {
      if (signal.aborted || (error instanceof StreamingError && error.kind === 'Disconnected')) return undefined
      throw error
    }
    this.#subscription.pollBatchInto(values, this.#context.batchRows - 1)
    return values.map((value) => this.#stream.toRow(value))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#batches[Symbol.dispose]()
  }
}
