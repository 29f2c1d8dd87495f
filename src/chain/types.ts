import { integer, U64_MAX, U256_MAX, ZERO_8, ZERO_32 } from './numbers.ts'

/**
 * 256-bit numbers are bigints ≥ 0, u64 too; 32 and 8 bytes are `0x` and lower-case hex digits; the JSON of each type has
 * the same names in snake_case.
 */
export interface BatchId {
  readonly number: bigint
  readonly hash: string
}

export interface BlockInBatch {
  /** Position in the batch, 32 bits. */
  readonly batchIndex: number
  readonly hash: string
  readonly parentHash: string
  readonly stateRoot: string
  readonly txRoot: string
  readonly receiptRoot: string
  readonly number: bigint
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly timestamp: bigint
}

export interface ProofMetadata {
  readonly dataProof: Uint8Array
  /** 8 bytes. */
  readonly namespaceId: string
  readonly commitment: string
  readonly inclusionProof: Uint8Array
}

export const emptyProof: ProofMetadata = {
  dataProof: new Uint8Array(0),
  namespaceId: ZERO_8,
  commitment: ZERO_32,
  inclusionProof: new Uint8Array(0),
}

/** What a batch is made of. */
export interface BatchFields {
  readonly id: BatchId
  readonly l1Origin: bigint
  readonly l1OriginHash: string
  readonly blocks: readonly BlockInBatch[]
  /** Default: all empty or zero. */
  readonly proofMeta?: ProofMetadata | undefined
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly timestamp: bigint
}

/** A numbered batch of blocks. */
export class Batch implements BatchFields {
  readonly id: BatchId
  readonly l1Origin: bigint
  readonly l1OriginHash: string
  readonly blocks: readonly BlockInBatch[]
  readonly proofMeta: ProofMetadata
  readonly timestamp: bigint

  constructor(fields: BatchFields) {
    this.id = fields.id
    this.l1Origin = fields.l1Origin
    this.l1OriginHash = fields.l1OriginHash
    this.blocks = fields.blocks
    this.proofMeta = fields.proofMeta ?? emptyProof
    this.timestamp = fields.timestamp
  }

  blockCount(): number {
    return this.blocks.length
  }

  isEmpty(): boolean {
    return this.blocks.length === 0
  }

  blockByIndex(index: number): BlockInBatch | undefined {
    return this.blocks[index]
  }

  blockHashes(): string[] {
    return this.blocks.map((block) => block.hash)
  }
}

export interface EpochFields {
  readonly id: { readonly number: bigint; readonly hash: string }
  readonly startBlock: bigint
  readonly endBlock: bigint
  readonly startBatch: bigint
  readonly endBatch: bigint
  readonly startTimestamp: bigint
  readonly endTimestamp: bigint
}

/** A run of batches; all bounds are inclusive. */
export class Epoch implements EpochFields {
  readonly id: { readonly number: bigint; readonly hash: string }
  readonly startBlock: bigint
  readonly endBlock: bigint
  readonly startBatch: bigint
  readonly endBatch: bigint
  readonly startTimestamp: bigint
  readonly endTimestamp: bigint

  constructor(fields: EpochFields) {
    this.id = fields.id
    this.startBlock = fields.startBlock
    this.endBlock = fields.endBlock
    this.startBatch = fields.startBatch
    this.endBatch = fields.endBatch
    this.startTimestamp = fields.startTimestamp
    this.endTimestamp = fields.endTimestamp
  }

  /** 0 when the bounds are reversed; so are all counts. */
  blockCount(): bigint {
    return count(this.startBlock, this.endBlock)
  }

  batchCount(): bigint {
    return count(this.startBatch, this.endBatch)
  }

  /** Seconds. */
  duration(): bigint {
    return this.endTimestamp > this.startTimestamp ? this.endTimestamp - this.startTimestamp : 0n
  }

  containsBlock(number: bigint | number): boolean {
    const block = BigInt(number)
    return block >= this.startBlock && block <= this.endBlock
  }

  containsBatch(number: bigint | number): boolean {
    const batch = BigInt(number)
    return batch >= this.startBatch && batch <= this.endBatch
  }

  isEmpty(): boolean {
    return this.startBlock > this.endBlock
  }
}

const count = (start: bigint, end: bigint): bigint => (start > end ? 0n : end - start + 1n)

/** In JSON `Pending`, `Finalized`, `RolledBack`. */
export type FinalityStatus = 'pending' | 'finalized' | 'rolled_back'

export interface FinalityTag {
  readonly batchId: BatchId
  readonly l1Block: bigint
  readonly l1BlockHash: string
  readonly status: FinalityStatus
  readonly timestamp: bigint
  readonly txHash?: string | undefined
}

/** How far a chain has been handled. A copy is made for every change. */
export class Checkpoint {
  readonly lastBatchId: bigint
  readonly lastBatchHash: string
  readonly lastL1Block: bigint
  /** When it was taken, seconds since 1970-01-01T00:00:00Z. */
  readonly timestamp: bigint
  readonly metadata: ReadonlyMap<string, string>

  constructor(
    lastBatchId: bigint | number,
    lastBatchHash: string,
    lastL1Block: bigint | number,
    timestamp: bigint | number,
    metadata: ReadonlyMap<string, string> = new Map(),
  ) {
    this.lastBatchId = integer(lastBatchId, U256_MAX, 'lastBatchId')
    this.lastBatchHash = lastBatchHash
    this.lastL1Block = integer(lastL1Block, U256_MAX, 'lastL1Block')
    this.timestamp = integer(timestamp, U64_MAX, 'timestamp')
    this.metadata = metadata
  }

  /** L1 block = the batch's `l1Origin`. */
  static fromBatch(batch: BatchFields, timestamp: bigint | number): Checkpoint {
    return new Checkpoint(batch.id.number, batch.id.hash, batch.l1Origin, timestamp)
  }

  /** All zero, and so not valid: the beginning of a chain. */
  static default(): Checkpoint {
    return new Checkpoint(0n, ZERO_32, 0n, 0n)
  }

  withMetadata(key: string, value: string): Checkpoint {
    const metadata = new Map([...this.metadata, [key, value]])
    return new Checkpoint(this.lastBatchId, this.lastBatchHash, this.lastL1Block, this.timestamp, metadata)
  }

  getMetadata(key: string): string | undefined {
    return this.metadata.get(key)
  }

  isValid(): boolean {
    return this.lastBatchHash !== ZERO_32 && this.timestamp > 0n
  }
}

/** What a source says of itself. */
export class SourceMetadata {
  readonly name: string
  readonly version: string
  readonly url: string
  readonly supportsCheckpoints: boolean
  readonly maxBatchSize: number | undefined
  readonly available: boolean

  constructor(
    name: string,
    version: string,
    url: string,
    supportsCheckpoints: boolean,
    more: { readonly maxBatchSize?: number | undefined; readonly available?: boolean | undefined } = {},
  ) {
    this.name = name
    this.version = version
    this.url = url
    this.supportsCheckpoints = supportsCheckpoints
    this.maxBatchSize = more.maxBatchSize
    this.available = more.available ?? true
  }

  withMaxBatchSize(maxBatchSize: number): SourceMetadata {
    const { name, version, url, supportsCheckpoints, available } = this
    return new SourceMetadata(name, version, url, supportsCheckpoints, { maxBatchSize, available })
  }

  withAvailable(available: boolean): SourceMetadata {
    const { name, version, url, supportsCheckpoints, maxBatchSize } = this
    return new SourceMetadata(name, version, url, supportsCheckpoints, { maxBatchSize, available })
  }
}
