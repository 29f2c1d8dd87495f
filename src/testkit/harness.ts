import type { Connector, Offset, Sink, SinkContext, Source, SourceContext, SourceItem } from '../connectors/contract.ts'
import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import { BatchBuilder, type Row, rowAt } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { textOfValue } from '../expr/value-text.ts'
import type { Reject } from '../formats/decoder.ts'
import { createDecoder, createEncoder } from '../formats/formats.ts'
import { connectorContext, type DurablePlace } from '../headrace/connector-context.ts'
import { endpoint } from '../headrace/endpoint.ts'
import { Engine } from '../headrace/engine.ts'
import { decoderSpec, encoderSpec } from '../headrace/format-specs.ts'
import type { OptionEntry } from '../sql/catalogue.ts'

/** What a reader gave: rows with the offset behind their batch. */
export interface ReadRow {
  readonly row: Row
  /** Position that follows the batch of the row. */
  readonly next: Offset
  readonly split: string
}

/** How a sink is opened by a test. */
export interface SinkTestForm {
  /** As in a run with checkpoints. */
  readonly durable?: DurablePlace | undefined
  readonly pipeline?: string
  readonly bounded?: boolean
  readonly eventTime?: number
  readonly given?: readonly OptionEntry[]
}

/** Opens connectors of one instance the way a pipeline does, for tests of connectors alone. */
export class Harness {
  readonly engine: Engine

  constructor(options: { readonly baseDirectory: string; readonly batchRows?: number; readonly clock?: Clock }) {
    this.engine = new Engine(options)
  }

  /**
   * The last fields of `schema` are the system columns. `state`: what `Source.state` of an earlier opening gave.
   */
  async openSource(
    uri: string,
    schema: Schema,
    systemColumns: readonly string[] = [],
    state?: Uint8Array,
  ): Promise<Source> {
    const handle = await endpoint(uri, 'source')
    const { engine } = this
    const physical = { fields: schema.fields.slice(0, schema.fields.length - systemColumns.length) }
    const columns = physical.fields.map(({ name, nullable }) => ({ name, path: [name], required: !nullable }))
    const base = connectorContext(engine, handle, { baseDirectory: engine.baseDirectory })
    const context: SourceContext = {
      ...base,
      schema,
      columns,
      systemColumns,
      batchRows: engine.batchRows,
      state,
      decoder: (split, format) => {
        const nowMicros = () => engine.clock.nowMicros()
        const form = { schema: physical, columns, split, batchRows: engine.batchRows, nowMicros }
        return createDecoder(format, decoderSpec(engine, handle.options, form), engine)
      },
    }
    return await handle.connector.openSource!(context)
  }

  async openSink(uri: string, schema: Schema, form: SinkTestForm = {}): Promise<Sink> {
    const { connector, context } = await this.sinkContext(uri, schema, form)
    return await connector.openSink!(context)
  }

  /** What a sink is opened with, and who opens it. */
  async sinkContext(
    uri: string,
    schema: Schema,
    form: SinkTestForm = {},
  ): Promise<{ readonly connector: Connector; readonly context: SinkContext }> {
    const handle = await endpoint(uri, 'sink', form.given)
    const { engine } = this
    const context: SinkContext = {
      ...connectorContext(engine, handle, {
        baseDirectory: engine.baseDirectory,
        pipeline: form.pipeline ?? 'conformance',
        durable: form.durable,
      }),
      schema,
      changes: false,
      bounded: form.bounded ?? true,
      eventTime: form.eventTime,
      key: [],
      valueText: textOfValue,
      encoder: (format) =>
        createEncoder(format, encoderSpec(engine, handle.options, { schema, changes: false }), engine),
    }
    return { connector: handle.connector, context }
  }

  /** Writes rows in batches and publishes them. */
  async write(uri: string, schema: Schema, rows: readonly (readonly Value[])[]): Promise<void> {
    await using sink = await this.openSink(uri, schema)
    using builder = new BatchBuilder(schema, this.engine.batchRows, this.engine.memory)
    for (let from = 0; from < rows.length; from += this.engine.batchRows) {
      builder.reset()
      for (const row of rows.slice(from, from + this.engine.batchRows)) builder.append(row)
      await sink.write(builder.finish())
    }
    await sink.flush()
    await sink.seal?.()
    await sink.finish?.(true)
  }

  /** Reads every split to its end (or `most` rows of each). */
  async read(
    uri: string,
    schema: Schema,
    form: { readonly from?: ReadonlyMap<string, Offset>; readonly most?: number; readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly rows: ReadRow[]; readonly rejects: Reject[] }> {
    await using source = await this.openSource(uri, schema)
    const signal = form.signal ?? new AbortController().signal
    const rows: ReadRow[] = []
    const rejects: Reject[] = []
    for await (const event of source.splits(signal)) {
      if (event.kind !== 'added') continue
      await using reader = source.open(event.split.id)
      let left = form.most ?? Number.POSITIVE_INFINITY
      for await (const item of reader.read(form.from?.get(event.split.id), signal)) {
        left -= take(item, event.split.id, { rows, rejects })
        if (left <= 0) break
      }
    }
    return { rows, rejects }
  }
}

function take(item: SourceItem, split: string, into: { rows: ReadRow[]; rejects: Reject[] }): number {
  if (item.kind === 'idle') return 0
  into.rejects.push(...(item.rejects ?? []))
  const batch: Batch | undefined = item.batch
  if (batch === undefined) return 0
  for (let row = 0; row < batch.rows; row++) into.rows.push({ row: rowAt(batch, row), next: item.next, split })
  return batch.rows
}
