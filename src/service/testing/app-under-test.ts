import type { InjectOptions } from 'fastify'
import { type Clock, systemClock } from '../../core/clock.ts'
import { Random } from '../../core/random.ts'
import { StoreAccounts } from '../../datastreams/accounts.ts'
import { InProcessBus } from '../../datastreams/frame-bus.ts'
import { MemoryStore } from '../../datastreams/memory-store.ts'
import { DataStreamsService } from '../../datastreams/service.ts'
import type { Store } from '../../datastreams/store.ts'
import type { Credential } from '../access/credential.ts'
import { Signer } from '../access/signer.ts'
import { StoreDirectory } from '../access/store-directory.ts'
import { buildApp } from '../app.ts'
import { closeApp } from '../close-app.ts'
import { Deadlines } from '../http/deadlines.ts'
import { InFlight } from '../http/in-flight.ts'
import { Lifecycle } from '../lifecycle.ts'
import { LiveHub } from '../live/hub.ts'
import { silentLog } from '../log.ts'
import { HttpCounters } from '../metrics/http-counters.ts'
import { streamFamilies } from '../metrics/stream-families.ts'
import { openApiDocument } from '../openapi/document.ts'
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

const everything: Credential = { tenant: 'default', accounts: null, scopes: ['admin'], streams: null, id: 'dev' }

export interface UnderTest {
  readonly settings?: Partial<ServiceSettings>
  readonly clock?: Clock
  readonly store?: Store
  /** What a request without a key may; null: nothing. */
  readonly anonymous?: Credential | null
}

export const PEPPER = 'pepper'
const SEED = 5

/** An application on a store in memory; `ask` asks it without a socket. */
export function appUnderTest({
  settings: given = {},
  clock = systemClock,
  store = new MemoryStore(),
  anonymous = everything,
}: UnderTest = {}) {
  const stop = new AbortController()
  const accounts = new StoreAccounts(store)
  const streams = new DataStreamsService({
    accounts,
    store,
    clock,
    bus: new InProcessBus(),
    groupCommit: { waitMs: 0 },
  })
  const settings = { ...SETTINGS_DEFAULTS, ...given }
  const signer = new Signer(new Uint8Array(32))
  const hub = new LiveHub(streams, signer, { clock, random: new Random(SEED), limits: settings })
  const directory = new StoreDirectory(store, accounts, { pepper: PEPPER, clock, anonymous: anonymous ?? undefined })
  const deadlines = new Deadlines(clock, stop.signal)
  const services = {
    streams,
    live: streams,
    hub,
    store,
    accounts,
    pepper: PEPPER,
    directory,
    signer,
    settings,
    clock,
    deadlines,
  }
  const lifecycle = new Lifecycle([])
  const inFlight = new InFlight()
  const requests = new HttpCounters()
  const app = buildApp(routes, {
    ...services,
    log: silentLog,
    lifecycle,
    inFlight,
    requests,
    families: () => [...streamFamilies(streams.observe(), hub.counters, true), ...requests.families()],
    endpoints: [],
    document: () => JSON.stringify(openApiDocument(routes)),
    startedAtMs: 0,
  })
  const ready = store.putAccount({ id: 'default', tenant: 'default', name: 'default', createdAt: 0 })
  const ask = async (method: AskMethod, path: string, { body, ...options }: AskOptions = {}): Promise<Asked> => {
    await ready
    const isText = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
    const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers }
    const payload = isText ? body : JSON.stringify(body)
    const answer = await app.inject({
      ...options,
      method: method as 'GET',
      url: path,
      headers,
      ...(payload === undefined ? {} : { payload }),
    })
    const type = answer.headers['content-type'] as string | undefined
    const isPacked = answer.headers['content-encoding'] !== undefined
    const text = isPacked ? '' : answer.payload
    if (!isPacked) checked.check({ method, path, status: answer.statusCode, type, text })
    const isJson = type?.includes('json') === true && !type.includes('ndjson') && text !== ''
    const json = isJson ? JSON.parse(text) : undefined
    return { status: answer.statusCode, headers: answer.headers as Asked['headers'], text, json }
  }
  const end = async (): Promise<void> => {
    hub.close()
    stop.abort()
    await closeApp(app, inFlight, { clock: systemClock, timeoutMs: 50 })
    await streams.stop()
  }
  return { app, streams, store, hub, ready, ask, end }
}

type AskMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS' | 'QUERY'
type AskOptions = Omit<InjectOptions, 'method' | 'url' | 'body'> & { readonly body?: unknown }
