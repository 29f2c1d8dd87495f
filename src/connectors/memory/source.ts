import { CHANGE } from '../../core/change.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { RingReader } from '../../core/ring.ts'
import { BatchBuilder, type Row } from '../../core/row-batch.ts'
import { systemValue } from '../../core/system-values.ts'
import type { Value } from '../../core/values.ts'
import type { Reject } from '../../formats/decoder.ts'
import type { Health, Offset, Source, SourceContext, SourceItem, SplitEvent, SplitReader } from '../contract.ts'
import { type Channel, channelName, channelOf } from './client.ts'
import type { MemoryOptions } from './options.ts'

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
  readonly #name: string
  readonly #context: SourceContext
  readonly #builder: BatchBuilder
  #reader: RingReader<Row> | undefined

  constructor(channel: Channel, name: string, context: SourceContext) {
    this.#channel = channel
    this.#name = name
    this.#context = context
    this.#builder = new BatchBuilder(context.schema, Math.max(2, context.batchRows), context.memory)
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const reader = this.#channel.ring.reader(from === undefined ? undefined : positionOf(from))
    this.#reader = reader
    for (;;) {
      const first = reader.next
      const rows = await this.#take(reader, signal)
      if (rows === undefined) return
      const ingestMicros = this.#context.clock.nowMicros()
      this.#builder.reset()
      const rejects: Reject[] = []
      const ordinals: number[] = []
      for (const [i, row] of rows.entries()) {
        const values = this.#select(row, first + i, ingestMicros)
        const missing = this.#context.columns.findIndex(({ required }, at) => required && values[at] === null)
        if (missing >= 0) {
          rejects.push(this.#reject(row, first - 1 + i, missing))
          continue
        }
        this.#builder.append(values, row.change)
        ordinals.push(i)
      }
      const provenance = {
        split: this.#name,
        rowOrdinal: first - 1,
        ordinals: rejects.length === 0 ? undefined : Int32Array.from(ordinals),
        ingestMicros,
      }
      const batch = ordinals.length === 0 ? undefined : this.#builder.finish(provenance)
      yield { kind: 'batch', batch, next: `m1:${reader.next}`, rejects }
    }
  }

  /** The next rows; the halves of an update stay in one batch, which a batch of one row grows for. */
  async #take(reader: RingReader<Row>, signal: AbortSignal): Promise<readonly Row[] | undefined> {
    const rows = await reader.take(this.#context.batchRows, signal, (held) => {
      return held.length > 1 && held.at(-1)!.change === CHANGE.updateBefore ? held.length - 1 : held.length
    })
    if (rows?.at(-1)?.change !== CHANGE.updateBefore) return rows
    const rest = await reader.take(1, signal)
    return rest === undefined ? rows : [...rows, ...rest]
  }

  /** NOT NULL of a declared column: the row as JSON text, as a channel has no bytes. */
  #reject(row: Row, ordinal: number, column: number): Reject {
    const members = this.#channel.schema!.fields.map(({ name }, i) => [name, row.values[i]])
    const text = JSON.stringify(Object.fromEntries(members), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    const { name } = this.#context.columns[column]!
    const detail = `column ${JSON.stringify(name)} is NULL`
    return { ordinal, byte: 0, bytes: Buffer.from(text), code: 'row_not_null_violated', detail }
  }

  /** The wanted columns of a row by name, then the system columns. */
  #select(row: Row, sequence: number, ingestMicros: number): Value[] {
    const { fields } = this.#channel.schema!
    const values = this.#context.columns.map((column) => {
      const index = fields.findIndex((field) => field.name === column.path[0])
      let value = row.values[index] ?? null
      let type = fields[index]?.type
      for (const name of column.path.slice(1)) {
        if (type?.kind !== 'struct') break
        const at = type.fields.findIndex((field) => field.name === name)
        value = value === null ? null : ((value as readonly Value[])[at] ?? null)
        type = type.fields[at]?.type
      }
      return value
    })
    const facts = {
      split: this.#name,
      source: `memory:${this.#name}`,
      offset: sequence,
      ingestMicros,
      change: row.change,
    }
    for (const name of this.#context.systemColumns) values.push(systemValue(name, facts))
    return values
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader?.[Symbol.dispose]()
    this.#reader = undefined
    this.#builder[Symbol.dispose]()
  }
}

function positionOf(offset: Offset): number {
  const match = /^m1:(\d+)$/.exec(offset)
  if (match === null) throw new HeadraceError('connector_offset_invalid', `"${offset}" is not a channel position`)
  return Number(match[1])
}
