import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type BatchSource,
  type ChainMetrics,
  FilesystemBatchSource,
  HttpBatchSource,
  WebSocketBatchSource,
} from '../../chain/chain.ts'
import { batchSource } from '../../chain/connector.ts'
import { HeadraceError } from '../../core/errors.ts'
import { redactText, schemeOf } from '../../core/uri.ts'
import { connectorContext } from '../connector-context.ts'
import { endpoint } from '../endpoint.ts'
import type { Engine } from '../engine.ts'

export interface DatastreamForm {
  readonly baseDirectory: string
  readonly pollInterval: string
  readonly metrics: ChainMetrics | undefined
}

/** What `--datastream` may name. */
const FORMS = 'http(s)://…, ws(s)://…, a chain+…: URI, a folder of batches, or a module that exports `source`'

/**
 * A source of batches by URL, by folder, or by a module of one's own: it exports `source`, a `BatchSource` or a function
 * that gives one.
 */
export async function openDatastream(engine: Engine, text: string, form: DatastreamForm): Promise<BatchSource> {
  const { pollInterval, metrics, baseDirectory } = form
  const common = { pollInterval, metrics, clock: engine.clock }
  switch (schemeOf(text)) {
    case 'http':
    case 'https':
      return new HttpBatchSource({ ...common, baseUrl: text })
    case 'ws':
    case 'wss':
      return new WebSocketBatchSource({ ...common, url: text })
    case undefined:
    case 'file': {
      const path = resolve(baseDirectory, text.replace(/^file:(\/\/)?/, ''))
      if (isModule(path)) return await exported<BatchSource>(path, 'source', isSource)
      if (!existsSync(path) || !statSync(path).isDirectory()) {
        throw new HeadraceError('connector_not_found', `"${path}" is no folder`, { hint: FORMS })
      }
      return new FilesystemBatchSource({ ...common, path })
    }
    default: {
      const handle = await endpoint(text, 'source')
      if (handle.connector.name === 'chain') return batchSource(connectorContext(engine, handle, { baseDirectory }))
      throw new HeadraceError('connector_side_unsupported', `"${redactText(text)}" gives no batches`, { hint: FORMS })
    }
  }
}

export const isModule = (path: string): boolean => /\.[cm]?[jt]s$/.test(path)

/** An export of a module, or what it gives when it is a function. */
export async function exported<T>(path: string, name: string, fits: (value: unknown) => boolean): Promise<T> {
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new HeadraceError('connector_not_found', `"${path}" cannot be loaded: ${why}`, { cause: error })
  }
  const given = module[name]
  const value: unknown = typeof given === 'function' ? await (given as () => unknown)() : given
  if (fits(value)) return value as T
  throw new HeadraceError('cli_usage', `"${path}" exports no ${name} of that interface`, {
    hint: `export const ${name} = …, or a function that gives it; docs/guide/chain-batches.md shows one`,
  })
}

const SOURCE_METHODS = ['next', 'checkpoint', 'setCheckpoint', 'healthCheck', 'metadata'] as const

const isSource = (value: unknown): boolean => hasMethods(value, SOURCE_METHODS)

export const hasMethods = (value: unknown, names: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  names.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function')
