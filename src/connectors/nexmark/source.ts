import type { Batch } from '../../core/batch.ts'
import type { Column } from '../../core/column.ts'
import { ColumnBuilder } from '../../core/column-builder.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { Scratch } from '../../core/scratch.ts'
import { systemValue } from '../../core/system-values.ts'
import type { Value } from '../../core/values.ts'
import type { Health, Offset, Source, SourceContext, SourceItem, SplitEvent, SplitReader } from '../contract.ts'
import { modelOf, tableOf } from './client.ts'
import type { NexmarkOptions } from './options.ts'
import { type ColumnMaker, type EventRows, makerFor, placePools } from './parts/event-columns.ts'
import type { NexmarkModel } from './parts/model.ts'
import { kindColumns, kindOf, type Table } from './parts/tables.ts'

const GROUP = 50
const SIDE_ROWS = 10_000

export class NexmarkSource implements Source {
  readonly #context: SourceContext
  readonly #options: NexmarkOptions
  readonly #table: Table

  constructor(context: SourceContext) {
    this.#context = context
    this.#options = context.options as NexmarkOptions
    this.#table = tableOf(context.uri)
  }

  incarnation(): Promise<string> {
    const { seed, start, rate, partitions, out_of_order, active, in_flight, bidder_base } = this.#options
    return Promise.resolve(
      ['nexmark', seed, start, rate, partitions, out_of_order, active, in_flight, bidder_base].join(':'),
    )
  }

  async *splits(): AsyncIterable<SplitEvent> {
    const count = this.#table === 'side' ? 1 : this.#options.partitions
    for (let split = 0; split < count; split++) yield { kind: 'added', split: { id: String(split) } }
    yield { kind: 'complete' }
  }

  open(splitId: string): SplitReader {
    if (this.#table === 'side') return new SideReader(this.#context)
    return new EventReader(this.#context, this.#table, Number(splitId))
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Events of one split in emission order: indexes p with ⌊p / 50⌋ mod partitions = split. */
class EventReader implements SplitReader {
  readonly #context: SourceContext
  readonly #options: NexmarkOptions
  readonly #model: NexmarkModel
  readonly #kind: number | undefined
  readonly #split: number
  readonly #events: EventRows
  readonly #makers: readonly ColumnMaker[]
  readonly #system: readonly { readonly name: string; readonly builder: ColumnBuilder }[]
  readonly #pools: Scratch

  constructor(context: SourceContext, table: Table, split: number) {
    const capacity = context.batchRows
    this.#context = context
    this.#options = context.options as NexmarkOptions
    this.#model = context.shared.get(`nexmark:${JSON.stringify(modelKey(this.#options))}`, () => modelOf(this.#options))
    this.#kind = kindOf(table)
    this.#split = split
    this.#events = { numbers: new Float64Array(capacity), kinds: new Uint8Array(capacity), rows: 0 }
    const { address, scratch } = placePools(this.#model, context.memory)
    this.#pools = scratch
    const form = { model: this.#model, memory: context.memory, capacity, poolAddress: address }
    this.#makers = this.#wanted().map((path) => makerFor(path, this.#kind, form))
    const first = context.schema.fields.length - context.systemColumns.length
    this.#system = context.systemColumns.map((name, i) => ({
      name,
      builder: new ColumnBuilder(context.schema.fields[first + i]!.type, capacity, context.memory),
    }))
  }

  /** `project=false` makes every column, read or not. */
  #wanted(): readonly (readonly string[])[] {
    const paths = this.#context.columns.map((column) => column.path)
    if (this.#options.project === 'true') return paths
    const all =
      this.#kind === undefined
        ? [['event_type'], ['person'], ['auction'], ['bid']]
        : kindColumns[this.#kind]!.map((column) => [column.name])
    return [...paths, ...all]
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const { partitions, events, pace, rate } = this.#options
    const end = events ?? Number.POSITIVE_INFINITY
    let index = from === undefined ? this.#split * GROUP : parseOffset(from)
    const started = this.#context.clock.elapsedMs()
    let batches = 0
    while (index < end && !signal.aborted) {
      const first = index
      index = this.#fill(index, end, partitions)
      if (pace === 'event-time') {
        const due = started + (first / rate) * 1000 - this.#context.clock.elapsedMs()
        if (due > 0) await this.#context.clock.sleep(due, signal)
        if (signal.aborted) return
      }
      if (this.#events.rows > 0) yield { kind: 'batch', batch: this.#batch(first), next: `g1:${index}` }
      if (++batches % 64 === 0) await new Promise(setImmediate)
    }
  }

  /** Collects event numbers from emission index `index`; returns the index to go on from. */
  #fill(index: number, end: number, partitions: number): number {
    const events = this.#events
    const paced = this.#options.pace === 'event-time' ? Math.max(1, Math.floor(this.#options.rate / 100)) : undefined
    const most = Math.min(this.#context.batchRows, paced ?? Number.POSITIVE_INFINITY)
    let at = index
    events.rows = 0
    while (events.rows < most && at < end) {
      const n = this.#model.eventAt(at)
      const kind = this.#model.kind(n)
      if (this.#kind === undefined || kind === this.#kind) {
        events.numbers[events.rows] = n
        events.kinds[events.rows++] = kind
      }
      at++
      if (at % GROUP === 0) at += GROUP * (partitions - 1)
    }
    return Math.min(at, Math.max(end, index))
  }

  #batch(first: number): Batch {
    const { columns, schema, clock } = this.#context
    const made = this.#makers.map((maker) => maker.make(this.#events)).slice(0, columns.length)
    const ingestMicros = clock.nowMicros()
    return {
      schema,
      rows: this.#events.rows,
      columns: [...made, ...this.#systemColumns(ingestMicros)],
      provenance: { split: String(this.#split), rowOrdinal: first, ingestMicros },
    }
  }

  #systemColumns(ingestMicros: number): Column[] {
    return this.#system.map(({ name, builder }) => {
      builder.reset()
      for (let row = 0; row < this.#events.rows; row++) builder.append(this.#systemValue(name, row, ingestMicros))
      return builder.finish()
    })
  }

  #systemValue(name: string, row: number, ingestMicros: number): Value {
    const n = this.#events.numbers[row]!
    if (name === '_event_time') return this.#model.time(n)
    const timestampMicros = this.#model.time(n)
    const facts = { split: String(this.#split), source: 'nexmark', offset: n, partition: this.#split, ingestMicros }
    return systemValue(name, { ...facts, timestampMicros })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const maker of this.#makers) maker[Symbol.dispose]()
    for (const { builder } of this.#system) builder[Symbol.dispose]()
    this.#pools[Symbol.dispose]()
  }
}

const modelKey = (options: NexmarkOptions): unknown => [
  options.seed,
  options.start,
  options.rate,
  options.active,
  options.in_flight,
  options.bidder_base,
  options.out_of_order,
]

/** `nexmark://side`: key 0 … 9999 and its decimal text. */
class SideReader implements SplitReader {
  readonly #context: SourceContext
  readonly #builders: readonly ColumnBuilder[]

  constructor(context: SourceContext) {
    this.#context = context
    this.#builders = context.schema.fields.map((f) => new ColumnBuilder(f.type, context.batchRows, context.memory))
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const { columns, systemColumns, schema, batchRows, clock } = this.#context
    for (let key = from === undefined ? 0 : parseOffset(from); key < SIDE_ROWS && !signal.aborted; ) {
      const rows = Math.min(batchRows, SIDE_ROWS - key)
      const ingestMicros = clock.nowMicros()
      for (const builder of this.#builders) builder.reset()
      for (let row = 0; row < rows; row++) {
        columns.forEach((column, i) => {
          this.#builders[i]!.append(column.path[0] === 'key' ? key + row : String(key + row))
        })
        const facts = { split: '0', source: 'nexmark', offset: key + row, partition: 0, ingestMicros }
        systemColumns.forEach((name, i) => {
          this.#builders[columns.length + i]!.append(systemValue(name, facts))
        })
      }
      const provenance = { split: '0', rowOrdinal: key, ingestMicros }
      key += rows
      const made = this.#builders.map((builder) => builder.finish())
      yield { kind: 'batch', batch: { schema, rows, columns: made, provenance }, next: `g1:${key}` }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const builder of this.#builders) builder[Symbol.dispose]()
  }
}

function parseOffset(offset: Offset): number {
  const match = /^g1:(\d+)$/.exec(offset)
  if (match === null) throw new HeadraceError('connector_offset_invalid', `"${offset}" is not a generator position`)
  return Number(match[1])
}
