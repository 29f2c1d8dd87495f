import type { Account } from './accounts.ts'
import type { ApiKey } from './api-keys.ts'
import type { Frame } from './frame.ts'
import type { IdempotencyEntry } from './idempotency.ts'
import type { DeadEntry, ProducerMark, WriterMark } from './store.ts'
import type { Stream } from './stream.ts'

/** Frames of one stream that one commit adds, in the order of positions, without holes. */
export interface FramesEntry {
  readonly kind: 'frames'
  readonly streamId: string
  /** The highest sequence before them. */
  readonly highestBefore: bigint
  readonly frames: readonly Frame[]
}

/** What a shelf knows beside its frames, for when the entries that made it are gone. */
export interface ShelfState {
  /** Position of the newest frame; 0 before the first. */
  readonly last: bigint
  /** The highest sequence there ever was; 0 before the first frame. */
  readonly highest: bigint
  readonly lowest: bigint
  /** Frames up to it are gone. */
  readonly cutPosition: bigint
  readonly lastCreatedAt: number | undefined
  /** The frame with the highest sequence, where retention has passed it. */
  readonly survivor: Frame | undefined
}

/** One change of what a store holds. A commit is a list of them: all are applied, or none is. */
export type Entry =
  | {
      readonly kind: 'stream'
      readonly stream: Stream
      /** Frames beyond it are held back while the stream is paused; undefined: none is. */
      readonly heldAbove: bigint | undefined
    }
  | { readonly kind: 'stream_deleted'; readonly streamId: string }
  | FramesEntry
  | { readonly kind: 'published'; readonly streamId: string; readonly position: bigint }
  | { readonly kind: 'producer'; readonly streamId: string; readonly producer: ProducerMark }
  | { readonly kind: 'writer'; readonly streamId: string; readonly writer: WriterMark }
  | { readonly kind: 'idempotency'; readonly entry: IdempotencyEntry }
  | {
      readonly kind: 'cut'
      readonly streamId: string
      readonly position: bigint
      /** The frame with the highest sequence, where it lies before the cut. */
      readonly survivor: Frame | undefined
    }
  | { readonly kind: 'shelf'; readonly streamId: string; readonly state: ShelfState }
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'key'; readonly key: ApiKey }
  | { readonly kind: 'key_deleted'; readonly id: string }
  | { readonly kind: 'dead'; readonly entry: DeadEntry }
