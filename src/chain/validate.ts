import { invalidBatch } from './errors.ts'
import { U32_MAX, U64_MAX, U256_MAX, ZERO_32 } from './numbers.ts'
import type { BatchFields, BlockInBatch } from './types.ts'

/** `off` checks types, lengths and ranges only; each level holds the ones before it. */
export type ValidationLevel = 'strict' | 'basic' | 'off'

export const BLOCKS_MAX = 1000
export const BATCH_BYTES_MAX: number = 10 * 1024 * 1024

/** What a batch must not fall behind, as far as it is known. */
export interface Predecessor {
  readonly l1Origin?: bigint | undefined
  readonly timestamp?: bigint | undefined
  readonly lastBlock?: { readonly number?: bigint | undefined; readonly timestamp?: bigint | undefined } | undefined
}

export interface ValidateOptions {
  /** Default `strict`. */
  readonly level?: ValidationLevel | undefined
  /** The batch before it; only `strict` looks at it. */
  readonly previous?: BatchFields | undefined
}

/** Throws `InvalidBatchData` with batch number and field path at the first rule that a batch breaks. */
export function validateBatch(batch: BatchFields, options: ValidateOptions = {}): void {
  const { level = 'strict', previous } = options
  validateAlone(batch, level)
  if (level === 'strict' && previous !== undefined) validateAgainst(batch, predecessorOf(previous))
}

const predecessorOf = ({ l1Origin, timestamp, blocks }: BatchFields): Predecessor => ({
  l1Origin,
  timestamp,
  lastBlock: blocks.at(-1),
})

/** The rules that need no other batch. */
export function validateAlone(batch: BatchFields, level: ValidationLevel): void {
  const check = new Check(batch)
  check.types()
  if (level === 'off') return
  check.basic()
  if (level === 'strict') check.order()
}

/** What `strict` asks of two batches that follow each other. */
export function validateAgainst(batch: BatchFields, previous: Predecessor): void {
  const { number } = batch.id
  const fall = (path: string, now: bigint, before: bigint | undefined, what = 'falls'): void => {
    if (before !== undefined && now < before) throw invalidBatch(number, path, `${now} ${what} behind ${before}`)
  }
  fall('l1_origin', batch.l1Origin, previous.l1Origin)
  fall('timestamp', batch.timestamp, previous.timestamp)
  const first = batch.blocks[0]
  if (first === undefined || previous.lastBlock === undefined) return
  const { number: before, timestamp } = previous.lastBlock
  fall('blocks[0].timestamp', first.timestamp, timestamp)
  if (before !== undefined) fall('blocks[0].number', first.number, before + 1n, 'does not rise: it falls')
}

const HEX_32 = /^0x[0-9a-f]{64}$/
const HEX_8 = /^0x[0-9a-f]{16}$/
const ROOTS = ['hash', 'parentHash', 'stateRoot', 'txRoot', 'receiptRoot'] as const
const JSON_NAMES = {
  hash: 'hash',
  parentHash: 'parent_hash',
  stateRoot: 'state_root',
  txRoot: 'tx_root',
  receiptRoot: 'receipt_root',
} as const

class Check {
  readonly #batch: BatchFields

  constructor(batch: BatchFields) {
    this.#batch = batch
  }

  types(): void {
    const { id, l1Origin, l1OriginHash, blocks, proofMeta, timestamp } = this.#batch
    this.#range('id.number', id.number, U256_MAX)
    this.#form('id.hash', id.hash, HEX_32, 32)
    this.#range('l1_origin', l1Origin, U256_MAX)
    this.#form('l1_origin_hash', l1OriginHash, HEX_32, 32)
    this.#range('timestamp', timestamp, U64_MAX)
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i]!
      for (const name of ROOTS) {
        if (!HEX_32.test(block[name])) this.#form(`blocks[${i}].${JSON_NAMES[name]}`, block[name], HEX_32, 32)
      }
      const { batchIndex } = block
      if (!Number.isInteger(batchIndex) || batchIndex < 0 || batchIndex > U32_MAX) {
        this.#fail(`blocks[${i}].batch_index`, `${batchIndex} is no 32-bit unsigned integer`)
      }
      this.#range(`blocks[${i}].number`, block.number, U256_MAX)
      this.#range(`blocks[${i}].timestamp`, block.timestamp, U64_MAX)
    }
    if (proofMeta === undefined) return
    this.#form('proof_meta.namespace_id', proofMeta.namespaceId, HEX_8, 8)
    this.#form('proof_meta.commitment', proofMeta.commitment, HEX_32, 32)
  }

  basic(): void {
    const { id, l1Origin, l1OriginHash, blocks, proofMeta, timestamp } = this.#batch
    if (id.number === 0n) this.#zero('id.number')
    if (id.hash === ZERO_32) this.#zero('id.hash')
    if (l1Origin === 0n) this.#zero('l1_origin')
    if (l1OriginHash === ZERO_32) this.#zero('l1_origin_hash')
    if (timestamp === 0n) this.#zero('timestamp')
    if (blocks.length > BLOCKS_MAX) this.#fail('blocks', `${blocks.length} blocks are more than ${BLOCKS_MAX}`)
    const bytes = 72 + (proofMeta?.dataProof.length ?? 0) + 180 * blocks.length
    if (bytes > BATCH_BYTES_MAX) this.#fail('proof_meta.data_proof', `${bytes} bytes are more than ${BATCH_BYTES_MAX}`)
    for (let i = 0; i < blocks.length; i++) this.#basicBlock(blocks[i]!, i)
  }

  #basicBlock(block: BlockInBatch, i: number): void {
    if (block.batchIndex !== i) this.#fail(`blocks[${i}].batch_index`, `${block.batchIndex} is not its position`)
    if (block.number === 0n) this.#zero(`blocks[${i}].number`)
    if (block.timestamp === 0n) this.#zero(`blocks[${i}].timestamp`)
    for (const name of ROOTS) {
      if (block[name] !== ZERO_32 || (name === 'parentHash' && block.number === 1n)) continue
      this.#zero(`blocks[${i}].${JSON_NAMES[name]}`)
    }
  }

  order(): void {
    const { blocks } = this.#batch
    for (let i = 1; i < blocks.length; i++) {
      const before = blocks[i - 1]!
      const block = blocks[i]!
      if (block.number <= before.number) {
        this.#fail(`blocks[${i}].number`, `${block.number} does not rise above ${before.number}`)
      }
      if (block.timestamp < before.timestamp) {
        this.#fail(`blocks[${i}].timestamp`, `${block.timestamp} falls behind ${before.timestamp}`)
      }
    }
  }

  #range(path: string, value: bigint, max: bigint): void {
    if (typeof value !== 'bigint') this.#fail(path, `${String(value)} is no bigint`)
    if (value < 0n || value > max) this.#fail(path, `${value} lies outside 0…2^${max === U64_MAX ? 64 : 256}-1`)
  }

  #form(path: string, value: string, form: RegExp, length: number): void {
    if (typeof value === 'string' && form.test(value)) return
    const shown = typeof value === 'string' ? `"${value.slice(0, 80)}"` : String(value)
    this.#fail(path, `${shown} is not ${length} bytes as 0x and ${2 * length} lower-case hex digits`)
  }

  #zero(path: string): never {
    return this.#fail(path, 'is zero')
  }

  #fail(path: string, fault: string): never {
    const { number } = this.#batch.id
    throw invalidBatch(typeof number === 'bigint' ? number : undefined, path, fault)
  }
}
