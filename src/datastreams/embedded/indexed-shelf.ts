import { setImmediate } from 'node:timers/promises'
import { larger, smaller } from '../bigints.ts'
import type { FramesEntry, ShelfState } from '../entries.ts'
import { type Frame, payloadBytes } from '../frame.ts'
import type { FrameShelf, ShelfFacts } from '../shelf.ts'
import type { FrameQuery } from '../store.ts'
import { BlockIndex, type BlockPlace } from './block-index.ts'
import type { BlockHead, BlockView } from './frame-codec.ts'
import type { RecordCache } from './record-cache.ts'
import { SequenceIndex } from './sequence-index.ts'
import { listOf, type Step, stepOf, type Walks } from './shelf-read.ts'

/** Frames and their payload bytes that came to a segment, or (negative) went from it. */
export type SegmentLedger = (segment: number, payloadBytes: number, frames: number) => void

/** The frames of one stream that lie in a log: only an index of their blocks is in memory. */
export class IndexedShelf implements FrameShelf<BlockPlace>, Walks {
  readonly #accountId: string
  readonly #cache: RecordCache
  readonly #ledger: SegmentLedger
  readonly blocks = new BlockIndex()
  readonly late = new SequenceIndex()
  /** Payload bytes of all frames that were cut; undefined: to be counted. */
  #cutBytes: number | undefined = 0
  #latest: Frame | undefined
  highest = 0n
  lowest = 0n
  last = 0n
  cutPosition = 0n
  survivor: Frame | undefined
  lastCreatedAt: number | undefined

  constructor(accountId: string, cache: RecordCache, ledger: SegmentLedger) {
    this.#accountId = accountId
    this.#cache = cache
    this.#ledger = ledger
  }

  push({ frames }: FramesEntry, place: BlockPlace): void {
    this.pushHead(this.#cache.head(place), place, frames)
  }

  /** A block as it lies there; its frames are read only where some came out of order. */
  pushHead(head: BlockHead, place: BlockPlace, frames?: readonly Frame[]): void {
    const { firstPosition, count, outOfOrder, highest, lowest } = head
    if (firstPosition <= this.last) return
    // Blocks before it are gone: whatever was between was cut.
    if (firstPosition > this.last + 1n) this.#jump(firstPosition - 1n)
    this.blocks.push(head, place)
    this.#ledger(place.segment, head.payloadBytes, count)
    this.last = firstPosition + BigInt(count) - 1n
    this.lastCreatedAt = head.createdAt
    if (outOfOrder > 0) this.#indexLate(head, place, frames)
    if (highest > this.highest) {
      this.highest = highest
      this.survivor = undefined
      this.#latest = undefined
    }
    if (this.lowest === 0n || lowest < this.lowest) this.lowest = lowest
  }

  #indexLate({ firstPosition, count }: BlockHead, place: BlockPlace, frames: readonly Frame[] | undefined): void {
    if (frames !== undefined) {
      for (const { outOfOrder, sequence, position } of frames) if (outOfOrder) this.late.insert(sequence, position)
      return
    }
    const view = this.#viewAt(place)
    for (let i = 0; i < count; i++) {
      if (view.isOutOfOrder(i)) this.late.insert(view.sequence(i), firstPosition + BigInt(i))
    }
  }

  find(sequence: bigint): Frame | undefined {
    if (sequence > this.highest) return undefined
    if (this.survivor?.sequence === sequence) return this.survivor
    const late = this.late.find(sequence)
    if (late !== undefined) return this.at(late)
    const block = this.blocks.blockOfSequence(sequence)
    if (block < 0) return undefined
    const view = this.#viewOf(block)
    for (let i = 0; i < view.head.count; i++) {
      if (view.sequence(i) !== sequence || view.isOutOfOrder(i)) continue
      return view.head.firstPosition + BigInt(i) > this.cutPosition ? view.frame(i) : undefined
    }
    return undefined
  }

  at(position: bigint): Frame | undefined {
    if (position <= this.cutPosition || position > this.last) return undefined
    const block = this.blocks.blockOf(Number(position))
    return block < 0 ? undefined : this.#viewOf(block).frame(Number(position) - this.blocks.first(block))
  }

  latest(): Frame | undefined {
    if (this.highest === 0n) return undefined
    const latest = this.#latest ?? this.survivor ?? this.find(this.highest)
    // It is asked for often; a large one is read again instead of being held for every stream.
    if (latest !== undefined && latest.payload.length <= HELD_MAX) this.#latest = latest
    return latest
  }

  list(query: FrameQuery): Promise<readonly Frame[]> {
    return listOf(this, query, setImmediate)
  }

  read(range: {
    readonly after: bigint
    readonly upTo: bigint
    readonly limit: number
    readonly maxBytes: number
  }): readonly Frame[] {
    const found: Frame[] = []
    let bytes = 0
    for (const step of this.walk(larger(range.after, this.cutPosition) + 1n, smaller(range.upTo, this.last))) {
      if (found.length >= range.limit) break
      const frame = step.frame()
      bytes += payloadBytes(frame)
      if (bytes > range.maxBytes && found.length > 0) break
      found.push(frame)
    }
    return found
  }

  before(time: number): bigint {
    const block = this.blocks.blockFrom(time)
    const position = block === this.blocks.length ? this.last : BigInt(this.blocks.first(block)) - 1n
    return larger(position, this.cutPosition)
  }

  beyond(bytes: number): bigint {
    const total = this.blocks.bytes
    let block = 0
    for (let high = this.blocks.length; block < high; ) {
      const middle = (block + high) >>> 1
      if (total - this.blocks.bytesBefore(middle) <= bytes) high = middle
      else block = middle + 1
    }
    if (block === 0) return this.cutPosition
    const view = this.#viewOf(block - 1)
    let kept = total - this.blocks.bytesBefore(block)
    for (let i = view.head.count - 1; i >= 0; i--) {
      kept += view.payloadBytes(i)
      if (kept > bytes) return larger(view.head.firstPosition + BigInt(i), this.cutPosition)
    }
    return this.cutPosition
  }

  cut(position: bigint, survivor: Frame | undefined): void {
    this.survivor = survivor
    if (position <= this.cutPosition) return
    this.cutPosition = position
    this.late.cut(position)
    const next = this.blocks.blockOf(Number(position) + 1)
    const gone = position >= this.last ? this.blocks.length : Math.max(0, next)
    this.#drop(gone)
    this.#cutBytes = undefined
  }

  /** A state from a time when more was there. */
  restore(state: ShelfState): void {
    if (state.last > this.last) this.#jump(state.last)
    this.highest = larger(this.highest, state.highest)
    if (state.lowest !== 0n && (this.lowest === 0n || state.lowest < this.lowest)) this.lowest = state.lowest
    if (state.cutPosition >= this.cutPosition) this.cut(state.cutPosition, state.survivor)
    this.lastCreatedAt ??= state.lastCreatedAt
  }

  /** The blocks of a snapshot; its entry `shelf` follows. */
  load(
    columns: readonly ArrayBuffer[],
    { cutBytes, bytes }: { readonly cutBytes: number; readonly bytes: number },
  ): void {
    this.blocks.load(columns, bytes)
    this.#cutBytes = cutBytes
  }

  /** The state that goes with loaded blocks. */
  loadState(state: ShelfState): void {
    Object.assign(this, state)
    for (let i = 0; i < this.blocks.length; i++) this.#account(i, 1)
  }

  /**
   * Counted when it is asked for: while a log is read again, a block that is cut in its middle may lie in a segment that
   * is gone, because a later cut takes the rest of it.
   */
  get cutBytes(): number {
    this.#cutBytes ??= this.#countCut()
    return this.#cutBytes
  }

  #countCut(): number {
    let bytes = this.blocks.bytesBefore(0)
    if (this.blocks.length === 0) return bytes
    const cutIn = Number(this.cutPosition) - this.blocks.first(0) + 1
    if (cutIn <= 0) return bytes
    const view = this.#viewOf(0)
    for (let i = 0; i < cutIn; i++) bytes += view.payloadBytes(i)
    return bytes
  }

  get state(): ShelfState {
    const { last, highest, lowest, cutPosition, lastCreatedAt, survivor } = this
    return { last, highest, lowest, cutPosition, lastCreatedAt, survivor }
  }

  facts(): ShelfFacts {
    const { survivor, last, cutPosition } = this
    const [lowest] = this.orderedSteps('asc', 0n)
    const [late] = this.late.from(0n, 'asc')
    const sequences = [lowest?.sequence, late?.sequence].filter((sequence) => sequence !== undefined)
    return {
      frames: last - cutPosition + (survivor === undefined ? 0n : 1n),
      bytes: BigInt(this.blocks.bytes - this.cutBytes + (survivor === undefined ? 0 : payloadBytes(survivor))),
      firstPosition: survivor?.position ?? (last > cutPosition ? cutPosition + 1n : undefined),
      lowestSequence: sequences.length === 0 ? undefined : sequences.reduce(smaller),
    }
  }

  /** All blocks are of no use: the stream was deleted. */
  release(): void {
    this.#drop(this.blocks.length)
  }

  /** Positions `from` … `to`. */
  *walk(from: bigint, to: bigint): Iterable<Step> {
    if (from > to) return
    let position = Number(from)
    for (
      let block = Math.max(0, this.blocks.blockOf(position));
      block < this.blocks.length && position <= Number(to);
      block++
    ) {
      const view = this.#viewOf(block)
      const first = this.blocks.first(block)
      for (; position < first + view.head.count && position <= Number(to); position++) {
        yield viewStep(view, position - first)
      }
    }
  }

  *walkBack(from: bigint, to: bigint): Iterable<Step> {
    if (from < to) return
    let position = Number(from)
    for (let block = this.blocks.blockOf(position); block >= 0 && position >= Number(to); block--) {
      const view = this.#viewOf(block)
      const first = this.blocks.first(block)
      for (; position >= first && position >= Number(to); position--) yield viewStep(view, position - first)
    }
  }

  /** Frames that came out of order, sorted by sequence, beyond a bound (before it, falling). */
  *lateSteps(order: 'asc' | 'desc', bound: bigint): Iterable<Step> {
    for (const { sequence, position } of this.late.from(bound, order)) {
      yield { sequence, position, frame: () => this.at(position)! }
    }
  }

  /** The others, which rise with their positions. Blocks without any are passed over unread. */
  *orderedSteps(order: 'asc' | 'desc', bound: bigint): Iterable<Step> {
    const { survivor, blocks } = this
    const isBeyond = (sequence: bigint): boolean => (order === 'asc' ? sequence > bound : sequence < bound)
    const kept = survivor !== undefined && isBeyond(survivor.sequence) ? stepOf(survivor) : undefined
    // It has the highest sequence of all.
    if (kept !== undefined && order === 'desc') yield kept
    const start = blocks.blockOfSequence(order === 'asc' ? bound + 1n : smaller(bound - 1n, SEQUENCE_BOUND))
    const step = order === 'asc' ? 1 : -1
    for (let block = Math.max(start, order === 'asc' ? 0 : -1); block >= 0 && block < blocks.length; block += step) {
      const next = block + 1 === blocks.length ? this.highest : blocks.highestBefore(block + 1)
      if (next === blocks.highestBefore(block)) continue
      const view = this.#viewOf(block)
      const { count, firstPosition } = view.head
      for (let i = order === 'asc' ? 0 : count - 1; i >= 0 && i < count; i += step) {
        if (view.isOutOfOrder(i) || !isBeyond(view.sequence(i))) continue
        if (firstPosition + BigInt(i) > this.cutPosition) yield viewStep(view, i)
      }
    }
    if (kept !== undefined && order === 'asc') yield kept
  }

  #jump(last: bigint): void {
    this.#drop(this.blocks.length)
    this.#cutBytes = undefined
    this.late.cut(last)
    this.last = last
    this.cutPosition = larger(this.cutPosition, last)
  }

  #drop(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#account(i, -1)
    }
    this.blocks.drop(count)
  }

  #account(block: number, sign: 1 | -1): void {
    const { blocks } = this
    const next = block + 1 === blocks.length ? Number(this.last) + 1 : blocks.first(block + 1)
    const bytes = blocks.bytesBefore(block + 1) - blocks.bytesBefore(block)
    this.#ledger(blocks.place(block).segment, sign * bytes, sign * (next - blocks.first(block)))
  }

  #viewOf(block: number): BlockView {
    return this.#viewAt(this.blocks.place(block))
  }

  #viewAt(place: BlockPlace): BlockView {
    return this.#cache.view(place, this.#accountId)
  }
}

/** Characters of a payload that is kept in memory. */
const HELD_MAX = 4096
const SEQUENCE_BOUND = 2n ** 63n - 1n

const viewStep = (view: BlockView, i: number): Step => ({
  sequence: view.sequence(i),
  position: view.head.firstPosition + BigInt(i),
  frame: () => view.frame(i),
})
