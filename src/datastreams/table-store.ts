import { Uuid7 } from '../core/uuid7.ts'
import type { Account } from './accounts.ts'
import type { ApiKey } from './api-keys.ts'
import { heldAfter, StreamPlan } from './append-plan.ts'
import { larger } from './bigints.ts'
import type { Entry } from './entries.ts'
import type { Frame } from './frame.ts'
import type { Begun, Idempotency, IdempotentAnswer } from './idempotency.ts'
import type { FrameShelf } from './shelf.ts'
import type {
  Append,
  Appended,
  DeadEntry,
  FrameQuery,
  ProducerMark,
  Store,
  StreamBounds,
  StreamExtent,
  StreamNews,
  StreamQuery,
  WriterMark,
} from './store.ts'
import type { Retention, Stream } from './stream.ts'
import { releasedOf, type StreamEntry, Tables } from './tables.ts'
import { Turns } from './turns.ts'

/** Which of the two logs an entry belongs to: definitions, or what grows with the frames. */
export type LogName = 'meta' | 'data'

export interface TableStoreOptions {
  /** How long answers to idempotent requests are kept; default 24 hours. */
  readonly idempotencyMs?: number | undefined
}

const DAY_MS = 86_400_000

/**
 * A store whose tables are in memory. Every change is a list of entries: it is planned, kept (`keep`), applied, told.
 * One change at a time, so that a plan holds until it is applied; what could not be kept was never applied.
 */
export abstract class TableStore<P> implements Store {
  abstract readonly immediate: boolean
  readonly idempotency: Idempotency
  protected readonly tables: Tables<P>
  protected readonly turns = new Turns()
  readonly #listeners = new Set<(news: StreamNews) => void>()
  readonly #published = new Set<string>()
  readonly #touched = new Map<string, number>()
  #nowMs = 0
  readonly #ids = new Uuid7(() => this.#nowMs)

  constructor({ idempotencyMs = DAY_MS }: TableStoreOptions, newShelf: (stream: Stream) => FrameShelf<P>) {
    this.tables = new Tables(newShelf, idempotencyMs)
    this.idempotency = {
      begin: async (key, hash, now): Promise<Begun> => this.tables.idempotency.begin(key, hash, now),
      finish: (key, answer, now) => this.#finish(key, answer, now),
      abandon: (key) => this.tables.idempotency.abandon(key),
    }
  }

  /** Makes entries durable, together; gives where each of them lies. */
  protected abstract keep(log: LogName, entries: readonly Entry[]): Promise<readonly P[]>

  abstract migrate(): Promise<void>
  abstract health(): Promise<{ readonly ok: boolean; readonly detail: string }>
  abstract close(): Promise<void>

  protected async commit(log: LogName, changes: readonly Entry[]): Promise<void> {
    const entries = log === 'data' ? [...changes, ...this.#takePublished()] : changes
    if (entries.length === 0) return
    const places = await this.keep(log, entries)
    for (const [i, entry] of entries.entries()) this.tables.apply(entry, places[i]!)
  }

  /** What the bus has got travels with the next commit: a flush of its own would be one for every publication. */
  *#takePublished(): Iterable<Entry> {
    for (const streamId of this.#published) {
      const entry = this.tables.streams.get(streamId)
      if (entry !== undefined) yield { kind: 'published', streamId, position: entry.published }
    }
    this.#published.clear()
  }

  protected tell(news: StreamNews): void {
    for (const listener of this.#listeners) listener(news)
  }

  watch(listener: (news: StreamNews) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  createStream(stream: Stream): Promise<void> {
    return this.turns.run(async () => {
      const heldAbove = stream.status === 'paused' ? 0n : undefined
      await this.commit('meta', [{ kind: 'stream', stream, heldAbove }])
      this.tell({ kind: 'stream', streamId: stream.id, stream, before: undefined })
    })
  }

  updateStream(stream: Stream, expected: number): Promise<boolean> {
    return this.turns.run(async () => {
      const entry = this.tables.streams.get(stream.id)
      if (entry === undefined || entry.stream.version !== expected) return false
      const before = entry.stream
      const heldAbove = heldAfter(entry, stream)
      const from = releasedOf(entry)
      await this.commit('meta', [{ kind: 'stream', stream, heldAbove }])
      this.tell({ kind: 'stream', streamId: stream.id, stream, before })
      const to = releasedOf(entry)
      if (to > from) this.tell({ kind: 'released', streamId: stream.id, stream, from, to })
      return true
    })
  }

  async getStream(id: string): Promise<Stream | undefined> {
    return this.tables.streams.get(id)?.stream
  }

  async listStreams(query: StreamQuery): Promise<readonly Stream[]> {
    const { accountId, limit, after, status, symbol, namePrefix } = query
    return [...(this.tables.byAccount.get(accountId) ?? [])]
      .map((id) => this.tables.streams.get(id)!.stream)
      .filter(
        (stream) =>
          (status === undefined || stream.status === status) &&
          (symbol === undefined || stream.symbol === symbol) &&
          (namePrefix === undefined || stream.name.startsWith(namePrefix)) &&
          (after === undefined || newestFirst(after, stream) < 0),
      )
      .sort(newestFirst)
      .slice(0, limit)
  }

  async *allStreams(): AsyncIterable<Stream> {
    for (const { stream } of this.tables.streams.values()) yield stream
  }

  deleteStream(id: string): Promise<boolean> {
    return this.turns.run(async () => {
      if (!this.tables.streams.has(id)) return false
      await this.commit('meta', [{ kind: 'stream_deleted', streamId: id }])
      this.tell({ kind: 'deleted', streamId: id })
      return true
    })
  }

  append(
    appends: readonly Append[],
    now: number,
    before?: (frames: readonly Frame[]) => Promise<void>,
  ): Promise<readonly (readonly Appended[])[]> {
    return this.turns.run(async () => {
      // Positions and times of creation rise together, also when the clock goes back.
      this.#nowMs = Math.max(now, this.#nowMs)
      const plans = new Map<string, StreamPlan<P>>()
      const answers: Entry[] = []
      const results = appends.map((append) => {
        const result = this.#planned(plans, append)
        answers.push(...this.#answered(append, result))
        return result
      })
      if (before !== undefined) {
        // What is held back goes to the bus when it is released.
        for (const { frames, entry } of plans.values()) if (entry.heldAbove === undefined) await before(frames)
      }
      const entries = [...plans.values()].flatMap((plan) => [...plan.entries()])
      await this.commit('data', [...entries, ...answers])
      for (const plan of plans.values()) this.#tellOf(plan)
      return results
    })
  }

  #planned(plans: Map<string, StreamPlan<P>>, append: Append): readonly Appended[] {
    const { streamId, frames } = append
    let plan = plans.get(streamId)
    if (plan === undefined) {
      const entry = this.tables.streams.get(streamId)
      if (entry === undefined) {
        const refused: Appended = { kind: 'refused', code: 'not_found' }
        return frames.length === 0 ? [refused] : frames.map(() => refused)
      }
      plan = new StreamPlan(entry, this.#nowMs, this.#ids)
      plans.set(streamId, plan)
    }
    return plan.append(append)
  }

  #answered({ idempotency }: Append, result: readonly Appended[]): readonly Entry[] {
    if (idempotency === undefined) return []
    const { key, hash } = idempotency
    const answer = idempotency.answer(result)
    if (answer === undefined) {
      this.tables.idempotency.abandon(key)
      return []
    }
    const expiresAt = this.#nowMs + this.tables.idempotency.lifeMs
    return [{ kind: 'idempotency', entry: { key, hash, answer, expiresAt } }]
  }

  #tellOf({ entry, frames, before }: StreamPlan<P>): void {
    const streamId = entry.stream.id
    if (entry.stream !== before) this.tell({ kind: 'stream', streamId, stream: entry.stream, before })
    if (frames.length > 0 && entry.heldAbove === undefined)
      this.tell({ kind: 'frames', streamId, stream: entry.stream, frames })
  }

  #finish(key: string, answer: IdempotentAnswer, now: number): Promise<void> {
    return this.turns.run(async () => {
      const hash = this.tables.idempotency.running(key)
      if (hash === undefined) return
      const entry = { key, hash, answer, expiresAt: now + this.tables.idempotency.lifeMs }
      await this.commit('data', [{ kind: 'idempotency', entry }])
    })
  }

  async getFrame(streamId: string, sequence: bigint): Promise<Frame | undefined> {
    return this.#shelf(streamId)?.find(sequence)
  }

  async latestFrame(streamId: string): Promise<Frame | undefined> {
    return this.#shelf(streamId)?.latest()
  }

  async listFrames(query: FrameQuery): Promise<readonly Frame[]> {
    return (await this.#shelf(query.streamId)?.list(query)) ?? []
  }

  async readFrames(streamId: string, range: Parameters<Store['readFrames']>[1]): Promise<readonly Frame[]> {
    const { maxBytes = Number.POSITIVE_INFINITY } = range
    return this.#shelf(streamId)?.read({ ...range, maxBytes }) ?? []
  }

  async bounds(streamId: string): Promise<StreamBounds | undefined> {
    const entry = this.tables.streams.get(streamId)
    if (entry === undefined) return undefined
    const { shelf, published } = entry
    return {
      lastPosition: shelf.last,
      cutPosition: shelf.cutPosition,
      releasedPosition: releasedOf(entry),
      publishedPosition: published,
      highestSequence: shelf.highest,
      lowestEver: shelf.lowest,
      lastFrameAt: shelf.lastCreatedAt,
    }
  }

  async extent(streamId: string): Promise<StreamExtent | undefined> {
    const bounds = await this.bounds(streamId)
    const entry = this.tables.streams.get(streamId)
    if (entry === undefined || bounds === undefined) return undefined
    const { shelf, stream } = entry
    // Of a dense stream every number between lowest and highest was sent once, or is missing.
    const numbers = shelf.highest === 0n ? 0n : shelf.highest - shelf.lowest + 1n
    const gaps = stream.sequenceMode === 'dense' ? larger(0n, numbers - shelf.last) : 0n
    return { ...bounds, ...shelf.facts(), gaps }
  }

  async positionAt(streamId: string, time: number): Promise<bigint | undefined> {
    return this.#shelf(streamId)?.before(time)
  }

  async retentionCut(streamId: string, retention: Retention, now: number): Promise<bigint> {
    const shelf = this.#shelf(streamId)
    if (shelf === undefined) return 0n
    const { maxAgeMs, maxFrames, maxBytes } = retention
    let position = shelf.cutPosition
    if (maxAgeMs !== undefined) position = larger(position, shelf.before(now - maxAgeMs))
    if (maxFrames !== undefined) position = larger(position, shelf.last - BigInt(maxFrames))
    if (maxBytes !== undefined) position = larger(position, shelf.beyond(maxBytes))
    return position
  }

  cut(streamId: string, position: bigint): Promise<void> {
    return this.turns.run(async () => {
      const shelf = this.#shelf(streamId)
      if (shelf === undefined || position <= shelf.cutPosition) return
      const latest = shelf.latest()
      const survivor = latest !== undefined && latest.position <= position ? latest : undefined
      await this.commit('data', [{ kind: 'cut', streamId, position, survivor }])
      this.tell({ kind: 'cut', streamId })
    })
  }

  async getWriter(streamId: string, id: string): Promise<Omit<WriterMark, 'id'> | undefined> {
    return this.tables.streams.get(streamId)?.writers.get(id)
  }

  async getProducer(streamId: string, id: string): Promise<Omit<ProducerMark, 'id'> | undefined> {
    return this.tables.streams.get(streamId)?.producers.get(id)
  }

  async published(streamId: string, position: bigint): Promise<void> {
    this.tables.apply({ kind: 'published', streamId, position }, undefined as P)
    this.#published.add(streamId)
  }

  putDead(entry: DeadEntry): Promise<void> {
    return this.turns.run(() => this.commit('data', [{ kind: 'dead', entry }]))
  }

  async listDead(limit: number): Promise<readonly DeadEntry[]> {
    return this.tables.dead.slice(-limit).reverse()
  }

  putAccount(account: Account): Promise<void> {
    return this.turns.run(() => this.commit('meta', [{ kind: 'account', account }]))
  }

  async getAccount(id: string): Promise<Account | undefined> {
    return this.tables.accounts.get(id)
  }

  async listAccounts(tenant: string): Promise<readonly Account[]> {
    const found = [...this.tables.accounts.values()].filter((account) => account.tenant === tenant)
    return found.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  putKey(key: ApiKey): Promise<void> {
    return this.turns.run(() => this.commit('meta', [{ kind: 'key', key }]))
  }

  async getKey(id: string): Promise<ApiKey | undefined> {
    return this.#used(this.tables.keys.get(id))
  }

  async listKeys(tenant: string): Promise<readonly ApiKey[]> {
    const found = [...this.tables.keys.values()].filter((key) => key.tenant === tenant)
    found.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    return found.map((key) => this.#used(key)!)
  }

  deleteKey(id: string): Promise<boolean> {
    return this.turns.run(async () => {
      if (!this.tables.keys.has(id)) return false
      this.#touched.delete(id)
      await this.commit('meta', [{ kind: 'key_deleted', id }])
      return true
    })
  }

  touchKey(id: string, now: number): void {
    if (this.tables.keys.has(id)) this.#touched.set(id, now)
  }

  /** Keeps when keys were used; without a change of its own that would be a flush for every request. */
  protected async keepTouched(): Promise<void> {
    const entries = [...this.#touched.keys()].flatMap((id): Entry[] => {
      const key = this.#used(this.tables.keys.get(id))
      return key === undefined ? [] : [{ kind: 'key', key }]
    })
    this.#touched.clear()
    await this.commit('meta', entries)
  }

  #used(key: ApiKey | undefined): ApiKey | undefined {
    const at = key === undefined ? undefined : this.#touched.get(key.id)
    return at === undefined ? key : { ...key!, lastUsedAt: at }
  }

  #shelf(streamId: string): FrameShelf<P> | undefined {
    return this.tables.streams.get(streamId)?.shelf
  }

  protected entries(): Iterable<StreamEntry<P>> {
    return this.tables.streams.values()
  }
}

type Created = Pick<Stream, 'createdAt' | 'id'>

const newestFirst = (a: Created, b: Created): number =>
  b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
