import { resolve } from 'node:path'
import type { Check, Connector, ConnectorContext, Discovered } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import type { Uri } from '../core/uri.ts'
import { datastreamError } from './errors.ts'
import { FilesystemBatchSource } from './file-source.ts'
import { HttpBatchSource } from './http-source.ts'
import { MemoryBatchSource, memoryChain } from './memory-source.ts'
import { chainMetrics } from './metrics.ts'
import { type ChainOptions, chainOptions } from './options.ts'
import { chainKeys, chainSchemas, type RowForm } from './rows.ts'
import type { BatchSource } from './source.ts'
import { ChainSource } from './sql-source.ts'
import { WebSocketBatchSource } from './websocket-source.ts'

/** A probe ends within 5 s. */
const PROBE_MS = 4000

export const chain: Connector = {
  name: 'chain',
  schemes: ['chain+file', 'chain+http', 'chain+https', 'chain+memory', 'chain+ws', 'chain+wss'],
  summary: 'Numbered batches of blocks, with the batches that a reorganisation withdraws as delete rows.',
  options: chainOptions,
  capabilities: {
    source: {
      resume: 'offset',
      retention: 'kept',
      order: 'total',
      changes: 'changelog',
      bounded: 'by-option',
      pushdown: 'columns',
    },
  },
  bounded: (options) => {
    const { max_batches, exit_when_idle } = options as ChainOptions
    return max_batches > 0 || exit_when_idle
  },
  changes: (options) => {
    const { rollback_depth, continuity } = options as ChainOptions
    return rollback_depth > 0 && continuity ? 'changelog' : 'append'
  },
  key: (options) => chainKeys[(options as ChainOptions).rows],
  eventTime: 'timestamp',
  discover: async ({ options }) => discovered((options as ChainOptions).rows),
  probe: async (context) => {
    const timeout = Math.min((context.options as ChainOptions).timeout, PROBE_MS)
    const source = batchSource({ ...context, options: Object.create(context.options, { timeout: { value: timeout } }) })
    try {
      return [await check(context, source)]
    } finally {
      await source.close?.()
    }
  },
  openSource: async (context) => new ChainSource(context, batchSource(context)),
}

/**
 * A connector for a source of one's own, to be registered under a scheme of one's own (`chain+custom`); its URI carries
 * the options of `chain+memory`. A source has one reader at a time.
 */
export function toSource(
  source: BatchSource,
  form: { readonly rows?: RowForm | undefined; readonly scheme?: string | undefined } = {},
): Connector {
  const { rows = 'batch', scheme = 'chain+custom' } = form
  return {
    ...chain,
    name: scheme,
    schemes: [scheme],
    options: { ...chainOptions, rows: { ...chainOptions.rows, default: rows } },
    probe: async (context) => [await check(context, source)],
    openSource: async (context) => new ChainSource(context, source),
  }
}

const discovered = (rows: RowForm): Discovered => ({
  columns: chainSchemas[rows].fields.map(({ name, type, nullable }) => ({
    name,
    type,
    nullable,
    origin: 'catalogue',
    nullShare: 0,
    examples: [],
    confidence: 1,
  })),
  key: chainKeys[rows],
  eventTimeCandidates: ['timestamp'],
  rowsSeen: 0,
  bytesSeen: 0,
  warnings: [],
  format: undefined,
})

async function check({ clock, signal }: ConnectorContext, source: BatchSource): Promise<Check> {
  const before = clock.elapsedMs()
  const ms = (): number => clock.elapsedMs() - before
  try {
    await source.healthCheck({ signal })
    return { name: 'health', ok: true, detail: 'the source is healthy', ms: ms() }
  } catch (error) {
    const { message, hint } = datastreamError(error)
    return { name: 'health', ok: false, detail: message, hint: hint ?? 'check address and server', ms: ms() }
  }
}

/** The source that a URI names, with its options. */
export function batchSource({ uri, options, clock, shared, baseDirectory }: ConnectorContext): BatchSource {
  const given = options as ChainOptions
  const common = {
    validation: given.validation,
    continuity: given.continuity,
    rollbackDepth: given.rollback_depth,
    pollInterval: given.poll_interval,
    metrics: chainMetrics(shared),
    clock,
  }
  const requests = {
    apiKey: given.api_key,
    timeout: given.timeout,
    maxRetries: given.max_retries,
    retryDelay: given.retry_delay,
  }
  switch (uri.scheme) {
    case 'chain+file': {
      const path = resolve(baseDirectory, `${uri.absolute ? '/' : ''}${uri.path.join('/')}`)
      return new FilesystemBatchSource({ ...common, path, fileExtension: given.extension })
    }
    case 'chain+memory': {
      const name = uri.hosts[0]?.name ?? uri.path.join('/')
      return new MemoryBatchSource(memoryChain(shared, name), common)
    }
    case 'chain+ws':
    case 'chain+wss':
      return new WebSocketBatchSource({ ...common, ...requests, url: urlOf(uri), httpUrl: given.http_url })
    default:
      return new HttpBatchSource({ ...common, ...requests, baseUrl: urlOf(uri) })
  }
}

/** `chain+http://host:1/p` → `http://host:1/p`. */
function urlOf({ scheme, hosts, path, user }: Uri): string {
  const [host] = hosts
  if (host === undefined || hosts.length > 1) {
    throw new HeadraceError('connector_uri_invalid', `a ${scheme}: URI names one host`, {
      hint: `${scheme}://host:8080/prefix`,
    })
  }
  if (user !== undefined) {
    throw new HeadraceError('connector_uri_invalid', `a ${scheme}: URI has no user`, { hint: 'use the option api_key' })
  }
  const name = host.name.includes(':') ? `[${host.name}]` : host.name
  const port = host.port === undefined ? '' : `:${host.port}`
  const segments = path.map((segment) => `/${encodeURIComponent(segment)}`).join('')
  return `${scheme.slice('chain+'.length)}://${name}${port}${segments}`
}
