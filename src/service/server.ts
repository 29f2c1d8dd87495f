import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { type Clock, systemClock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { freshSeed, Random } from '../core/random.ts'
import { StoreAccounts } from '../datastreams/accounts.ts'
import { InProcessBus } from '../datastreams/frame-bus.ts'
import { DataStreamsService } from '../datastreams/service.ts'
import type { Store } from '../datastreams/store.ts'
import { streamStore } from '../headrace/stream-store.ts'
import type { Credential } from './access/credential.ts'
import { Signer } from './access/signer.ts'
import { StoreDirectory } from './access/store-directory.ts'
import { buildApp } from './app.ts'
import { putAdminKey, putDevAccount } from './bootstrap.ts'
import { closeApp } from './close-app.ts'
import type { Settings } from './config/spec.ts'
import { Deadlines } from './http/deadlines.ts'
import { InFlight } from './http/in-flight.ts'
import { Lifecycle } from './lifecycle.ts'
import { LiveHub } from './live/hub.ts'
import type { Log } from './log.ts'
import { HttpCounters } from './metrics/http-counters.ts'
import { ProcessMetrics } from './metrics/process-families.ts'
import { streamFamilies } from './metrics/stream-families.ts'
import { mountsOf } from './mounts.ts'
import { openApiDocument } from './openapi/document.ts'
import { routes } from './routes.ts'
import type { Services } from './services.ts'
import { serviceSettings } from './settings.ts'

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1'])
const MEMORY = new Set(['memory', 'memory:', 'memory://'])
/** Hashes of keys in development: nobody has to remember it. */
const DEV_PEPPER = 'development'
const developer: Credential = { tenant: 'default', accounts: ['default'], scopes: ['admin'], streams: null, id: 'dev' }

export interface ServerDeps {
  readonly log: Log
  readonly clock?: Clock | undefined
  /** Instead of the one that the settings name. */
  readonly store?: Store | undefined
}

/** The service in a process: `open` resolves when it takes requests. */
export class Server {
  readonly url: string
  readonly #app: FastifyInstance
  readonly #services: Services
  readonly #stop: AbortController
  readonly #process: ProcessMetrics
  #stopping: Promise<void> | undefined

  private constructor(
    app: FastifyInstance,
    services: Services,
    form: { readonly url: string; readonly stop: AbortController; readonly process: ProcessMetrics },
  ) {
    this.#app = app
    this.#services = services
    this.url = form.url
    this.#stop = form.stop
    this.#process = form.process
  }

  /** Throws `config_invalid`, `address_unusable`, and what opening the store throws. */
  static async open(settings: Settings, { log, clock = systemClock, store: given }: ServerDeps): Promise<Server> {
    const pepper = pepperOf(settings)
    const stop = new AbortController()
    const store = given ?? storeOf(settings, clock)
    const accounts = new StoreAccounts(store)
    const handled = serviceSettings(settings)
    const random = new Random(freshSeed())
    const streams = serviceOf(settings, { store, clock, random, log, accounts })
    const signer = new Signer(createHash('sha256').update(`cursor ${pepper}`).digest())
    const hub = new LiveHub(streams, signer, { clock, random, limits: handled })
    const lifecycle = new Lifecycle(['store', 'listener'])
    const requests = new HttpCounters()
    const processMetrics = new ProcessMetrics()
    const anonymous = settings.dev ? developer : undefined
    const services: Services = {
      streams,
      live: streams,
      hub,
      store,
      accounts,
      pepper,
      directory: new StoreDirectory(store, accounts, { pepper, clock, anonymous }),
      signer,
      settings: handled,
      clock,
      deadlines: new Deadlines(clock, stop.signal),
      log,
      lifecycle,
      inFlight: new InFlight(),
      requests,
      families: () => [
        ...streamFamilies(streams.observe(), hub.counters, handled.streamLabels),
        ...requests.families(),
        ...processMetrics.families(),
      ],
      endpoints: routes.flatMap(mountsOf).map(({ route, path }) => `${route.method} ${path}`),
      document: () => JSON.stringify(openApiDocument(routes)),
      startedAtMs: clock.elapsedMs(),
    }
    const app = buildApp(routes, services)
    try {
      if (handled.corsOrigins.length > 0) await allowOrigins(app, handled.corsOrigins)
      await streams.start()
      await streams.ready()
      if (store.repairedBytes) {
        log.warn(
          { bytes: store.repairedBytes },
          'the end of the store was torn: what was not committed has been cut off',
        )
      }
      if (settings.dev) await putDevAccount(store, clock)
      await putAdminKey(store, settings, { pepper, clock })
      lifecycle.done('store')
      processMetrics.start()
      const url = await listen(app, settings)
      lifecycle.done('listener')
      return new Server(app, services, { url, stop, process: processMetrics })
    } catch (error) {
      // Nothing may keep the process: whoever started it waits for its end.
      stop.abort()
      processMetrics.stop()
      await app.close().catch(() => undefined)
      await streams.stop({ timeoutMs: 0 }).catch(() => undefined)
      throw error
    }
  }

  /**
   * Takes no new requests, ends live readers with the place where they go on, waits for requests that run, commits what
   * was gathered, closes the store.
   */
  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#end(timeoutMs)
    return this.#stopping
  }

  async #end(timeoutMs: number): Promise<void> {
    const { lifecycle, hub, streams, clock, inFlight } = this.#services
    lifecycle.draining = true
    hub.close()
    const from = clock.elapsedMs()
    await closeApp(this.#app, inFlight, { clock, timeoutMs })
    await streams.stop({ timeoutMs: Math.max(0, timeoutMs - (clock.elapsedMs() - from)) })
    this.#stop.abort()
    this.#process.stop()
  }
}

const storeOf = (settings: Settings, clock: Clock): Store =>
  streamStore(settings['streams.store'] ?? `file:${settings.data_dir}/streams`, {
    durability: settings['streams.durability'],
    idempotencyHours: settings['streams.idempotency_hours'],
    clock,
  })

function serviceOf(
  settings: Settings,
  deps: {
    readonly store: Store
    readonly accounts: StoreAccounts
    readonly clock: Clock
    readonly random: Random
    readonly log: Log
  },
): DataStreamsService {
  const { log, ...rest } = deps
  return new DataStreamsService({
    ...rest,
    bus: busOf(settings['streams.bus']),
    busMode: settings['streams.bus.mode'],
    outbox: { max: settings['streams.bus.outbox_max'], onFull: settings['streams.bus.on_full'] },
    groupCommit: { waitMs: settings['streams.group_commit_ms'], frames: settings['streams.group_commit_frames'] },
    retention: {
      maxAgeMs: settings['streams.retention.max_age'],
      maxFrames: settings['streams.retention.max_frames'],
      maxBytes: settings['streams.retention.max_bytes'],
    },
    maxFrameBytes: settings['streams.max_frame_bytes'],
    denyInactive: settings['streams.deny_inactive'],
    logger: { warn: (message: string, fields: Readonly<Record<string, unknown>>) => log.warn(fields ?? {}, message) },
  })
}

function busOf(uri: string): InProcessBus | undefined {
  if (uri === 'none') return undefined
  if (MEMORY.has(uri)) return new InProcessBus()
  throw new HeadraceError('config_invalid', `setting streams.bus: "${uri}" is not built yet`, {
    hint: 'memory: or none',
  })
}

/** Without credentials only this machine may call. */
function pepperOf(settings: Settings): string {
  const host = settings['server.host']
  if (settings.dev) {
    if (LOOPBACK.has(host)) return settings['streams.auth.pepper'] ?? DEV_PEPPER
    throw new HeadraceError('config_invalid', `--dev has no credentials and cannot listen on ${host}`, {
      hint: 'listen on 127.0.0.1, or leave --dev out',
    })
  }
  const pepper = settings['streams.auth.pepper']
  if (!settings['streams.auth.keys'] || pepper === undefined || pepper === '') {
    throw new HeadraceError('config_invalid', 'no way to authenticate is configured', {
      hint: 'set HEADRACE_STREAMS_AUTH_PEPPER to a secret of your own, or use --dev on this machine',
    })
  }
  return pepper
}

async function listen(app: FastifyInstance, settings: Settings): Promise<string> {
  const host = settings['server.host']
  const port = settings['server.port']
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new HeadraceError('address_unusable', `cannot listen on ${host}:${port}: ${code ?? String(error)}`, {
      cause: error,
      hint: code === 'EADDRINUSE' ? 'another process listens there: choose another --port' : undefined,
    })
  }
}

/** Headers that pages may send and read. */
const SENT = ['authorization', 'content-type', 'if-match', 'if-none-match', 'last-event-id', 'idempotency-key']
const MORE_SENT = ['x-tenant-id', 'x-account-id', 'traceparent', 'producer-id', 'producer-epoch', 'producer-seq']
const READ = ['etag', 'location', 'link', 'next-cursor', 'idempotent-replay', 'retry-after', 'producer-epoch']

async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  const { fastifyCors } = await import('@fastify/cors')
  await app.register(fastifyCors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [...SENT, ...MORE_SENT],
    exposedHeaders: READ,
    maxAge: 600,
  })
}
