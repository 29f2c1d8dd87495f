import type { Connector } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import { didYouMean } from '../core/suggest.ts'

/** Every connector there is: name, schemes, lazy import. Sorted by name; starting Headrace loads none of them. */
export const connectors: readonly ConnectorEntry[] = [
  {
    name: 'blackhole',
    schemes: ['blackhole'],
    load: async () => (await import('../connectors/blackhole/connector.ts')).blackhole,
  },
  { name: 'bus', schemes: ['bus'], load: async () => (await import('../channels/bus/connector.ts')).bus },
  {
    name: 'chain',
    schemes: ['chain+file', 'chain+http', 'chain+https', 'chain+memory', 'chain+ws', 'chain+wss'],
    load: async () => (await import('../chain/connector.ts')).chain,
  },
  {
    name: 'datagen',
    schemes: ['datagen'],
    load: async () => (await import('../connectors/datagen/connector.ts')).datagen,
  },
  { name: 'file', schemes: ['file'], load: async () => (await import('../connectors/file/connector.ts')).file },
  {
    name: 'instance',
    schemes: ['instance'],
    load: async () => (await import('../channels/instance/connector.ts')).instance,
  },
  {
    name: 'memory',
    schemes: ['channel', 'memory'],
    load: async () => (await import('../connectors/memory/connector.ts')).memory,
  },
  {
    name: 'nexmark',
    schemes: ['nexmark'],
    load: async () => (await import('../connectors/nexmark/connector.ts')).nexmark,
  },
  {
    name: 'stdio',
    schemes: ['stderr', 'stdin', 'stdout'],
    load: async () => (await import('../connectors/stdio/connector.ts')).stdio,
  },
  {
    name: 'stream',
    schemes: ['stream', 'streams+https'],
    load: async () => (await import('../datastreams/stream/connector.ts')).stream,
  },
]

export interface ConnectorEntry {
  readonly name: string
  readonly schemes: readonly string[]
  readonly load: () => Promise<Connector>
}

/** Schemes of connectors.md §6 whose connector is not built yet. */
export const laterSchemes: readonly string[] = [
  'clickhouse',
  'connection',
  'http',
  'https',
  'iceberg',
  'kafka',
  'kinesis',
  'nats',
  'postgres',
  'postgresql',
  'redis',
  's3',
  'sse+http',
  'sse+https',
  'webhook',
  'ws',
  'wss',
]

export const schemes: readonly string[] = [...connectors.flatMap((entry) => entry.schemes), ...laterSchemes].sort()

/** Where an instance finds its connectors: these, or a registry of its own. */
export interface ConnectorLookup {
  readonly schemes: readonly string[]
  connectorFor(scheme: string): Promise<Connector>
}

/** The connector of a scheme; `connector_scheme_unknown` with the nearest names, `not_implemented` for a later one. */
export async function connectorFor(scheme: string): Promise<Connector> {
  const entry = connectors.find((candidate) => candidate.schemes.includes(scheme))
  if (entry !== undefined) return await entry.load()
  if (laterSchemes.includes(scheme)) {
    throw new HeadraceError('not_implemented', `the connector for "${scheme}:" is not built yet`, {
      hint: `built: ${connectors.flatMap((built) => built.schemes).join(', ')}`,
    })
  }
  throw new HeadraceError('connector_scheme_unknown', `no connector has the scheme "${scheme}"`, {
    hint: didYouMean(scheme, schemes) ?? `schemes: ${connectors.flatMap((built) => built.schemes).join(', ')}`,
  })
}

export const builtInConnectors: ConnectorLookup = { schemes, connectorFor }
