import { type Clock, systemClock } from '../core/clock.ts'
import { assert } from '../core/errors.ts'
import { freshSeed, Random } from '../core/random.ts'
import { Uuid7 } from '../core/uuid7.ts'
import { type Background, startBackground } from './background.ts'
import { DomainCounters } from './counters.ts'
import { type Descriptor, descriptor, type Manifest, manifestOf } from './describe.ts'
import { ConflictError, NotFoundError, OwnershipError, ServiceUnavailableError } from './errors.ts'
import type { Frame } from './frame.ts'
import { frequencyMs } from './frequency.ts'
import { GroupCommit } from './group-commit.ts'
import type { Idempotency } from './idempotency.ts'
import { Ingest, type ReceivedInput } from './ingest.ts'
import { type Follower, LiveHub, type LivePage, type LiveQuery, type LiveStart, readLive, startOf } from './live.ts'
import { Monitors, type SlaAnswer } from './monitors.ts'
import { type Attributes, Operations } from './operations.ts'
import { Outbox } from './outbox.ts'
import { type FrameOutcome, notFound } from './outcomes.ts'
import { publishBefore } from './publish-before.ts'
import { pushedFrame, streamOfTopic } from './push.ts'
import type {
  CreatedFrame,
  CreateFramesOptions,
  DataStreamsDeps,
  FrameOptions,
  ServiceHealth,
  StreamStats,
} from './service-types.ts'
import type { DeadEntry, FrameQuery, Store, StreamExtent, StreamNews, StreamQuery, WriterMark } from './store.ts'
import type { Stream, StreamFields } from './stream.ts'
import { patchedFields, type StreamInput, streamFields } from './stream-fields.ts'

export type { FrameOutcome } from './outcomes.ts'
export type { CreatedFrame, CreateFramesOptions, DataStreamsDeps, FrameOptions } from './service-types.ts'

const LIMIT_DEFAULT = 25
const LIMIT_MAX = 500
const FRAME_BYTES_MAX = 1024 * 1024
/** An older frame in the outbox makes the service degraded. */
const OUTBOX_OLD_MS = 5 * 60_000

/**
 * Streams and frames of many accounts (streams-service.md §11). Every call names an account and is refused unless the
 * stream is that account's; what resolves is durable as far as the store can make it.
 */
export class DataStreamsService {
  readonly counters = new DomainCounters()
  readonly #deps: DataStreamsDeps
  readonly #store: Store
  readonly #clock: Clock
  readonly #ids: Uuid7
  readonly #commits: GroupCommit
  readonly #ingest: Ingest
  readonly #operations: Operations
  readonly #monitors: Monitors
  readonly #hub = new LiveHub()
  readonly #outbox: Outbox | undefined
  readonly #unwatch: () => void
  #background: Background | undefined
  #state: 'new' | 'running' | 'stopped'

  constructor(deps: DataStreamsDeps) {
    const { store, clock = systemClock, bus, busMode = 'outbox', random = new Random(freshSeed()) } = deps
    this.#deps = deps
    this.#store = store
    this.#clock = clock
    this.#ids = new Uuid7(() => this.#nowMs())
    const warn = (message: string, fields: Readonly<Record<string, unknown>>) => deps.logger?.warn(message, fields)
    const { counters } = this
    const before = bus !== undefined && busMode === 'direct' ? publishBefore(bus, counters, warn) : undefined
    this.#commits = new GroupCommit(store, clock, deps.groupCommit, before)
    this.#operations = new Operations(clock, counters, deps.hooks ?? {}, (error) =>
      warn('an observation hook failed', { error: String(error) }),
    )
    this.#monitors = new Monitors(store, clock, counters)
    if (bus !== undefined) this.#outbox = new Outbox({ store, bus, clock, random, counters, warn }, deps.outbox)
    const { maxFrameBytes = FRAME_BYTES_MAX } = deps
    this.#ingest = new Ingest({ store, commits: this.#commits, outbox: this.#outbox, counters, clock, maxFrameBytes })
    this.#unwatch = store.watch((news) => this.#onNews(news))
    this.#state = store.immediate === true ? 'running' : 'new'
  }

  /** Brings the store up to date, takes up what the last run left, starts the timers. */
  async start(): Promise<void> {
    if (this.#state === 'stopped') throw stopped()
    if (this.#background !== undefined) return
    await this.#store.migrate()
    const { retention = {}, logger } = this.#deps
    this.#background = await startBackground({
      store: this.#store,
      clock: this.#clock,
      monitors: this.#monitors,
      outbox: this.#outbox,
      retention,
      warn: (message, error) => logger?.warn(message, { error: String(error) }),
    })
    this.#state = 'running'
  }

  /** Rejects until the store answers. */
  async ready(): Promise<void> {
    this.#refuseStopped()
    const { ok, detail } = await this.#store.health()
    if (!ok) throw new ServiceUnavailableError(`the store does not answer: ${detail}`)
  }

  async health(): Promise<ServiceHealth> {
    const { ok, detail } = await this.#store.health()
    if (this.#state !== 'running') return { state: 'unhealthy', cause: `the service is ${this.#state}` }
    if (!ok) return { state: 'unhealthy', cause: `store: ${detail}` }
    const oldest = this.#outbox?.oldestMs(this.#nowMs()) ?? 0
    if (oldest <= OUTBOX_OLD_MS) return { state: 'healthy', cause: undefined }
    return { state: 'degraded', cause: `outbox: a frame waits for the bus since ${Math.floor(oldest / 1000)} s` }
  }

  /** Takes no new calls, ends live readers, commits what was gathered, publishes what waits, closes the store. */
  async stop({ timeoutMs = 30_000 }: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.#hub.close()
    await this.#commits.drain()
    const late = new AbortController()
    const done = new AbortController()
    this.#clock.sleep(timeoutMs, done.signal).then(() => late.abort())
    await this.#outbox?.drain(late.signal)
    done.abort()
    await this.#background?.stop()
    this.#unwatch()
    await this.#deps.bus?.close?.()
    await this.#store.close()
  }

  createStream(input: StreamInput & { readonly accountId: string }): Promise<Stream> {
    return this.#operations.run('create_stream', { account_id: input.accountId }, () => this.#createStream(input))
  }

  async #createStream({ accountId, ...input }: StreamInput & { readonly accountId: string }): Promise<Stream> {
    this.#refuseStopped()
    const account = accountId.trim()
    await this.#refuseUnknown(account)
    const autoActivate = input.autoActivate ?? (this.#deps.denyInactive === true ? false : undefined)
    const fields = streamFields({ ...input, autoActivate })
    const now = this.#nowMs()
    const stream: Stream = {
      ...fields,
      id: this.#ids.next(),
      accountId: account,
      frequencyMs: frequencyMs(fields.frequency),
      contentType: 'application/json',
      createdAt: now,
      updatedAt: now,
      version: 1,
    }
    await this.#store.createStream(stream)
    this.counters.account(this.counters.streamsCreated, account)
    return stream
  }

  /** All fields that a caller may write; absent ones take their defaults. */
  updateStream(accountId: string, id: string, input: StreamInput, version?: number): Promise<Stream> {
    return this.#change(accountId, id, () => streamFields(input), version)
  }

  /** Only the fields that are given. */
  patchStream(accountId: string, id: string, patch: StreamInput, version?: number): Promise<Stream> {
    return this.#change(accountId, id, (before) => patchedFields(before, patch), version)
  }

  /** Made to the newest version, again and again until nobody else was faster; `version`: only to that one. */
  #change(
    accountId: string,
    id: string,
    make: (before: Stream) => StreamFields,
    version: number | undefined,
  ): Promise<Stream> {
    return this.#operations.run('update_stream', ids(accountId, id), async () => {
      for (;;) {
        const before = await this.#owned(accountId, id)
        if (version !== undefined && before.version !== version) throw changedSince(id, version, before.version)
        const fields = make(before)
        const after: Stream = {
          ...before,
          ...fields,
          frequencyMs: frequencyMs(fields.frequency),
          updatedAt: Math.max(this.#nowMs(), before.updatedAt),
          version: before.version + 1,
        }
        if (!(await this.#store.updateStream(after, before.version))) continue
        this.counters.account(this.counters.streamsUpdated, accountId)
        return after
      }
    })
  }

  deleteStream(accountId: string, id: string): Promise<void> {
    return this.#operations.run('delete_stream', ids(accountId, id), async () => {
      await this.#owned(accountId, id)
      await this.#store.deleteStream(id)
    })
  }

  getStream(accountId: string, id: string): Promise<Stream> {
    return this.#operations.run('get_stream', ids(accountId, id), () => this.#owned(accountId, id))
  }

  async #owned(accountId: string, id: string): Promise<Stream> {
    this.#refuseStopped()
    const stream = await this.#store.getStream(id)
    if (stream === undefined) throw notFound(id)
    if (stream.accountId === accountId) return stream
    await this.#refuseUnknown(accountId)
    const tenants = [
      await this.#deps.accounts.tenantOf(accountId),
      await this.#deps.accounts.tenantOf(stream.accountId),
    ]
    // A stream of another tenant is not there at all.
    if (tenants[0] !== tenants[1]) throw notFound(id)
    throw new OwnershipError(`stream ${id} does not belong to account ${accountId}`)
  }

  /** Newest created first. */
  listStreams(accountId: string, query: Partial<Omit<StreamQuery, 'accountId'>> = {}): Promise<readonly Stream[]> {
    return this.#operations.run('list_streams', { account_id: accountId }, async () => {
      this.#refuseStopped()
      await this.#refuseUnknown(accountId)
      return await this.#store.listStreams({ ...query, accountId, limit: limitOf(query.limit) })
    })
  }

  /** `sequence`: undefined to have one given. Repeating the very frame gives the stored one again. */
  async createFrame(
    accountId: string,
    streamId: string,
    sequence: bigint | number | string | undefined,
    payload: unknown,
    options: FrameOptions = {},
  ): Promise<CreatedFrame> {
    const [outcome] = await this.createFrames(accountId, streamId, [{ ...options, sequence, payload }])
    if (outcome!.status === 'error') throw outcome!.error
    // Only appends with a producer or writer are repeated as a whole.
    assert(outcome!.status !== 'repeated', 'a frame without a producer was repeated')
    return { frame: outcome!.frame, repeated: outcome!.status === 'duplicate' }
  }

  /** Several frames of one stream in one commit; gives what became of each, in order. */
  createFrames(
    accountId: string,
    streamId: string,
    inputs: readonly ReceivedInput[],
    options: CreateFramesOptions = {},
  ): Promise<readonly FrameOutcome[]> {
    return this.#operations.run('create_frame', ids(accountId, streamId), async () => {
      try {
        await this.#owned(accountId, streamId)
        return await this.#ingest.create({ accountId, streamId }, inputs, options)
      } catch (error) {
        if (options.idempotency !== undefined) this.#store.idempotency.abandon(options.idempotency.key)
        throw error
      }
    })
  }

  /** The highest sequence first. */
  listFrames(
    accountId: string,
    streamId: string,
    query: Partial<Omit<FrameQuery, 'streamId'>> | number = {},
  ): Promise<readonly Frame[]> {
    return this.#operations.run('list_frames', ids(accountId, streamId), async () => {
      await this.#owned(accountId, streamId)
      const given = typeof query === 'number' ? { limit: query } : query
      const { by = 'sequence', order = 'desc' } = given
      return await this.#store.listFrames({ ...given, streamId, by, order, limit: limitOf(given.limit) })
    })
  }

  async getFrame(accountId: string, streamId: string, sequence: bigint): Promise<Frame> {
    await this.#owned(accountId, streamId)
    const frame = await this.#store.getFrame(streamId, sequence)
    if (frame === undefined) throw new NotFoundError(`stream ${streamId} has no frame ${sequence}`)
    return frame
  }

  /** The frame with the highest sequence. */
  latestFrame(accountId: string, streamId: string): Promise<Frame> {
    return this.#operations.run('latest_frame', ids(accountId, streamId), async () => {
      await this.#owned(accountId, streamId)
      const frame = await this.#store.latestFrame(streamId)
      if (frame === undefined) throw new NotFoundError(`stream ${streamId} has no frames`, { code: 'no_frames' })
      return frame
    })
  }

  async extent(accountId: string, streamId: string): Promise<StreamExtent> {
    await this.#owned(accountId, streamId)
    const extent = await this.#store.extent(streamId)
    if (extent === undefined) throw notFound(streamId)
    return extent
  }

  async stats(accountId: string, streamId: string): Promise<StreamStats> {
    return { ...(await this.extent(accountId, streamId)), subscribers: this.#hub.count(streamId) }
  }

  async sla(accountId: string, streamId: string, windowMs: number): Promise<SlaAnswer> {
    return await this.#monitors.sla(await this.#owned(accountId, streamId), windowMs)
  }

  /** Frames that may be delivered behind a position; throws `cursor_expired` where retention has passed it. */
  async read(accountId: string, streamId: string, query: LiveQuery): Promise<LivePage> {
    await this.#owned(accountId, streamId)
    return await readLive(this.#store, streamId, query)
  }

  /** Wakes its owner when `read` may give more. To miss nothing: follow, then read, then wait. */
  follow(streamId: string): Follower {
    const follower = this.#hub.follow(streamId)
    if (this.#state === 'stopped') follower.ended = true
    return follower
  }

  async startPosition(accountId: string, streamId: string, from: LiveStart): Promise<bigint> {
    await this.#owned(accountId, streamId)
    return await startOf(this.#store, streamId, from)
  }

  /** Frames as they come, in the order of positions; ends with the stream, the service or the signal. */
  async *subscribe(
    accountId: string,
    streamId: string,
    form: {
      readonly signal?: AbortSignal | undefined
      readonly from?: LiveStart | undefined
    } & Partial<LiveQuery> = {},
  ): AsyncGenerator<Frame, void, undefined> {
    const { from = 'latest', signal = new AbortController().signal, limit = 256, statuses, maxBytes } = form
    let after = form.after ?? (await this.startPosition(accountId, streamId, from))
    const follower = this.follow(streamId)
    try {
      while (!signal.aborted && !follower.deleted && !follower.ended) {
        const { frames, next, upToDate } = await this.read(accountId, streamId, { after, limit, statuses, maxBytes })
        yield* frames
        after = next
        if (upToDate) await follower.wait(signal)
      }
    } finally {
      follower.close()
    }
  }

  /**
   * A frame for whoever owns the stream of a topic (`datastreams/<id>` or the id): an envelope, or a payload. `ctx`: its
   * trace.
   */
  async push(
    topic: string,
    payload: unknown,
    ctx: { readonly traceparent?: string | undefined } = {},
  ): Promise<CreatedFrame> {
    this.#refuseStopped()
    const input = pushedFrame(payload)
    const streamId = streamOfTopic(topic)
    const stream = await this.#store.getStream(streamId)
    if (stream === undefined) throw notFound(streamId)
    const { sequence, payload: body, ...options } = input
    return await this.createFrame(stream.accountId, streamId, sequence as bigint | undefined, body, {
      ...options,
      ...ctx,
    })
  }

  /** A fencing read: instances of the writer with a lower incarnation are refused from now on. Gives what it has written. */
  async claimWriter(
    accountId: string,
    streamId: string,
    writer: { readonly id: string; readonly incarnation: bigint },
  ): Promise<Omit<WriterMark, 'id'>> {
    await this.#owned(accountId, streamId)
    return await this.#ingest.claim(streamId, writer)
  }

  async writer(accountId: string, streamId: string, id: string): Promise<Omit<WriterMark, 'id'> | undefined> {
    await this.#owned(accountId, streamId)
    return await this.#store.getWriter(streamId, id)
  }

  get idempotency(): Idempotency {
    return this.#store.idempotency
  }

  /** What waits for the bus, and what it refused for good. */
  async outbox(limit = 100): Promise<{
    readonly entries: number
    readonly oldestMs: number
    readonly streams: ReturnType<Outbox['waiting']>
    readonly dead: readonly DeadEntry[]
  }> {
    const { entries = 0 } = this.#outbox ?? {}
    const oldestMs = this.#outbox?.oldestMs(this.#nowMs()) ?? 0
    return { entries, oldestMs, streams: this.#outbox?.waiting() ?? [], dead: await this.#store.listDead(limit) }
  }

  /** Live readers of a stream, or of all. */
  subscribers(streamId?: string): number {
    return this.#hub.count(streamId)
  }

  descriptor(): Descriptor {
    return descriptor
  }

  manifest(added: Partial<Pick<Manifest, 'endpoints' | 'scopes' | 'quotas' | 'limits'>> = {}): Manifest {
    const { bus, busMode = 'outbox', maxFrameBytes = FRAME_BYTES_MAX } = this.#deps
    const limits = { default_limit: LIMIT_DEFAULT, max_limit: LIMIT_MAX, max_frame_bytes: maxFrameBytes }
    return manifestOf({
      endpoints: added.endpoints ?? [],
      scopes: added.scopes ?? [],
      quotas: added.quotas ?? {},
      limits: { ...limits, ...added.limits },
      durability: this.#store.durability ?? 'commit',
      bus: bus === undefined ? 'none' : busMode,
    })
  }

  /** Refreshes what the counters show of this moment. */
  observe(): DomainCounters {
    this.counters.outbox.entries = this.#outbox?.entries ?? 0
    this.counters.outbox.oldestSeconds = (this.#outbox?.oldestMs(this.#nowMs()) ?? 0) / 1000
    return this.counters
  }

  #onNews(news: StreamNews): void {
    const { streamId } = news
    if (news.kind === 'frames') {
      this.#monitors.onFrames(news.stream, news.frames)
      this.#publish(streamId, news.frames[0]!.position - 1n, news.frames.at(-1)!.position)
    } else if (news.kind === 'released') {
      this.#outbox?.release(streamId, news.to, news.from)
      this.#countReleased(news).catch((error: unknown) =>
        this.#deps.logger?.warn('released frames were not counted', { stream_id: streamId, error: String(error) }),
      )
    } else if (news.kind === 'stream') this.#monitors.onStream(news.stream)
    else if (news.kind === 'deleted') {
      this.#monitors.onDeleted(news)
      this.#outbox?.delete(streamId)
    }
    this.#hub.onNews(news)
  }

  #publish(streamId: string, from: bigint, to: bigint): void {
    // Without a bus, and where it got them before the commit, nothing waits.
    if (this.#outbox !== undefined && this.#deps.busMode !== 'direct') this.#outbox.release(streamId, to, from)
    else void this.#store.published(streamId, to)
  }

  async #countReleased({ streamId, stream, from, to }: StreamNews & { readonly kind: 'released' }): Promise<void> {
    if (this.#outbox === undefined) await this.#store.published(streamId, to)
    for (let after = from; after < to; ) {
      const frames = await this.#store.readFrames(streamId, { after, upTo: to, limit: 1000 })
      if (frames.length === 0) return
      this.#monitors.onFrames(stream, frames)
      after = frames.at(-1)!.position
    }
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMicros() / 1000)
  }

  #refuseStopped(): void {
    if (this.#state === 'running') return
    throw this.#state === 'new' ? new ServiceUnavailableError('the service has not been started') : stopped()
  }

  async #refuseUnknown(accountId: string): Promise<void> {
    if (!(await this.#deps.accounts.exists(accountId))) throw new NotFoundError(`account ${accountId} not found`)
  }
}

/** Absent: 25; more than 500: 500. */
const limitOf = (limit: number | undefined): number => Math.min(limit ?? LIMIT_DEFAULT, LIMIT_MAX)

const stopped = () => new ServiceUnavailableError('the service has been stopped')

const ids = (accountId: string, streamId: string): Attributes => ({ account_id: accountId, stream_id: streamId })

const changedSince = (id: string, wanted: number, found: number) =>
  new ConflictError(`stream ${id} has version ${found}, not ${wanted}`, { code: 'precondition_failed' })
