import { HeadraceError } from '../../core/errors.ts'
import { BatchBuilder } from '../../core/row-batch.ts'
import { systemValue } from '../../core/system-values.ts'
import type { Health, Offset, Source, SourceContext, SourceItem, SplitEvent, SplitReader } from '../contract.ts'
import { generatorsOf } from './client.ts'
import type { DatagenOptions } from './options.ts'
import type { Generator } from './parts/generators.ts'

/** Rows made from a seed; index p belongs to split p mod splits. */
export class DatagenSource implements Source {
  readonly #context: SourceContext
  readonly #options: DatagenOptions

  constructor(context: SourceContext) {
    this.#context = context
    this.#options = context.options as DatagenOptions
  }

  incarnation(): Promise<string> {
    const { field, seed, start, step, out_of_order, splits } = this.#options
    return Promise.resolve(JSON.stringify(['datagen', [...field], seed, start, step, out_of_order, splits]))
  }

  async *splits(): AsyncIterable<SplitEvent> {
    for (let split = 0; split < this.#options.splits; split++) yield { kind: 'added', split: { id: String(split) } }
    yield { kind: 'complete' }
  }

  open(splitId: string): SplitReader {
    return new DatagenReader(this.#context, this.#options, Number(splitId))
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class DatagenReader implements SplitReader {
  readonly #context: SourceContext
  readonly #options: DatagenOptions
  readonly #split: number
  readonly #columns: readonly Generator[]
  readonly #builder: BatchBuilder

  constructor(context: SourceContext, options: DatagenOptions, split: number) {
    this.#context = context
    this.#options = options
    this.#split = split
    const generators = generatorsOf(options)
    this.#columns = context.columns.map((column) => generators.get(column.path[0]!)!)
    this.#builder = new BatchBuilder(context.schema, context.batchRows, context.memory)
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const { rows, rate, splits } = this.#options
    const { clock, batchRows } = this.#context
    const end = rows ?? Number.POSITIVE_INFINITY
    const started = clock.elapsedMs()
    const first = from === undefined ? this.#split : parseOffset(from)
    const most = rate === undefined ? batchRows : Math.max(1, Math.min(batchRows, Math.floor(rate / splits / 100)))
    let index = first
    for (let batches = 1; index < end && !signal.aborted; batches++) {
      if (rate !== undefined) {
        const due = started + ((index - first) / rate) * 1000 - clock.elapsedMs()
        if (due > 0) await clock.sleep(due, signal)
        if (signal.aborted) return
      }
      const start = index
      index = this.#fill(index, Math.min(end, index + most * splits))
      const provenance = { split: String(this.#split), rowOrdinal: start, ingestMicros: clock.nowMicros() }
      yield { kind: 'batch', batch: this.#builder.finish(provenance), next: `g1:${index}` }
      if (batches % 64 === 0) await new Promise(setImmediate)
    }
  }

  #fill(from: number, end: number): number {
    const { out_of_order: g, splits } = this.#options
    const ingestMicros = this.#context.clock.nowMicros()
    this.#builder.reset()
    let index = from
    for (; index < end; index += splits) {
      const row = g === 1 ? index : Math.floor(index / g) * g + (((index % g) * (953 % g)) % g)
      const values = this.#columns.map((column) => column.make(row))
      const facts = { split: String(this.#split), source: 'datagen', offset: row, partition: this.#split, ingestMicros }
      for (const name of this.#context.systemColumns) values.push(systemValue(name, facts))
      this.#builder.append(values)
    }
    return index
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#builder[Symbol.dispose]()
  }
}

function parseOffset(offset: Offset): number {
  const match = /^g1:(\d+)$/.exec(offset)
  if (match === null) throw new HeadraceError('connector_offset_invalid', `"${offset}" is not a generator position`)
  return Number(match[1])
}
