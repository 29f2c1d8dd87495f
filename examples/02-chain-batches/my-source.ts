// A source of batches of your own: an object with five methods. `headrace ingest --datastream my-source.ts` takes the
// export `source`.
import { Batch, type BatchSource, Checkpoint, SourceMetadata } from 'headrace/chain'

/** A chain that grows by itself: batch n has n mod 3 + 1 blocks; every hash follows from its number. */
class CountingSource implements BatchSource {
  #next = 1n
  #set: Checkpoint | undefined

  async next(): Promise<Batch | null> {
    if (this.#next > 1000n) return null
    return batchOf(this.#next++)
  }

  async checkpoint(): Promise<Checkpoint> {
    return this.#next === 1n ? (this.#set ?? Checkpoint.default()) : Checkpoint.fromBatch(batchOf(this.#next - 1n), 1n)
  }

  async setCheckpoint(checkpoint: Checkpoint): Promise<void> {
    this.#set = checkpoint
    this.#next = checkpoint.lastBatchId + 1n
  }

  async healthCheck(): Promise<void> {}

  async metadata(): Promise<SourceMetadata> {
    return new SourceMetadata('Counting', '1.0', 'counting:', true)
  }
}

const hash = (kind: number, number: bigint): string =>
  `0x${kind.toString(16).padStart(8, '0')}${number.toString(16).padStart(56, '0')}`

function batchOf(number: bigint): Batch {
  const count = Number(number % 3n) + 1
  const first = number * 10n
  return new Batch({
    id: { number, hash: hash(1, number) },
    l1Origin: 19_000_000n + number,
    l1OriginHash: hash(2, number),
    blocks: Array.from({ length: count }, (_, i) => ({
      batchIndex: i,
      hash: hash(3, first + BigInt(i)),
      parentHash: hash(3, first + BigInt(i) - 1n),
      stateRoot: hash(4, first + BigInt(i)),
      txRoot: hash(5, first + BigInt(i)),
      receiptRoot: hash(6, first + BigInt(i)),
      number: first + BigInt(i),
      timestamp: 1_733_047_200n + number,
    })),
    timestamp: 1_733_047_200n + number,
  })
}

export const source = (): BatchSource => new CountingSource()
