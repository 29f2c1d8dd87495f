import { bytesOfHex } from './numbers.ts'
import { Batch, type BlockInBatch, emptyProof, type ProofMetadata } from './types.ts'

// Batches in the very form that `encodeBatch` writes, which is also what servers of this protocol send, are checked and
// taken apart in one pass (measured by `npm run bench -- chain-batch`). Whatever differs by a byte is left to the parser.

/** All batches of an array; undefined where the text has another form. */
export function canonicalBatches(text: string): Batch[] | undefined {
  const scanner = new Scanner(text)
  if (!scanner.take('[')) return undefined
  const batches: Batch[] = []
  do {
    const batch = scanner.batch()
    if (batch === undefined) return undefined
    batches.push(batch)
  } while (scanner.take(','))
  return scanner.take(']') && scanner.atEnd ? batches : undefined
}

/** The one batch of a text; undefined where it has another form. */
export function canonicalBatch(text: string): Batch | undefined {
  const scanner = new Scanner(text)
  const batch = scanner.batch()
  return batch !== undefined && scanner.atEnd ? batch : undefined
}

/** 1 for lower-case hex digits. */
const HEX = new Uint8Array(256)
for (const digit of '0123456789abcdef') HEX[digit.charCodeAt(0)] = 1

const QUOTE = 34
const ZERO = 48

class Scanner {
  readonly #text: string
  /** Of the same length: one byte for every character, else there is nothing to scan. */
  readonly #bytes: Uint8Array
  #at = 0

  constructor(text: string) {
    const bytes = Buffer.from(text)
    this.#text = bytes.length === text.length ? text : ''
    this.#bytes = bytes
  }

  /** Nothing but white space follows. */
  get atEnd(): boolean {
    return this.#at === this.#text.length || this.#text.slice(this.#at).trim() === ''
  }

  take(literal: string): boolean {
    if (!this.#text.startsWith(literal, this.#at)) return false
    this.#at += literal.length
    return true
  }

  batch(): Batch | undefined {
    const number = this.take('{"id":{"number":"') ? this.#quantity() : undefined
    const hash = this.take('","hash":"') ? this.#hex(64) : undefined
    const l1Origin = this.take('"},"l1_origin":"') ? this.#quantity() : undefined
    const l1OriginHash = this.take('","l1_origin_hash":"') ? this.#hex(64) : undefined
    if (number === undefined || hash === undefined || l1Origin === undefined || l1OriginHash === undefined) {
      return undefined
    }
    const blocks = this.take('","blocks":[') ? this.#blocks() : undefined
    const proofMeta = blocks !== undefined && this.take('],"proof_meta":') ? this.#proof() : undefined
    const timestamp = this.take(',"timestamp":') ? this.#small() : undefined
    if (blocks === undefined || proofMeta === undefined || timestamp === undefined || !this.take('}')) return undefined
    return new Batch({ id: { number, hash }, l1Origin, l1OriginHash, blocks, proofMeta, timestamp: BigInt(timestamp) })
  }

  #blocks(): BlockInBatch[] | undefined {
    const blocks: BlockInBatch[] = []
    if (this.#text[this.#at] === ']') return blocks
    do {
      const block = this.#block()
      if (block === undefined) return undefined
      blocks.push(block)
    } while (this.take(','))
    return blocks
  }

  #block(): BlockInBatch | undefined {
    const batchIndex = this.take('{"batch_index":') ? this.#small() : undefined
    const hash = this.take(',"hash":"') ? this.#hex(64) : undefined
    const parentHash = this.take('","parent_hash":"') ? this.#hex(64) : undefined
    const stateRoot = this.take('","state_root":"') ? this.#hex(64) : undefined
    const txRoot = this.take('","tx_root":"') ? this.#hex(64) : undefined
    const receiptRoot = this.take('","receipt_root":"') ? this.#hex(64) : undefined
    const number = this.take('","number":"') ? this.#quantity() : undefined
    const timestamp = this.take('","timestamp":') ? this.#small() : undefined
    // A block that is none is rare: what was read in vain does not count.
    if (batchIndex === undefined || batchIndex > 999_999_999 || hash === undefined || parentHash === undefined) {
      return undefined
    }
    if (stateRoot === undefined || txRoot === undefined || receiptRoot === undefined || number === undefined) {
      return undefined
    }
    if (timestamp === undefined || !this.take('}')) return undefined
    return {
      batchIndex,
      hash,
      parentHash,
      stateRoot,
      txRoot,
      receiptRoot,
      number,
      timestamp: BigInt(timestamp),
    }
  }

  #proof(): ProofMetadata | undefined {
    const dataProof = this.take('{"data_proof":"') ? this.#hexBytes() : undefined
    const namespaceId = this.take('","namespace_id":"') ? this.#hex(16) : undefined
    const commitment = this.take('","commitment":"') ? this.#hex(64) : undefined
    const inclusionProof = this.take('","inclusion_proof":"') ? this.#hexBytes() : undefined
    if (dataProof === undefined || namespaceId === undefined || commitment === undefined) return undefined
    if (inclusionProof === undefined || !this.take('"}')) return undefined
    const isEmpty = dataProof.length + inclusionProof.length === 0 && namespaceId === emptyProof.namespaceId
    if (isEmpty && commitment === emptyProof.commitment) return emptyProof
    return { dataProof, namespaceId, commitment, inclusionProof }
  }

  /** `0x` and so many digits. Added up, not branched on: digits and letters come in no order that could be foretold. */
  #hex(digits: number): string | undefined {
    const bytes = this.#bytes
    const start = this.#at
    const end = start + 2 + digits
    if (end > bytes.length || bytes[start] !== ZERO || bytes[start + 1] !== 120) return undefined
    let found = 0
    for (let i = start + 2; i < end; i++) found += HEX[bytes[i]!]!
    if (found !== digits) return undefined
    this.#at = end
    return this.#text.slice(start, end)
  }

  /** `0x` and 1 to 64 digits, up to the quote. */
  #quantity(): bigint | undefined {
    const end = this.#text.indexOf('"', this.#at)
    const digits = end - this.#at - 2
    const text = digits >= 1 && digits <= 64 ? this.#hex(digits) : undefined
    return text === undefined ? undefined : BigInt(text)
  }

  /** A literal of at most 15 digits: exact as a double. */
  #small(): number | undefined {
    const bytes = this.#bytes
    const start = this.#at
    let value = 0
    let at = start
    for (; at < bytes.length && at - start < 16; at++) {
      const digit = bytes[at]! - ZERO
      if (digit < 0 || digit > 9) break
      value = 10 * value + digit
    }
    const length = at - start
    if (length === 0 || length > 15 || (length > 1 && bytes[start] === ZERO)) return undefined
    this.#at = at
    return value
  }

  #hexBytes(): Uint8Array | undefined {
    const end = this.#bytes.indexOf(QUOTE, this.#at)
    const bytes = end < 0 ? undefined : bytesOfHex(this.#text.slice(this.#at, end))
    if (bytes !== undefined) this.#at = end
    return bytes
  }
}
