import { namedStreams } from '../channels/named-streams.ts'
import type { Discovered } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import type { Catalogue, SinkInfo, SinkRequest, SourceInfo, SourceRequest } from '../sql/catalogue.ts'
import type { SystemColumn } from '../sql/system-columns.ts'
import { connectorContext } from './connector-context.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'
import { secretOf } from './secrets.ts'

/** What SQL sees of this instance: connectors by URI, discovered schemas, the environment. */
export function sqlCatalogue(engine: Engine, baseDirectory: string): Catalogue {
  return {
    schemes: engine.connectors.schemes,
    variable: (name) => engine.environment[name],
    secret: (origin) => secretOf(engine, baseDirectory, origin),
    source: (request) => sourceInfo(engine, baseDirectory, request),
    sink: (request) => sinkInfo(engine, request),
    stream: async (name) => {
      const stream = namedStreams(engine.shared).get(name)
      if (stream !== undefined) {
        const column = stream.source.eventTimeColumn
        const eventTime = column === undefined ? [] : [{ name: 'event_time', value: column, origin: `stream ${name}` }]
        return await sourceInfo(engine, baseDirectory, {
          uri: `instance:${name}`,
          options: eventTime,
          columns: undefined,
        })
      }
      if (name !== 'stdin') return undefined
      return await sourceInfo(engine, baseDirectory, { uri: 'stdin:', options: [], columns: undefined })
    },
  }
}

const SYSTEM_COLUMNS: Readonly<Record<string, readonly SystemColumn[]>> = {
  bus: ['_offset', '_source', '_ingest_time'],
  chain: ['_offset', '_source', '_ingest_time', '_op'],
  datagen: ['_offset', '_partition', '_source', '_ingest_time'],
  file: ['_offset', '_source', '_ingest_time', '_filename', '_row_number'],
  instance: ['_offset', '_source', '_ingest_time'],
  memory: ['_offset', '_source', '_ingest_time', '_op'],
  nexmark: ['_offset', '_partition', '_timestamp', '_event_time', '_source', '_ingest_time'],
  stdio: ['_offset', '_source', '_ingest_time'],
}

async function sourceInfo(engine: Engine, baseDirectory: string, request: SourceRequest): Promise<SourceInfo> {
  const handle = await endpoint(request.uri, 'source', request.options, engine.connectors)
  const { connector, options } = handle
  const found = request.columns === undefined ? await discovered(engine, baseDirectory, handle) : undefined
  const schema = request.columns ?? {
    fields: found!.columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
  }
  const mixed = new Set(found?.columns.filter((column) => column.mixed === true).map((column) => column.name))
  const own = schema.fields.some(({ name }) => name === connector.eventTime) ? connector.eventTime : undefined
  const eventTime = (options['event_time'] as string | undefined) ?? own
  const delayMicros = ((options['watermark_delay'] as number | undefined) ?? 5000) * 1000
  const bounded = connector.bounded?.(options) ?? false
  const skewMs = bounded ? undefined : (options['max_future_skew'] as number | undefined)
  const channel = connector.channel?.(handle.uri, engine.shared)
  return {
    connector: connector.name,
    uri: engine.secrets.redact(handle.printed),
    channel: channel?.name,
    schema,
    bounded,
    changes: channel?.revises === true ? 'changelog' : (connector.changes?.(options) ?? 'append'),
    key: connector.key?.(options) ?? [],
    systemColumns: SYSTEM_COLUMNS[connector.name] ?? [],
    eventTime: eventTime === undefined ? undefined : { column: eventTime, delayMicros },
    watermarkDelayMicros: delayMicros,
    maxFutureSkewMicros: skewMs === undefined ? undefined : skewMs * 1000,
    projects: connector.capabilities.source?.pushdown !== 'none',
    handle: { ...handle, mixed, sampleCut: found?.sampleCut } satisfies Endpoint,
  }
}

async function discovered(engine: Engine, baseDirectory: string, handle: Endpoint): Promise<Discovered> {
  const { connector } = handle
  if (connector.discover === undefined) {
    throw new HeadraceError('sql_schema_unknown', `the columns of "${handle.printed}" are not known`, {
      hint: `declare them: CREATE STREAM s (a STRING, …) FROM '${handle.printed}'`,
    })
  }
  return await connector.discover(connectorContext(engine, handle, { baseDirectory }))
}

async function sinkInfo(engine: Engine, request: SinkRequest): Promise<SinkInfo> {
  const handle = await endpoint(request.uri, 'sink', request.options, engine.connectors)
  const { connector, options } = handle
  const changelog = options['changelog'] !== undefined
  return {
    connector: connector.name,
    uri: engine.secrets.redact(handle.printed),
    channel: connector.channel?.(handle.uri, engine.shared).name,
    accepts: changelog ? 'changelog' : connector.capabilities.sink!.accepts,
    key: (options['key'] as readonly string[] | undefined) ?? [],
    label: connector.name,
    handle,
  }
}
