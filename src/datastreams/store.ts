import type { Account } from './accounts.ts'
import type { ApiKey } from './api-keys.ts'
import type { Frame, FrameFields, FrameStatus } from './frame.ts'
import type { Idempotency, IdempotentAnswer } from './idempotency.ts'
import type { Retention, Stream, StreamStatus } from './stream.ts'

/** One page of streams: newest created first. */
export interface StreamQuery {
  readonly accountId: string
  readonly limit: number
  /** Streams behind this one. */
  readonly after?: { readonly createdAt: number; readonly id: string } | undefined
  readonly status?: StreamStatus | undefined
  readonly symbol?: string | undefined
  readonly namePrefix?: string | undefined
}

/** One page of frames, by `sequence` or by `position` (streams-service.md §3.3). Bounds are exclusive. */
export interface FrameQuery {
  readonly streamId: string
  readonly by: 'sequence' | 'position'
  readonly order: 'asc' | 'desc'
  readonly limit: number
  readonly after?: bigint | undefined
  readonly before?: bigint | undefined
  readonly createdFrom?: number | undefined
  readonly createdTo?: number | undefined
  readonly statuses?: readonly FrameStatus[] | undefined
}

/** An idempotent producer of one append: `seq` grows by one with every append, from 0 in every epoch. */
export interface ProducerMark {
  readonly id: string
  readonly epoch: number
  readonly seq: number
}

/** A sink of a pipeline: (epoch, chunk) grows; a start of the pipeline has a higher incarnation. */
export interface WriterMark {
  readonly id: string
  readonly incarnation: bigint
  readonly epoch: bigint
  readonly chunk: bigint
}

/** Frames of one stream that are stored together with others, or not at all. */
export interface Append {
  readonly streamId: string
  readonly frames: readonly { readonly fields: FrameFields; readonly receivedAt: number }[]
  /** All of them are stored, or none: a conflict of one refuses all. */
  readonly atomic: boolean
  readonly producer?: ProducerMark | undefined
  /** An append without frames is a claim: it only raises the writer's incarnation. */
  readonly writer?: WriterMark | undefined
  /** The answer is kept with the frames; undefined: it is not kept, the key is free again. */
  readonly idempotency?:
    | {
        readonly key: string
        readonly hash: string
        answer(appended: readonly Appended[]): IdempotentAnswer | undefined
      }
    | undefined
}

/** `sequence_exhausted`: the highest sequence is taken, so none can be given. */
export type AppendRefusal = 'not_found' | 'stream_paused' | 'stream_not_active' | 'sequence_exhausted'

export type Appended =
  | { readonly kind: 'created'; readonly frame: Frame }
  /** The same frame was stored before. */
  | { readonly kind: 'duplicate'; readonly frame: Frame }
  /** Another frame has the sequence. */
  | { readonly kind: 'conflict'; readonly frame: Frame }
  /** Another frame of an atomic append was refused. */
  | { readonly kind: 'withheld' }
  | { readonly kind: 'refused'; readonly code: AppendRefusal }
  /** The whole append was stored before. */
  | { readonly kind: 'producer_repeat' | 'writer_repeat' }
  /** A newer epoch of the producer is known. */
  | { readonly kind: 'producer_fenced'; readonly epoch: number }
  | { readonly kind: 'producer_gap'; readonly expected: number; readonly received: number }
  /** A new epoch must begin with 0. */
  | { readonly kind: 'producer_epoch'; readonly epoch: number; readonly received: number }
  /** A stored frame that it was to be compared with cannot be read; nothing of the append is stored. */
  | { readonly kind: 'failed'; readonly error: Error }
  /** A newer incarnation of the writer is known. */
  | { readonly kind: 'writer_fenced'; readonly incarnation: bigint }

/** How far a stream has come: known without a look at its frames. */
export interface StreamBounds {
  readonly lastPosition: bigint
  /** Frames up to it are gone; reading goes on behind it. */
  readonly cutPosition: bigint
  /** Frames up to it are delivered; beyond it a paused stream holds them back. */
  readonly releasedPosition: bigint
  /** Frames up to it were given to the bus. */
  readonly publishedPosition: bigint
  readonly highestSequence: bigint
  /** The lowest sequence there ever was; 0 before the first frame. */
  readonly lowestEver: bigint
  readonly lastFrameAt: number | undefined
}

/** What a stream holds. */
export interface StreamExtent extends StreamBounds {
  readonly frames: bigint
  /** Of payloads. */
  readonly bytes: bigint
  readonly firstPosition: bigint | undefined
  readonly lowestSequence: bigint | undefined
  /** Numbers that a dense stream has not got between its lowest and highest sequence; 0 for others. */
  readonly gaps: bigint
}

/** A frame that the bus refused for good. */
export interface DeadEntry {
  readonly streamId: string
  readonly position: bigint
  readonly error: string
  readonly attempts: number
  readonly at: number
}

/** What happened to a stream, told after it is durable. */
export type StreamNews =
  /** Frames were stored and may be delivered. */
  | { readonly kind: 'frames'; readonly streamId: string; readonly stream: Stream; readonly frames: readonly Frame[] }
  /** Frames that were held back may be delivered: those behind `from` up to `to`. */
  | {
      readonly kind: 'released'
      readonly streamId: string
      readonly stream: Stream
      readonly from: bigint
      readonly to: bigint
    }
  /** `before`: undefined for a new one. */
  | { readonly kind: 'stream'; readonly streamId: string; readonly stream: Stream; readonly before: Stream | undefined }
  | { readonly kind: 'cut'; readonly streamId: string }
  | { readonly kind: 'deleted'; readonly streamId: string }

/**
 * Where streams and frames are kept (streams-service.md §9). Every store passes one shared suite with equal results,
 * errors and orders. What a resolved promise says is durable.
 */
export interface Store {
  /** It can be used before `migrate` (rulings 54). */
  readonly immediate?: boolean | undefined
  /** Bytes of a torn tail that were cut off when it was opened. */
  readonly repairedBytes?: number | undefined
  /** How durable an answer is: `commit` after a flush, `relaxed` after a write. */
  readonly durability?: 'commit' | 'relaxed' | undefined
  /** Brings the layout up to date; before anything else, and again without effect. */
  migrate(): Promise<void>
  health(): Promise<{ readonly ok: boolean; readonly detail: string }>
  /** Listens to what becomes durable; gives the end of listening. */
  watch(listener: (news: StreamNews) => void): () => void

  createStream(stream: Stream): Promise<void>
  /** False when the stored version is not `expected`, or the stream is gone. */
  updateStream(stream: Stream, expected: number): Promise<boolean>
  getStream(id: string): Promise<Stream | undefined>
  listStreams(query: StreamQuery): Promise<readonly Stream[]>
  /** Every stream there is, in no order. */
  allStreams(): AsyncIterable<Stream>
  /** With its frames; false when there is none. */
  deleteStream(id: string): Promise<boolean>

  /**
   * One commit for all appends. Gives what became of every frame, in order; for an append without frames one entry when
   * it is refused. `now`: milliseconds since 1970, which become `createdAt`; the first frame of an inactive stream
   * activates it in the same commit. `before`: called with the new frames before they are stored; when it throws, nothing
   * is.
   */
  append(
    appends: readonly Append[],
    now: number,
    before?: (frames: readonly Frame[]) => Promise<void>,
  ): Promise<readonly (readonly Appended[])[]>
  getFrame(streamId: string, sequence: bigint): Promise<Frame | undefined>
  latestFrame(streamId: string): Promise<Frame | undefined>
  listFrames(query: FrameQuery): Promise<readonly Frame[]>
  /** Frames behind a position in the order of positions, at least one where there is one: `maxBytes` of payloads. */
  readFrames(
    streamId: string,
    range: {
      readonly after: bigint
      readonly upTo: bigint
      readonly limit: number
      readonly maxBytes?: number | undefined
    },
  ): Promise<readonly Frame[]>
  bounds(streamId: string): Promise<StreamBounds | undefined>
  extent(streamId: string): Promise<StreamExtent | undefined>
  /** The first position whose frame was created at or behind a time, less one: reading goes on behind it. */
  positionAt(streamId: string, time: number): Promise<bigint | undefined>
  /** The position up to which frames must go, so that a stream keeps no more than a retention says. */
  retentionCut(streamId: string, retention: Retention, now: number): Promise<bigint>
  /** Frames up to a position go, except the one with the highest sequence. */
  cut(streamId: string, position: bigint): Promise<void>
  getWriter(streamId: string, id: string): Promise<Omit<WriterMark, 'id'> | undefined>
  getProducer(streamId: string, id: string): Promise<Omit<ProducerMark, 'id'> | undefined>

  /** The bus has the frames up to a position. It may be forgotten by a crash: they are published again. */
  published(streamId: string, position: bigint): Promise<void>
  putDead(entry: DeadEntry): Promise<void>
  /** Newest first. */
  listDead(limit: number): Promise<readonly DeadEntry[]>

  readonly idempotency: Idempotency

  putAccount(account: Account): Promise<void>
  getAccount(id: string): Promise<Account | undefined>
  /** By id. */
  listAccounts(tenant: string): Promise<readonly Account[]>
  putKey(key: ApiKey): Promise<void>
  getKey(id: string): Promise<ApiKey | undefined>
  /** By creation, then id. */
  listKeys(tenant: string): Promise<readonly ApiKey[]>
  deleteKey(id: string): Promise<boolean>
  /** Notes that a key was used; it is kept some time later. */
  touchKey(id: string, now: number): void
  /** What is to be done from time to time: every minute. */
  maintain?(now: number): Promise<void>
  close(): Promise<void>
}
