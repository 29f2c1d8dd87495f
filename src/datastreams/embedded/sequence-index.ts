import { lowestWhere } from '../stream-log.ts'

const CHUNK = 512

interface Chunk {
  readonly sequences: BigInt64Array
  readonly positions: Float64Array
  count: number
}

const newChunk = (): Chunk => ({
  sequences: new BigInt64Array(CHUNK),
  positions: new Float64Array(CHUNK),
  count: 0,
})

/**
 * Sequence → position of the frames that came out of order, sorted by sequence: 16 bytes each. All others rise with
 * their positions, so that a search among blocks finds them.
 */
export class SequenceIndex {
  #chunks: Chunk[] = []
  size = 0

  insert(sequence: bigint, position: bigint): void {
    this.size++
    if (this.#chunks.length === 0) this.#chunks.push(newChunk())
    const at = this.#chunkOf(sequence)
    let chunk = this.#chunks[at]!
    if (chunk.count === CHUNK) {
      const upper = split(chunk)
      this.#chunks.splice(at + 1, 0, upper)
      if (sequence > chunk.sequences[chunk.count - 1]!) chunk = upper
    }
    const i = lowestWhere(chunk.count, (j) => chunk.sequences[j]! >= sequence)
    chunk.sequences.copyWithin(i + 1, i, chunk.count)
    chunk.positions.copyWithin(i + 1, i, chunk.count)
    chunk.sequences[i] = sequence
    chunk.positions[i] = Number(position)
    chunk.count++
  }

  find(sequence: bigint): bigint | undefined {
    if (this.size === 0) return undefined
    const { sequences, positions, count } = this.#chunks[this.#chunkOf(sequence)]!
    const i = lowestWhere(count, (j) => sequences[j]! >= sequence)
    return i < count && sequences[i] === sequence ? BigInt(positions[i]!) : undefined
  }

  /** Of sequences beyond a bound, rising; or before it, falling. */
  *from(bound: bigint, order: 'asc' | 'desc'): Iterable<{ readonly sequence: bigint; readonly position: bigint }> {
    if (this.size === 0) return
    const step = order === 'asc' ? 1 : -1
    let at = this.#chunkOf(bound)
    let i: number | undefined
    for (; at >= 0 && at < this.#chunks.length; at += step) {
      const { sequences, positions, count } = this.#chunks[at]!
      if (order === 'asc') i = i === undefined ? lowestWhere(count, (j) => sequences[j]! > bound) : 0
      else i = i === undefined ? lowestWhere(count, (j) => sequences[j]! >= bound) - 1 : count - 1
      for (; i >= 0 && i < count; i += step) yield { sequence: sequences[i]!, position: BigInt(positions[i]!) }
    }
  }

  /** Frames up to a position are gone. */
  cut(position: bigint): void {
    if (this.size === 0) return
    const gone = Number(position)
    for (const chunk of this.#chunks) {
      let kept = 0
      for (let i = 0; i < chunk.count; i++) {
        if (chunk.positions[i]! <= gone) continue
        chunk.sequences[kept] = chunk.sequences[i]!
        chunk.positions[kept] = chunk.positions[i]!
        kept++
      }
      this.size -= chunk.count - kept
      chunk.count = kept
    }
    this.#chunks = this.#chunks.filter(({ count }) => count > 0)
  }

  /** The arrays, for a snapshot. */
  *arrays(): Iterable<{ readonly sequences: BigInt64Array; readonly positions: Float64Array }> {
    for (const { sequences, positions, count } of this.#chunks) {
      yield { sequences: sequences.subarray(0, count), positions: positions.subarray(0, count) }
    }
  }

  load(sequences: BigInt64Array, positions: Float64Array): void {
    const chunk = newChunk()
    chunk.sequences.set(sequences)
    chunk.positions.set(positions)
    chunk.count = sequences.length
    this.#chunks.push(chunk)
    this.size += chunk.count
  }

  /** The chunk that holds a sequence, or would. */
  #chunkOf(sequence: bigint): number {
    const beyond = lowestWhere(this.#chunks.length, (i) => this.#chunks[i]!.sequences[0]! > sequence)
    return Math.max(0, beyond - 1)
  }
}

function split(chunk: Chunk): Chunk {
  const upper = newChunk()
  const half = CHUNK / 2
  upper.sequences.set(chunk.sequences.subarray(half))
  upper.positions.set(chunk.positions.subarray(half))
  upper.count = CHUNK - half
  chunk.count = half
  return upper
}
