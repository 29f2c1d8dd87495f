import { createHash } from 'node:crypto'
import { encodeBatch } from '../chain/encode.ts'
import { ZERO_32 } from '../chain/numbers.ts'
import { Batch, type BatchFields, type BlockInBatch } from '../chain/types.ts'
import type { Random } from '../core/random.ts'

export const START_SECONDS = 1_733_047_200n

/** The hash rule of these chains: of the JSON of the batch with a hash of zero. */
function hashOf(batch: BatchFields): string {
  const text = encodeBatch({ ...batch, id: { number: batch.id.number, hash: ZERO_32 } })
  return `0x${createHash('sha256').update(text).digest('hex')}`
}

const hashed = (fields: BatchFields): Batch =>
  new Batch({ ...fields, id: { number: fields.id.number, hash: hashOf(fields) } })

export const followsHashRule = (batch: BatchFields): boolean => batch.id.hash === hashOf(batch)

/** A chain as a server has it: it grows, and it changes its mind about its newest batches. */
export class ChainModel {
  readonly batches: Batch[] = []
  readonly #random: Random
  readonly #first: bigint

  constructor(random: Random, first = 1n) {
    this.#random = random
    this.#first = first
  }

  get newest(): Batch | undefined {
    return this.batches.at(-1)
  }

  /** Adds batches with a few blocks each. */
  grow(count: number, blocks: { readonly least?: number; readonly most?: number } = {}): void {
    const { least = 1, most = 4 } = blocks
    for (let i = 0; i < count; i++) this.batches.push(this.#make(this.#random.between(least, most)))
  }

  /** Puts other batches in the place of the newest `depth`, and `more` behind them. */
  reorganise(depth: number, more = 1): void {
    const gone = this.batches.splice(this.batches.length - depth, depth)
    this.grow(gone.length + more)
  }

  /** Batches from a number on. */
  from(number: bigint | undefined, most = 20): readonly Batch[] {
    const at = number === undefined ? 0 : Math.max(0, Number(number - this.#first))
    return this.batches.slice(at, at + most)
  }

  hash(): string {
    let text = '0x'
    for (let i = 0; i < 8; i++) text += this.#random.uint32().toString(16).padStart(8, '0')
    return text
  }

  #make(count: number): Batch {
    const before = this.newest
    const number = before === undefined ? this.#first : before.id.number + 1n
    const last = this.#lastBlock()
    const blocks: BlockInBatch[] = []
    for (let i = 0; i < count; i++) {
      const parent = blocks.at(-1) ?? last
      blocks.push({
        batchIndex: i,
        hash: this.hash(),
        parentHash: parent?.hash ?? this.hash(),
        stateRoot: this.hash(),
        txRoot: this.hash(),
        receiptRoot: this.hash(),
        number: (parent?.number ?? 9_999n) + 1n,
        timestamp: (parent?.timestamp ?? START_SECONDS) + 1n,
      })
    }
    return hashed({
      id: { number, hash: ZERO_32 },
      l1Origin: (before?.l1Origin ?? 19_000_000n) + BigInt(this.#random.between(0, 2)),
      l1OriginHash: this.hash(),
      blocks,
      timestamp: (before?.timestamp ?? START_SECONDS) + 2n,
    })
  }

  #lastBlock(): BlockInBatch | undefined {
    for (let i = this.batches.length - 1; i >= 0; i--) {
      const block = this.batches[i]!.blocks.at(-1)
      if (block !== undefined) return block
    }
    return undefined
  }
}
