import type { Discovered, Source } from '../../connectors/contract.ts'
import type { Schema } from '../../core/types.ts'
import { connectorContext } from '../connector-context.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Engine } from '../engine.ts'
import { decoderSpec } from '../format-specs.ts'
import { checkEndpoint } from './check.ts'
import { EngineReader, READER_OPTIONS } from './data-reader.ts'
import { guarded, misuse, refuseUnknown, unsupported } from './errors.ts'
import { loadEndpoint, type NamedEndpoint } from './named-endpoint.ts'
import type { ConnectorRegistry } from './registry.ts'
import type { CheckResult, DataReader, DataSource, ReaderOptions, SourceMetadata, Waiting } from './types.ts'

/** Where a source or sink lives. */
export interface Place {
  /** The instance that it belongs to, made when it is used. */
  readonly engine: () => Engine
  readonly registry: ConnectorRegistry
  /** Columns that are not looked for. */
  readonly schema?: Schema | undefined
}

const READ_ROWS = 8192

/** A source of the connector contract, record by record. */
export class EngineSource implements DataSource {
  readonly uri: string
  /** @internal */
  readonly named: NamedEndpoint
  /** @internal */
  readonly place: Place
  readonly #readers = new Set<EngineReader>()
  #found: Promise<Discovered> | undefined

  /** @internal */
  constructor(named: NamedEndpoint, place: Place) {
    this.named = named
    this.uri = named.printed
    this.place = place
  }

  /** @internal */
  load(): Promise<Endpoint> {
    return guarded('source', () => loadEndpoint(this.named, this.place.registry))
  }

  async metadata(): Promise<SourceMetadata> {
    const { connector, options } = await this.load()
    const facts = connector.capabilities.source!
    const bounded = connector.bounded?.(options) ?? false
    return {
      type: connector.name,
      version: this.place.engine().version,
      streaming: !bounded,
      batch: bounded,
      schemaEvolution: false,
      capabilities: [
        ...(facts.resume === 'offset' ? ['seek'] : []),
        ...(facts.retention === 'until-ack' && facts.resume === 'offset' ? ['commit'] : []),
        ...(facts.changes === 'changelog' ? ['changelog'] : []),
        ...(connector.discover === undefined ? [] : ['discover']),
        ...(facts.pushdown === 'none' ? [] : ['projection']),
      ],
    }
  }

  async fetchSchema({ signal }: Waiting = {}): Promise<Schema> {
    signal?.throwIfAborted()
    if (this.place.schema !== undefined) return this.place.schema
    const { columns } = await this.discover()
    return { fields: columns.map(({ name, type, nullable }) => ({ name, type, nullable })) }
  }

  /** @internal What discovery found; looked for once. */
  discover(): Promise<Discovered> {
    this.#found ??= this.#discover()
    // What could not be found may be there later.
    this.#found.catch(() => {
      this.#found = undefined
    })
    return this.#found
  }

  async #discover(): Promise<Discovered> {
    const endpoint = await this.load()
    const { connector } = endpoint
    if (connector.discover === undefined) {
      throw unsupported(
        `the columns of "${this.uri}" cannot be found`,
        'discover',
        "declare them: createSource(uri, options, { schema: 'id BIGINT, …' })",
      )
    }
    const engine = this.place.engine()
    const context = connectorContext(engine, endpoint, { baseDirectory: engine.baseDirectory })
    return await guarded('source', () => connector.discover!(context))
  }

  /** @internal The format of the records, where they have one. */
  async format(): Promise<string | undefined> {
    const given = this.named.options['format'] as string | undefined
    if (given !== undefined && given !== 'auto') return given
    return this.place.schema === undefined ? (await this.discover()).format : undefined
  }

  async createReader(options: ReaderOptions = {}): Promise<DataReader> {
    refuseUnknown('createReader', options, READER_OPTIONS)
    const { rows: wanted } = options
    if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1 && wanted <= 16_384)) {
      throw misuse(`rows: ${String(wanted)} is not a whole number of 1…16384`, 'createReader({ rows: 1024 })')
    }
    options.signal?.throwIfAborted()
    const endpoint = await this.load()
    const schema = await this.fetchSchema(options)
    const rows = Math.min(options.rows ?? (endpoint.options['batch_rows'] as number | undefined) ?? READ_ROWS, 16_384)
    const found = this.place.schema === undefined ? await this.discover() : undefined
    const reader: EngineReader = new EngineReader(
      {
        source: this.uri,
        endpoint,
        schema,
        clock: this.place.engine().clock,
        open: () => guarded('source', () => openSource(this.place.engine(), endpoint, { schema, rows, found })),
        onClose: () => this.#readers.delete(reader),
      },
      options,
    )
    this.#readers.add(reader)
    return reader
  }

  check(options: Waiting = {}): Promise<CheckResult> {
    return checkEndpoint(this.uri, this.place.engine().clock, options, async (signal) => {
      const endpoint = await this.load()
      const engine = this.place.engine()
      const context = { ...connectorContext(engine, endpoint, { baseDirectory: engine.baseDirectory }), signal }
      if (endpoint.connector.probe !== undefined) return await endpoint.connector.probe(context, 'source')
      const schema = this.place.schema ?? { fields: [] }
      await using source = await openSource(engine, endpoint, { schema, rows: 1, found: undefined })
      for await (const event of source.splits(signal)) if (event.kind !== 'removed') break
      return await source.health()
    })
  }

  async close(): Promise<void> {
    for (const reader of [...this.#readers]) await reader.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function openSource(
  engine: Engine,
  endpoint: Endpoint,
  form: { readonly schema: Schema; readonly rows: number; readonly found: Discovered | undefined },
): Promise<Source> {
  const { schema, rows: batchRows, found } = form
  const columns = schema.fields.map(({ name }) => ({ name, path: [name], required: false }))
  const mixed = new Set(found?.columns.filter((column) => column.mixed === true).map((column) => column.name))
  const nowMicros = () => engine.clock.nowMicros()
  const { createDecoder } = await import('../../formats/formats.ts')
  return await endpoint.connector.openSource!({
    ...connectorContext(engine, endpoint, { baseDirectory: engine.baseDirectory }),
    schema,
    columns,
    systemColumns: [],
    batchRows,
    decoder: (split, format) =>
      createDecoder(
        format,
        decoderSpec(engine, endpoint.options, { schema, columns, split, batchRows, nowMicros, mixed }),
        engine,
      ),
  })
}
