import { numberOfText, toHex, ZERO_32 } from './numbers.ts'
import { type BatchFields, Checkpoint } from './types.ts'

/** What is kept of a batch to follow its chain: a few hundred bytes. */
export interface Standing {
  readonly number: bigint
  /** All zero: not known. */
  readonly hash: string
  readonly l1Block: bigint
  /** Undefined after a restart without it. */
  readonly timestamp?: bigint | undefined
  /** Last block of the batch, or of those before when it is empty; undefined: not known. */
  readonly lastBlockHash?: string | undefined
  readonly lastBlockNumber?: bigint | undefined
  readonly lastBlockTimestamp?: bigint | undefined
}

/** Hashes that were cut out of an answer would keep all of it in memory. */
const own = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

export function standingOf(batch: BatchFields, before: Standing | undefined): Standing {
  const last = batch.blocks.at(-1)
  const { id, l1Origin, timestamp } = batch
  const head = { number: id.number, hash: own(id.hash), l1Block: l1Origin, timestamp }
  if (last === undefined) {
    const { lastBlockHash, lastBlockNumber, lastBlockTimestamp } = before ?? {}
    return { ...head, lastBlockHash, lastBlockNumber, lastBlockTimestamp }
  }
  return {
    ...head,
    lastBlockHash: own(last.hash),
    lastBlockNumber: last.number,
    lastBlockTimestamp: last.timestamp,
  }
}

/** `timestamp`: when the checkpoint is taken, seconds. */
export function checkpointOf(standing: Standing, timestamp: bigint): Checkpoint {
  const { number, hash, l1Block, lastBlockHash, lastBlockNumber } = standing
  const metadata = new Map<string, string>()
  if (lastBlockHash !== undefined) metadata.set('last_block_hash', lastBlockHash)
  if (lastBlockNumber !== undefined) metadata.set('last_block_number', toHex(lastBlockNumber))
  return new Checkpoint(number, hash, l1Block, timestamp, metadata)
}

export function standingOfCheckpoint(checkpoint: Checkpoint): Standing {
  const number = checkpoint.getMetadata('last_block_number')
  return {
    number: checkpoint.lastBatchId,
    hash: checkpoint.lastBatchHash,
    l1Block: checkpoint.lastL1Block,
    lastBlockHash: checkpoint.getMetadata('last_block_hash'),
    lastBlockNumber: number === undefined ? undefined : numberOfText(number),
  }
}

/** The batches that stand, oldest first, at most so many; numbers rise. */
export class History {
  readonly #most: number
  #entries: Standing[] = []

  constructor(most: number) {
    this.#most = most
  }

  get newest(): Standing | undefined {
    return this.#entries.at(-1)
  }

  get oldest(): Standing | undefined {
    return this.#entries[0]
  }

  get entries(): readonly Standing[] {
    return this.#entries
  }

  at(number: bigint): Standing | undefined {
    const { oldest } = this
    if (oldest === undefined || number < oldest.number) return undefined
    // Without holes the position is known.
    const guess = this.#entries[Number(number - oldest.number)]
    return guess?.number === number ? guess : this.#entries.find((entry) => entry.number === number)
  }

  push(entry: Standing): void {
    this.#entries.push(entry)
    // In large steps: taking the first of an array away moves all others.
    if (this.#entries.length > 2 * this.#most + 16) this.#entries = this.#entries.slice(-this.#most)
  }

  /** Takes away what stands behind `number`. */
  cut(number: bigint): void {
    while (this.newest !== undefined && this.newest.number > number) this.#entries.pop()
  }

  reset(entries: readonly Standing[]): void {
    this.#entries = entries.slice(-this.#most)
  }
}

export const isKnown = (standing: Standing): boolean => standing.hash !== ZERO_32
