import type { InjectOptions } from 'fastify'
import { type Clock, systemClock } from '../../core/clock.ts'
import { MemoryStore } from '../../datastreams/memory-store.ts'
import { DataStreamsService } from '../../datastreams/service.ts'
import type { Credential } from '../access/credential.ts'
import type { Directory } from '../access/directory.ts'
import { Signer } from '../access/signer.ts'
import { buildApp } from '../app.ts'
import { Deadlines } from '../http/deadlines.ts'
import { silentLog } from '../log.ts'
import { routes } from '../routes.ts'
import { SETTINGS_DEFAULTS, type ServiceSettings } from '../settings.ts'
import { CheckedAnswers } from './checked-answers.ts'

const checked = new CheckedAnswers(routes)

/** One answer of the app; it is one of the document, or asking has thrown. */
export interface Asked {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at members of whatever came.
  readonly json: any
}

const everything: Credential = { tenant: 'default', accounts: ['default'], scopes: ['admin'], streams: null, id: 'dev' }

/** An application on a store in memory that is asked without a socket. */
export function appUnderTest({
  settings = {},
  clock = systemClock,
  directory = openDirectory,
}: {
  readonly settings?: Partial<ServiceSettings>
  readonly clock?: Clock
  readonly directory?: Directory
} = {}) {
  const stop = new AbortController()
  const streams = new DataStreamsService({
    accounts: {
      exists: async (id) => (await directory.tenantOf(id)) !== undefined,
      tenantOf: async (id) => (await directory.tenantOf(id)) ?? '',
    },
    store: new MemoryStore(),
    groupCommit: { waitMs: 0 },
  })
  const app = buildApp(routes, {
    streams,
    directory,
    signer: new Signer(new Uint8Array(32)),
    settings: { ...SETTINGS_DEFAULTS, ...settings },
    clock,
    deadlines: new Deadlines(clock, stop.signal),
    log: silentLog,
  })
  const ask = async (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS',
    path: string,
    { body, ...options }: Omit<InjectOptions, 'method' | 'url' | 'body'> & { readonly body?: unknown } = {},
  ): Promise<Asked> => {
    const isText = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
    const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers }
    const payload = isText ? body : JSON.stringify(body)
    const answer = await app.inject({
      ...options,
      method,
      url: path,
      headers,
      ...(payload === undefined ? {} : { payload }),
    })
    const type = answer.headers['content-type'] as string | undefined
    const text = answer.headers['content-encoding'] === undefined ? answer.payload : ''
    if (answer.headers['content-encoding'] === undefined)
      checked.check({ method, path, status: answer.statusCode, type, text })
    const json =
      type?.includes('json') === true && !type.includes('ndjson') && text !== '' ? JSON.parse(text) : undefined
    return { status: answer.statusCode, headers: answer.headers as Asked['headers'], text, json }
  }
  const end = async (): Promise<void> => {
    stop.abort()
    await app.close()
    await streams.stop()
  }
  return { app, streams, ask, end }
}

const openDirectory: Directory = {
  verify: async () => undefined,
  anonymous: everything,
  tenantOf: async (account) => (account === 'default' ? 'default' : undefined),
  onlyAccount: async () => 'default',
}
