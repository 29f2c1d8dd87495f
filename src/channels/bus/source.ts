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
import { HeadraceError } from '../../core/errors.ts'
import type { Row } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import type { BroadcastSubscriber } from '../broadcast.ts'
import { BroadcastError } from '../errors.ts'
import { type RowTopic, topicName, topicOf } from './client.ts'
import type { BusOptions } from './options.ts'

/** One split: what is published from its opening on. */
export class BusSource implements Source {
  readonly #context: SourceContext
  readonly #name: string
  readonly #topic: RowTopic
  /** Joined when the source is opened: what is published before it is read is not lost. */
  readonly #subscriber: BroadcastSubscriber<Row>

  constructor(context: SourceContext) {
    this.#context = context
    this.#name = topicName(context.uri)
    this.#topic = topicOf(context.shared, this.#name, context.options as BusOptions)
    this.#subscriber = this.#topic.topic.subscribe(`${context.pipeline ?? 'query'}/${context.part}`)
  }

  incarnation(): Promise<string> {
    return Promise.resolve(`bus:${this.#name}`)
  }

  async *splits(): AsyncIterable<SplitEvent> {
    yield { kind: 'added', split: { id: this.#name } }
    yield { kind: 'complete' }
  }

  open(): SplitReader {
    return new BusReader(this.#context, { name: this.#name, topic: this.#topic, subscriber: this.#subscriber })
  }

  async lag(): Promise<{ readonly records: bigint }> {
    return { records: BigInt(this.#subscriber.lag) }
  }

  async health(): Promise<Health> {
    const { skipped, lag } = this.#subscriber
    const { broadcast } = this.#topic.topic
    const issues = []
    if (skipped > 0) issues.push({ code: 'bus_rows_skipped', detail: `${skipped} rows were skipped` })
    if (broadcast.isLagging(this.#subscriber)) issues.push({ code: 'bus_lag', detail: `${lag} rows behind` })
    return { state: issues.length === 0 ? 'healthy' : 'degraded', issues }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscriber.close()
  }
}

class BusReader implements SplitReader {
  readonly #context: SourceContext
  readonly #batches: RowBatches
  readonly #topic: RowTopic
  readonly #subscriber: BroadcastSubscriber<Row>

  constructor(
    context: SourceContext,
    at: { readonly name: string; readonly topic: RowTopic; readonly subscriber: BroadcastSubscriber<Row> },
  ) {
    this.#context = context
    this.#topic = at.topic
    this.#subscriber = at.subscriber
    this.#batches = new RowBatches(context, { split: at.name, source: `bus:${at.name}` })
  }

  /** A topic keeps nothing: a stored position only counts on. */
  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    let position = Number(/^b1:(\d+)$/.exec(from ?? '')?.[1] ?? 0)
    for (;;) {
      const rows = await this.#take(signal)
      if (rows === undefined) return
      const first = position
      position += rows.length
      yield this.#batches.item(rows, this.#schema(), { first, next: `b1:${position}` })
    }
  }

  #schema(): Schema {
    const { schema, topic } = this.#topic
    if (schema !== undefined) return schema
    throw new HeadraceError('connector_schema_mismatch', `topic "${topic.name}" has rows and no schema`, {
      hint: 'whoever publishes from code sets the schema of the topic first',
    })
  }

  /** At least one row; undefined when the topic was closed or the signal aborts. */
  async #take(signal: AbortSignal): Promise<Row[] | undefined> {
    if (signal.aborted) return undefined
    const rows: Row[] = []
    try {
      rows.push((await this.#subscriber.read({ signal })).value)
    } catch (error) {
      if (signal.aborted || (error instanceof BroadcastError && error.kind === 'Closed')) return undefined
      throw error
    }
    while (rows.length < this.#context.batchRows) {
      const item = this.#subscriber.tryRead()
      if (item === undefined) break
      rows.push(item.value)
    }
    return rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#batches[Symbol.dispose]()
  }
}
