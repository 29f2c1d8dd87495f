import { lowestWhere } from '../stream-log.ts'
import type { BlockHead } from './frame-codec.ts'

/** Where a block lies: the record in its segment, and the block in the record's payload. */
export interface BlockPlace {
  readonly segment: number
  readonly offset: number
  readonly inner: number
}

type Columns = {
  readonly first: Float64Array
  readonly highestBefore: BigInt64Array
  readonly createdAt: Float64Array
  /** Payload bytes of all blocks before. */
  readonly bytesBefore: Float64Array
  readonly segment: Uint32Array
  readonly offset: Uint32Array
  readonly inner: Uint32Array
}

const columns = (capacity: number): Columns => ({
  first: new Float64Array(capacity),
  highestBefore: new BigInt64Array(capacity),
  createdAt: new Float64Array(capacity),
  bytesBefore: new Float64Array(capacity),
  segment: new Uint32Array(capacity),
  offset: new Uint32Array(capacity),
  inner: new Uint32Array(capacity),
})

export const COLUMN_NAMES = Object.keys(columns(0)) as readonly (keyof Columns)[]

/**
 * The blocks of one stream in the order of positions: 44 bytes for each, whatever the number of its frames. Positions
 * have no holes, so that the end of a block is the start of the next.
 */
export class BlockIndex {
  #columns = columns(4)
  #start = 0
  #end = 0
  /** Payload bytes of all blocks there ever were. */
  bytes = 0

  get length(): number {
    return this.#end - this.#start
  }

  push(head: BlockHead, place: BlockPlace): void {
    if (this.#end === this.#columns.first.length) this.#grow()
    const at = this.#end++
    const { first, highestBefore, createdAt, bytesBefore, segment, offset, inner } = this.#columns
    first[at] = Number(head.firstPosition)
    highestBefore[at] = head.highestBefore
    createdAt[at] = head.createdAt
    bytesBefore[at] = this.bytes
    segment[at] = place.segment
    offset[at] = place.offset
    inner[at] = place.inner
    this.bytes += head.payloadBytes
  }

  first(i: number): number {
    return this.#columns.first[this.#start + i]!
  }

  highestBefore(i: number): bigint {
    return this.#columns.highestBefore[this.#start + i]!
  }

  createdAt(i: number): number {
    return this.#columns.createdAt[this.#start + i]!
  }

  bytesBefore(i: number): number {
    return i === this.length ? this.bytes : this.#columns.bytesBefore[this.#start + i]!
  }

  place(i: number): BlockPlace {
    const at = this.#start + i
    const { segment, offset, inner } = this.#columns
    return { segment: segment[at]!, offset: offset[at]!, inner: inner[at]! }
  }

  /** The block that holds a position, where it is one of these blocks; −1 before the first. */
  blockOf(position: number): number {
    return lowestWhere(this.length, (i) => this.first(i) > position) - 1
  }

  /** The block that holds a sequence that came in order, if any does; −1: none. */
  blockOfSequence(sequence: bigint): number {
    return lowestWhere(this.length, (i) => this.highestBefore(i) >= sequence) - 1
  }

  /** The first block that was created at or behind a time. */
  blockFrom(time: number): number {
    return lowestWhere(this.length, (i) => this.createdAt(i) >= time)
  }

  /** The first blocks are gone. */
  drop(count: number): void {
    this.#start += count
  }

  /** A block lies elsewhere now. */
  move(position: number, place: BlockPlace): void {
    const i = this.blockOf(position)
    if (i < 0 || this.first(i) !== position) return
    const at = this.#start + i
    this.#columns.segment[at] = place.segment
    this.#columns.offset[at] = place.offset
    this.#columns.inner[at] = place.inner
  }

  /** Of the blocks that are there, for a snapshot. */
  column(name: keyof Columns): Columns[keyof Columns] {
    return this.#columns[name].subarray(this.#start, this.#end)
  }

  /** Puts back what `column` gave, in the order of `COLUMN_NAMES`. */
  load(arrays: readonly ArrayBuffer[], bytes: number): void {
    const [first, highestBefore, createdAt, bytesBefore, segment, offset, inner] = arrays
    this.#columns = {
      first: new Float64Array(first!),
      highestBefore: new BigInt64Array(highestBefore!),
      createdAt: new Float64Array(createdAt!),
      bytesBefore: new Float64Array(bytesBefore!),
      segment: new Uint32Array(segment!),
      offset: new Uint32Array(offset!),
      inner: new Uint32Array(inner!),
    }
    this.#start = 0
    this.#end = this.#columns.first.length
    this.bytes = bytes
  }

  #grow(): void {
    const grown = columns(Math.max(4, 2 * this.length))
    for (const name of COLUMN_NAMES) (grown[name] as Float64Array).set(this.column(name) as Float64Array)
    this.#columns = grown
    this.#end = this.length
    this.#start = 0
  }
}
