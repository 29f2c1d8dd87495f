import type { FramesEntry, ShelfState } from './entries.ts'
import type { Frame } from './frame.ts'
import type { FrameQuery } from './store.ts'

/** Facts of the frames that a stream has had. */
export interface ShelfFacts {
  readonly frames: bigint
  readonly bytes: bigint
  readonly firstPosition: bigint | undefined
  readonly lowestSequence: bigint | undefined
}

/** The frames of one stream. `P`: where a store has put them. */
export interface FrameShelf<P = void> extends ShelfState {
  push(entry: FramesEntry, place: P): void
  find(sequence: bigint): Frame | undefined
  /** Undefined when it is not there, or was cut. */
  at(position: bigint): Frame | undefined
  latest(): Frame | undefined
  list(query: FrameQuery): Promise<readonly Frame[]>
  /** Behind a position, in the order of positions. */
  read(range: {
    readonly after: bigint
    readonly upTo: bigint
    readonly limit: number
    readonly maxBytes: number
  }): readonly Frame[]
  /** The last position whose frame was created before a time. */
  before(time: number): bigint
  /** The last position that must go, so that the payloads behind it are `bytes` at most. */
  beyond(bytes: number): bigint
  cut(position: bigint, survivor: Frame | undefined): void
  /** The stream was deleted. */
  release(): void
  facts(): ShelfFacts
  /** What it was, where that is more than it knows. */
  restore(state: ShelfState): void
}
