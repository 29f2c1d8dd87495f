import { CHANGE } from '../../core/change.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { Row } from '../../core/row-batch.ts'
import type { Health, Offset, Source, SourceContext, SourceItem, SplitEvent, SplitReader } from '../contract.ts'
import { RowBatches } from '../row-batches.ts'
import { type Channel, channelName, channelOf } from './client.ts'
import type { MemoryOptions } from './options.ts'
import type { KeptReader } from './parts/kept-ring.ts'

/** One split; every reader sees every row. */
export class MemorySource implements Source {
  readonly #context: SourceContext
  readonly #name: string
  readonly #channel: Channel
  /** Under which rows are kept until they are acknowledged; undefined without checkpoints. */
  readonly #holder: string | undefined

  constructor(context: SourceContext) {
    this.#context = context
    this.#name = channelName(context.uri)
    this.#channel = channelOf(context.shared, this.#name, context.options as MemoryOptions)
    if (context.lineage === undefined) return
    this.#holder = `${context.pipeline} ${context.part}`
    this.#channel.ring.hold(this.#holder, this.#channel.ring.firstSequence)
  }

  incarnation(): Promise<string> {
    return Promise.resolve(`memory:${this.#name}`)
  }

  async *splits(): AsyncIterable<SplitEvent> {
    yield { kind: 'added', split: { id: this.#name } }
    yield { kind: 'complete' }
  }

  open(): SplitReader {
    return new MemoryReader(this.#channel, this.#name, this.#context)
  }

  /** Rows before it are freed. */
  async ack(upTo: ReadonlyMap<string, Offset>): Promise<void> {
    const offset = upTo.get(this.#name)
    if (this.#holder !== undefined && offset !== undefined) this.#channel.ring.hold(this.#holder, positionOf(offset))
  }

  health(): Promise<Health> {
    const { ring } = this.#channel
    const degraded = ring.length > 0.9 * ring.options.capacity
    return Promise.resolve({ state: degraded ? 'degraded' : 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class MemoryReader implements SplitReader {
  readonly #channel: Channel
  readonly #context: SourceContext
  readonly #batches: RowBatches
  #reader: KeptReader<Row> | undefined

  constructor(channel: Channel, name: string, context: SourceContext) {
    this.#channel = channel
    this.#context = context
    this.#batches = new RowBatches(context, { split: name, source: `memory:${name}` })
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const reader = this.#channel.ring.reader(from === undefined ? undefined : positionOf(from))
    this.#reader = reader
    for (;;) {
      const first = reader.next - 1
      const rows = await this.#take(reader, signal)
      if (rows === undefined) return
      yield this.#batches.item(rows, this.#channel.schema!, { first, next: `m1:${reader.next}` })
    }
  }

  /** The next rows; the halves of an update stay in one batch, which a batch of one row grows for. */
  async #take(reader: KeptReader<Row>, signal: AbortSignal): Promise<readonly Row[] | undefined> {
    const rows = await reader.take(this.#context.batchRows, signal, (held) => {
      return held.length > 1 && held.at(-1)!.change === CHANGE.updateBefore ? held.length - 1 : held.length
    })
    if (rows?.at(-1)?.change !== CHANGE.updateBefore) return rows
    const rest = await reader.take(1, signal)
    return rest === undefined ? rows : [...rows, ...rest]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader?.[Symbol.dispose]()
    this.#reader = undefined
    this.#batches[Symbol.dispose]()
  }
}

function positionOf(offset: Offset): number {
  const match = /^m1:(\d+)$/.exec(offset)
  if (match === null) throw new HeadraceError('connector_offset_invalid', `"${offset}" is not a channel position`)
  return Number(match[1])
}
