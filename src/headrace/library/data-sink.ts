import type { Sink, SinkFacts } from '../../connectors/contract.ts'
import { described } from '../../core/option-names.ts'
import { freshSeed } from '../../core/random.ts'
import type { Schema } from '../../core/types.ts'
import { connectorContext } from '../connector-context.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Engine } from '../engine.ts'
import { encoderSpec } from '../format-specs.ts'
import { checkEndpoint } from './check.ts'
import type { Place } from './data-source.ts'
import { EngineWriter, WRITER_OPTIONS, type WriterSink } from './data-writer.ts'
import { DataSourceError, guarded, misuse, refuseUnknown } from './errors.ts'
import { loadEndpoint, type NamedEndpoint } from './named-endpoint.ts'
import { schemaOf } from './schema-text.ts'
import type { CheckResult, DataSink, DataWriter, SinkMetadata, Waiting, WriterOptions } from './types.ts'

/** A sink of the connector contract, record by record. */
export class EngineSink implements DataSink {
  readonly uri: string
  /** @internal */
  readonly named: NamedEndpoint
  /** @internal */
  readonly place: Place
  readonly #writers = new Set<EngineWriter>()

  /** @internal */
  constructor(named: NamedEndpoint, place: Place) {
    this.named = named
    this.uri = named.printed
    this.place = place
  }

  /** @internal */
  load(): Promise<Endpoint> {
    return guarded('sink', () => loadEndpoint(this.named, this.place.registry))
  }

  async metadata(): Promise<SinkMetadata> {
    const endpoint = await this.load()
    const { connector, options } = endpoint
    const facts = connector.capabilities.sink!
    const { delivery } = factsOf(endpoint, this.place.engine())
    const takesChanges = facts.accepts !== 'append' || options['changelog'] !== undefined
    const transactions = hasTransactions(endpoint)
    return {
      type: connector.name,
      version: this.place.engine().version,
      transactions,
      upsert: takesChanges,
      schemaEvolution: false,
      capabilities: [
        ...(transactions ? ['transactions'] : []),
        ...(takesChanges ? ['upsert', 'delete'] : []),
        ...(facts.accepts === 'changelog' ? ['changelog'] : []),
      ],
      delivery,
    }
  }

  async validateSchema(schema: Schema): Promise<void> {
    const endpoint = await this.load()
    await guarded('sink', () => {
      if (!Array.isArray(schema?.fields))
        throw misuse(`columns are { fields }, not ${described(schema)}`, "await schemaOf('id BIGINT')")
      if (schema.fields.length === 0) throw schemaFault('rows without columns cannot be written')
      const names = new Set<string>()
      for (const { name } of schema.fields) {
        if (names.has(name)) throw schemaFault(`column "${name}" is there twice`)
        names.add(name)
      }
      const { options } = endpoint
      for (const option of ['key', 'partition_by']) {
        const absent = ((options[option] as readonly string[] | undefined) ?? []).find((name) => !names.has(name))
        if (absent !== undefined) throw schemaFault(`option "${option}": the rows have no column "${absent}"`)
      }
    })
  }

  async createWriter(options: WriterOptions = {}): Promise<DataWriter> {
    refuseUnknown('createWriter', options, WRITER_OPTIONS)
    options.signal?.throwIfAborted()
    const endpoint = await this.load()
    const declared = typeof options.schema === 'string' ? await schemaOf(options.schema) : options.schema
    const schema = declared ?? this.place.schema
    if (schema !== undefined) await this.validateSchema(schema)
    const engine = this.place.engine()
    const { connector, options: values } = endpoint
    const writer: EngineWriter = new EngineWriter(
      {
        sink: this.uri,
        memory: engine.memory,
        accepts: values['changelog'] === undefined ? connector.capabilities.sink!.accepts : 'changelog',
        schema,
        isTransactional: hasTransactions(endpoint),
        lineage: freshSeed().toString(16).padStart(8, '0'),
        validate: (told) => this.validateSchema(told),
        open: (form) => guarded('sink', () => openSink(engine, endpoint, form)),
        onClose: () => this.#writers.delete(writer),
      },
      options,
    )
    this.#writers.add(writer)
    return writer
  }

  check(options: Waiting = {}): Promise<CheckResult> {
    return checkEndpoint(this.uri, this.place.engine().clock, options, async (signal) => {
      const endpoint = await this.load()
      const engine = this.place.engine()
      const context = { ...connectorContext(engine, endpoint, { baseDirectory: engine.baseDirectory }), signal }
      if (endpoint.connector.probe !== undefined) return await endpoint.connector.probe(context, 'sink')
      return { state: 'unknown', issues: [] }
    })
  }

  async close(): Promise<void> {
    for (const writer of [...this.#writers]) await writer.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const schemaFault = (message: string): DataSourceError =>
  new DataSourceError('Schema', 'connector_schema_mismatch', message)

/** Endless: a writer does not know when it is done. */
function factsOf({ connector, uri, options }: Endpoint, engine: Engine): Pick<SinkFacts, 'delivery'> {
  const form = { bounded: false, baseDirectory: engine.baseDirectory }
  return connector.sinkFacts?.(uri, options, form) ?? { delivery: connector.capabilities.sink!.delivery }
}

/** The target keeps what is not committed apart, or takes it back. */
function hasTransactions({ connector }: Endpoint): boolean {
  const { stage, delivery } = connector.capabilities.sink!
  return stage === 'native' && (delivery === 'transactional' || delivery === 'idempotent')
}

async function openSink(engine: Engine, endpoint: Endpoint, form: WriterSink): Promise<Sink> {
  const { schema, changes, part, durable } = form
  const key = (endpoint.options['key'] as readonly string[] | undefined) ?? []
  const { baseDirectory } = engine
  const [{ createEncoder }, { textOfValue }] = await Promise.all([
    import('../../formats/formats.ts'),
    import('../../expr/value-text.ts'),
  ])
  const spec = encoderSpec(engine, endpoint.options, { schema, changes })
  return await endpoint.connector.openSink!({
    ...connectorContext(engine, endpoint, { baseDirectory, pipeline: durable && 'writer', part, durable }),
    schema,
    changes,
    bounded: false,
    eventTime: undefined,
    key: key.map((name) => schema.fields.findIndex((field) => field.name === name)),
    valueText: (value, type) => textOfValue(value, type),
    encoder: (format) => createEncoder(format, spec, engine),
  })
}
