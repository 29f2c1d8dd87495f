import { type Clock, systemClock } from '../core/clock.ts'
import { Uuid7 } from '../core/uuid7.ts'
import type { AccountChecker } from './accounts.ts'
import { ConflictError, NotFoundError, OwnershipError, ServiceUnavailableError } from './errors.ts'
import type { Frame } from './frame.ts'
import { type FrameInput, frameFields } from './frame-fields.ts'
import { frequencyMs } from './frequency.ts'
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts'
import type { Appended, FrameQuery, Store, StreamExtent, StreamQuery } from './store.ts'
import type { Stream, StreamFields } from './stream.ts'
import { patchedFields, type StreamInput, streamFields } from './stream-fields.ts'

export interface DataStreamsDeps {
  readonly accounts: AccountChecker
  readonly store: Store
  readonly clock?: Clock | undefined
  readonly groupCommit?: GroupCommitOptions | undefined
}

/** Further members of a frame that is created by code. */
export type FrameOptions = Pick<FrameInput, 'latencyMs' | 'status' | 'metadata' | 'observedAt' | 'traceparent'> & {
  /** When its first byte came, milliseconds since 1970; now by default. */
  readonly receivedAt?: number | undefined
}

/** What became of one frame of several. */
export type FrameOutcome =
  | { readonly status: 'created' | 'duplicate'; readonly frame: Frame }
  | { readonly status: 'error'; readonly error: Error }

/** A frame that was asked for once. */
export interface CreatedFrame {
  readonly frame: Frame
  /** The same frame was stored before. */
  readonly repeated: boolean
}

const LIMIT_DEFAULT = 25
const LIMIT_MAX = 500

/**
 * Streams and frames of many accounts (streams-service.md §11). Every call names an account and is refused unless the
 * stream is that account's; what resolves is durable as far as the store can make it.
 */
export class DataStreamsService {
  readonly #accounts: AccountChecker
  readonly #store: Store
  readonly #clock: Clock
  readonly #ids: Uuid7
  readonly #commits: GroupCommit
  #state: 'new' | 'running' | 'stopped'

  constructor({ accounts, store, clock = systemClock, groupCommit }: DataStreamsDeps) {
    this.#accounts = accounts
    this.#store = store
    this.#clock = clock
    this.#ids = new Uuid7(() => this.#nowMs())
    this.#commits = new GroupCommit(store, clock, groupCommit)
    this.#state = store.immediate === true ? 'running' : 'new'
  }

  async start(): Promise<void> {
    if (this.#state === 'stopped') throw new ServiceUnavailableError('the service has been stopped')
    await this.#store.migrate()
    this.#state = 'running'
  }

  /** Rejects until the store answers. */
  async ready(): Promise<void> {
    this.#refuseStopped()
    const { ok, detail } = await this.#store.health()
    if (!ok) throw new ServiceUnavailableError(`the store does not answer: ${detail}`)
  }

  /** Takes no new calls, commits what was gathered, closes the store. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    await this.#commits.drain()
    await this.#store.close()
  }

  async createStream({ accountId, ...input }: StreamInput & { readonly accountId: string }): Promise<Stream> {
    this.#refuseStopped()
    const account = accountId.trim()
    await this.#refuseUnknown(account)
    const fields = streamFields(input)
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
    return stream
  }

  /** All fields that a caller may write; absent ones take their defaults. */
  async updateStream(accountId: string, id: string, input: StreamInput, version?: number): Promise<Stream> {
    return await this.#change(accountId, id, () => streamFields(input), version)
  }

  /** Only the fields that are given. */
  async patchStream(accountId: string, id: string, patch: StreamInput, version?: number): Promise<Stream> {
    return await this.#change(accountId, id, (before) => patchedFields(before, patch), version)
  }

  /** Made to the newest version, again and again until nobody else was faster; `version`: only to that one. */
  async #change(
    accountId: string,
    id: string,
    make: (before: Stream) => StreamFields,
    version: number | undefined,
  ): Promise<Stream> {
    for (;;) {
      const before = await this.getStream(accountId, id)
      if (version !== undefined && before.version !== version) throw changedSince(id, version, before.version)
      const fields = make(before)
      const after: Stream = {
        ...before,
        ...fields,
        frequencyMs: frequencyMs(fields.frequency),
        updatedAt: Math.max(this.#nowMs(), before.updatedAt),
        version: before.version + 1,
      }
      if (await this.#store.updateStream(after, before.version)) return after
    }
  }

  async deleteStream(accountId: string, id: string): Promise<void> {
    await this.getStream(accountId, id)
    await this.#store.deleteStream(id)
  }

  async getStream(accountId: string, id: string): Promise<Stream> {
    this.#refuseStopped()
    const stream = await this.#store.getStream(id)
    if (stream === undefined) throw notFound(id)
    if (stream.accountId === accountId) return stream
    await this.#refuseUnknown(accountId)
    const tenants = [await this.#accounts.tenantOf(accountId), await this.#accounts.tenantOf(stream.accountId)]
    // A stream of another tenant is not there at all.
    if (tenants[0] !== tenants[1]) throw notFound(id)
    throw new OwnershipError(`stream ${id} does not belong to account ${accountId}`)
  }

  /** Newest created first. */
  async listStreams(
    accountId: string,
    query: Partial<Omit<StreamQuery, 'accountId'>> = {},
  ): Promise<readonly Stream[]> {
    this.#refuseStopped()
    await this.#refuseUnknown(accountId)
    return await this.#store.listStreams({ ...query, accountId, limit: limitOf(query.limit) })
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
    return { frame: outcome!.frame, repeated: outcome!.status === 'duplicate' }
  }

  /**
   * Several frames of one stream in one commit; gives what became of each, in order. `atomic`: all of them are stored, or
   * the first fault is thrown and none is.
   */
  async createFrames(
    accountId: string,
    streamId: string,
    inputs: readonly (FrameInput & Pick<FrameOptions, 'receivedAt'>)[],
    { atomic = false }: { readonly atomic?: boolean | undefined } = {},
  ): Promise<readonly FrameOutcome[]> {
    await this.getStream(accountId, streamId)
    const now = this.#nowMs()
    const outcomes: (FrameOutcome | undefined)[] = []
    const frames = inputs.flatMap((input, i) => {
      try {
        return [{ fields: frameFields(input), receivedAt: input.receivedAt ?? now, i }]
      } catch (error) {
        if (atomic) throw error
        outcomes[i] = { status: 'error', error: error as Error }
        return []
      }
    })
    if (frames.length > 0) {
      const appended = await this.#commits.append({ streamId, frames, atomic })
      for (const [at, { i }] of frames.entries()) outcomes[i] = outcomeOf(streamId, appended[at]!)
    }
    const fault = atomic ? outcomes.find((outcome) => outcome?.status === 'error') : undefined
    if (fault?.status === 'error') throw fault.error
    return outcomes as FrameOutcome[]
  }

  /** The highest sequence first. */
  async listFrames(
    accountId: string,
    streamId: string,
    query: Partial<Omit<FrameQuery, 'streamId'>> = {},
  ): Promise<readonly Frame[]> {
    await this.getStream(accountId, streamId)
    const { by = 'sequence', order = 'desc' } = query
    return await this.#store.listFrames({ ...query, streamId, by, order, limit: limitOf(query.limit) })
  }

  async getFrame(accountId: string, streamId: string, sequence: bigint): Promise<Frame> {
    await this.getStream(accountId, streamId)
    const frame = await this.#store.getFrame(streamId, sequence)
    if (frame === undefined) throw new NotFoundError(`stream ${streamId} has no frame ${sequence}`)
    return frame
  }

  /** The frame with the highest sequence. */
  async latestFrame(accountId: string, streamId: string): Promise<Frame> {
    await this.getStream(accountId, streamId)
    const frame = await this.#store.latestFrame(streamId)
    if (frame === undefined) throw new NotFoundError(`stream ${streamId} has no frames`, { code: 'no_frames' })
    return frame
  }

  async extent(accountId: string, streamId: string): Promise<StreamExtent> {
    await this.getStream(accountId, streamId)
    const extent = await this.#store.extent(streamId)
    if (extent === undefined) throw notFound(streamId)
    return extent
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMicros() / 1000)
  }

  #refuseStopped(): void {
    if (this.#state === 'running') return
    throw new ServiceUnavailableError(
      this.#state === 'new' ? 'the service has not been started' : 'the service has been stopped',
    )
  }

  async #refuseUnknown(accountId: string): Promise<void> {
    if (!(await this.#accounts.exists(accountId))) throw new NotFoundError(`account ${accountId} not found`)
  }
}

/** Absent: 25; more than 500: 500. */
const limitOf = (limit: number | undefined): number => Math.min(limit ?? LIMIT_DEFAULT, LIMIT_MAX)

const notFound = (id: string) => new NotFoundError(`stream ${id} not found`)

const changedSince = (id: string, wanted: number, found: number) =>
  new ConflictError(`stream ${id} has version ${found}, not ${wanted}`, { code: 'precondition_failed' })

function outcomeOf(streamId: string, appended: Appended): FrameOutcome {
  switch (appended.kind) {
    case 'created':
    case 'duplicate':
      return { status: appended.kind, frame: appended.frame }
    case 'conflict': {
      const { sequence } = appended.frame
      const error = new ConflictError(`stream ${streamId} holds another frame with sequence ${sequence}`)
      return { status: 'error', error }
    }
    case 'withheld':
      return { status: 'error', error: new ConflictError('another frame of the batch was refused') }
    case 'refused':
      return { status: 'error', error: refusal(streamId, appended.code) }
  }
}

function refusal(streamId: string, code: 'not_found' | 'stream_paused' | 'stream_not_active'): Error {
  if (code === 'not_found') return notFound(streamId)
  return new ConflictError(`stream ${streamId} is ${code === 'stream_paused' ? 'paused' : 'not active'}`, { code })
}
