import { canonicalBatch, canonicalBatches } from './canonical.ts'
import { DatastreamError, type DatastreamErrorKind } from './errors.ts'
import {
  arrayField,
  asObject,
  boolField,
  bytes8Field,
  bytes32Field,
  bytesField,
  FieldFault,
  joined,
  objectField,
  textField,
  u32Field,
  u64Field,
  u256Field,
  within,
} from './json-fields.ts'
import { type Json, type JsonObject, parseExact } from './json-text.ts'
import { ZERO_8, ZERO_32 } from './numbers.ts'
import {
  Batch,
  type BatchId,
  type BlockInBatch,
  Checkpoint,
  Epoch,
  emptyProof,
  type FinalityStatus,
  type FinalityTag,
  type ProofMetadata,
  SourceMetadata,
} from './types.ts'

// Each of these takes JSON text, or its UTF-8 bytes; unknown fields are ignored, a missing or unfit one is a
// `SerializationError` that names its path.
export function decodeBatch(given: JsonText): Batch {
  const text = textOf(given)
  const found = canonicalBatch(text, 0)
  return found !== undefined && text.slice(found.end).trim() === '' ? found.batch : decode(text, batchOf)
}
export const decodeBlock = (text: JsonText): BlockInBatch => decode(text, (json) => blockOf(asObject(json)))
export const decodeProofMetadata = (text: JsonText): ProofMetadata => decode(text, (json) => proofOf(asObject(json)))
export const decodeEpoch = (text: JsonText): Epoch => decode(text, (json) => epochOf(asObject(json)))
export const decodeFinalityTag = (text: JsonText): FinalityTag => decode(text, (json) => tagOf(asObject(json)))
export const decodeCheckpoint = (text: JsonText): Checkpoint => decode(text, (json) => checkpointOf(asObject(json)))
export const decodeSourceMetadata = (text: JsonText): SourceMetadata =>
  decode(text, (json) => sourceMetadataOf(asObject(json)))

export type JsonText = string | Uint8Array

const textOf = (given: JsonText): string =>
  typeof given === 'string' ? given : Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString('utf8')

/** The array of an HTTP answer. */
export const decodeBatches = (text: string): Batch[] =>
  canonicalBatches(text) ??
  decode(text, (json) => {
    if (!Array.isArray(json)) throw new FieldFault('', 'the answer is no array')
    return json.map((item: Json, i) => within(`[${i}]`, () => batchOf(item)))
  })

function decode<T>(text: JsonText, read: (json: Json) => T): T {
  return readJson(parseExact(textOf(text)), read)
}

/** Reads a parsed value; faults become errors of `kind` that name the path. */
export function readJson<T>(json: Json, read: (json: Json) => T, kind: DatastreamErrorKind = 'SerializationError'): T {
  try {
    return read(json)
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error
    const text = error.path === '' ? error.message : `${error.path}: ${error.message}`
    throw new DatastreamError(kind, text, { path: error.path })
  }
}

export function batchOf(json: Json): Batch {
  const object = asObject(json)
  const proof = object['proof_meta']
  return new Batch({
    id: idField(object, 'id'),
    l1Origin: u256Field(object, 'l1_origin'),
    l1OriginHash: bytes32Field(object, 'l1_origin_hash'),
    blocks: blocksOf(arrayField(object, 'blocks')),
    proofMeta: proof === undefined ? emptyProof : within('proof_meta', () => proofOf(asObject(proof))),
    timestamp: u64Field(object, 'timestamp'),
  })
}

function idField(object: JsonObject, name: string): BatchId {
  const id = objectField(object, name)
  try {
    return { number: u256Field(id, 'number'), hash: bytes32Field(id, 'hash') }
  } catch (error) {
    throw error instanceof FieldFault ? new FieldFault(joined(name, error.path), error.message) : error
  }
}

function blocksOf(items: readonly Json[]): BlockInBatch[] {
  const blocks: BlockInBatch[] = []
  let i = 0
  try {
    for (; i < items.length; i++) blocks.push(blockOf(asObject(items[i])))
  } catch (error) {
    throw error instanceof FieldFault ? new FieldFault(joined(`blocks[${i}]`, error.path), error.message) : error
  }
  return blocks
}

const blockOf = (block: JsonObject): BlockInBatch => ({
  batchIndex: u32Field(block, 'batch_index'),
  hash: bytes32Field(block, 'hash'),
  parentHash: bytes32Field(block, 'parent_hash'),
  stateRoot: bytes32Field(block, 'state_root'),
  txRoot: bytes32Field(block, 'tx_root'),
  receiptRoot: bytes32Field(block, 'receipt_root'),
  number: u256Field(block, 'number'),
  timestamp: u64Field(block, 'timestamp'),
})

/** Every field may be left out: it is empty or zero then. */
const proofOf = (proof: JsonObject): ProofMetadata => ({
  dataProof: proof['data_proof'] === undefined ? emptyProof.dataProof : bytesField(proof, 'data_proof'),
  namespaceId: proof['namespace_id'] === undefined ? ZERO_8 : bytes8Field(proof, 'namespace_id'),
  commitment: proof['commitment'] === undefined ? ZERO_32 : bytes32Field(proof, 'commitment'),
  inclusionProof:
    proof['inclusion_proof'] === undefined ? emptyProof.inclusionProof : bytesField(proof, 'inclusion_proof'),
})

const epochOf = (epoch: JsonObject): Epoch =>
  new Epoch({
    id: idField(epoch, 'id'),
    startBlock: u256Field(epoch, 'start_block'),
    endBlock: u256Field(epoch, 'end_block'),
    startBatch: u256Field(epoch, 'start_batch'),
    endBatch: u256Field(epoch, 'end_batch'),
    startTimestamp: u64Field(epoch, 'start_timestamp'),
    endTimestamp: u64Field(epoch, 'end_timestamp'),
  })

const STATUSES: ReadonlyMap<string, FinalityStatus> = new Map([
  ['Pending', 'pending'],
  ['Finalized', 'finalized'],
  ['RolledBack', 'rolled_back'],
])

function tagOf(tag: JsonObject): FinalityTag {
  const text = textField(tag, 'status')
  const status = STATUSES.get(text)
  if (status === undefined) throw new FieldFault('status', `"${text}" is not Pending, Finalized or RolledBack`)
  const txHash = tag['tx_hash']
  return {
    batchId: idField(tag, 'batch_id'),
    l1Block: u256Field(tag, 'l1_block'),
    l1BlockHash: bytes32Field(tag, 'l1_block_hash'),
    status,
    timestamp: u64Field(tag, 'timestamp'),
    txHash: txHash === undefined || txHash === null ? undefined : bytes32Field(tag, 'tx_hash'),
  }
}

function checkpointOf(object: JsonObject): Checkpoint {
  const entries = object['metadata'] === undefined ? {} : objectField(object, 'metadata')
  const metadata = new Map(Object.keys(entries).map((key) => [key, within('metadata', () => textField(entries, key))]))
  return new Checkpoint(
    u256Field(object, 'last_batch_id'),
    bytes32Field(object, 'last_batch_hash'),
    u256Field(object, 'last_l1_block'),
    u64Field(object, 'timestamp'),
    metadata,
  )
}

function sourceMetadataOf(object: JsonObject): SourceMetadata {
  const most = object['max_batch_size']
  return new SourceMetadata(
    textField(object, 'name'),
    textField(object, 'version'),
    textField(object, 'url'),
    boolField(object, 'supports_checkpoints'),
    {
      maxBatchSize: most === undefined || most === null ? undefined : u32Field(object, 'max_batch_size'),
      available: object['available'] === undefined ? true : boolField(object, 'available'),
    },
  )
}
