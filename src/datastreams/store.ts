import type { Frame, FrameFields, FrameStatus } from './frame.ts'
import type { Stream, StreamStatus } from './stream.ts'

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

/** Frames of one stream that are stored together with others, or not at all. */
export interface Append {
  readonly streamId: string
  readonly frames: readonly { readonly fields: FrameFields; readonly receivedAt: number }[]
  /** All of them are stored, or none: a conflict of one refuses all. */
  readonly atomic: boolean
}

export type Appended =
  | { readonly kind: 'created'; readonly frame: Frame }
  /** The same frame was stored before. */
  | { readonly kind: 'duplicate'; readonly frame: Frame }
  /** Another frame has the sequence. */
  | { readonly kind: 'conflict'; readonly frame: Frame }
  /** Another frame of an atomic append was refused. */
  | { readonly kind: 'withheld' }
  | { readonly kind: 'refused'; readonly code: 'not_found' | 'stream_paused' | 'stream_not_active' }

/** What a stream holds. */
export interface StreamExtent {
  readonly frames: bigint
  readonly bytes: bigint
  readonly firstPosition: bigint | undefined
  readonly lastPosition: bigint
  readonly lowestSequence: bigint | undefined
  readonly highestSequence: bigint
}

/**
 * Where streams and frames are kept (streams-service.md §9). Every store passes one shared suite with equal results,
 * errors and orders. What a resolved promise says is durable.
 */
export interface Store {
  /** It can be used before `migrate` (rulings 54). */
  readonly immediate?: boolean | undefined
  /** Brings the layout up to date; before anything else, and again without effect. */
  migrate(): Promise<void>
  health(): Promise<{ readonly ok: boolean; readonly detail: string }>
  createStream(stream: Stream): Promise<void>
  /** False when the stored version is not `expected`, or the stream is gone. */
  updateStream(stream: Stream, expected: number): Promise<boolean>
  getStream(id: string): Promise<Stream | undefined>
  listStreams(query: StreamQuery): Promise<readonly Stream[]>
  /** With its frames; false when there is none. */
  deleteStream(id: string): Promise<boolean>
  /**
   * One commit for all appends. Gives what became of every frame, in order. `now`: milliseconds since 1970, which become
   * `createdAt`; the first frame of an inactive stream activates it in the same commit.
   */
  append(appends: readonly Append[], now: number): Promise<readonly (readonly Appended[])[]>
  getFrame(streamId: string, sequence: bigint): Promise<Frame | undefined>
  latestFrame(streamId: string): Promise<Frame | undefined>
  listFrames(query: FrameQuery): Promise<readonly Frame[]>
  extent(streamId: string): Promise<StreamExtent | undefined>
  close(): Promise<void>
}
