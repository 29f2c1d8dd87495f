import { hexOfBytes, toHex } from './numbers.ts'
import type {
  BatchFields,
  BatchId,
  BlockInBatch,
  Checkpoint,
  EpochFields,
  FinalityStatus,
  FinalityTag,
  ProofMetadata,
  SourceMetadata,
} from './types.ts'
import { emptyProof } from './types.ts'

/** JSON text of one line. 256-bit numbers are `0x` hex, u64 integer literals; nothing is rounded. */
export function encodeBatch(batch: BatchFields): string {
  const { id, l1Origin, l1OriginHash, blocks, proofMeta = emptyProof, timestamp } = batch
  const head = `{"id":${idJson(id)},"l1_origin":"${toHex(l1Origin)}","l1_origin_hash":"${l1OriginHash}"`
  const list = blocks.map(encodeBlock).join(',')
  return `${head},"blocks":[${list}],"proof_meta":${encodeProofMetadata(proofMeta)},"timestamp":${timestamp}}`
}

const idJson = ({ number, hash }: BatchId): string => `{"number":"${toHex(number)}","hash":"${hash}"}`

export const encodeBlock = (block: BlockInBatch): string =>
  `{"batch_index":${block.batchIndex},"hash":"${block.hash}","parent_hash":"${block.parentHash}",` +
  `"state_root":"${block.stateRoot}","tx_root":"${block.txRoot}","receipt_root":"${block.receiptRoot}",` +
  `"number":"${toHex(block.number)}","timestamp":${block.timestamp}}`

export const encodeProofMetadata = (proof: ProofMetadata): string =>
  `{"data_proof":"${hexOfBytes(proof.dataProof)}","namespace_id":"${proof.namespaceId}",` +
  `"commitment":"${proof.commitment}","inclusion_proof":"${hexOfBytes(proof.inclusionProof)}"}`

export const encodeEpoch = (epoch: EpochFields): string =>
  `{"id":${idJson(epoch.id)},"start_block":"${toHex(epoch.startBlock)}","end_block":"${toHex(epoch.endBlock)}",` +
  `"start_batch":"${toHex(epoch.startBatch)}","end_batch":"${toHex(epoch.endBatch)}",` +
  `"start_timestamp":${epoch.startTimestamp},"end_timestamp":${epoch.endTimestamp}}`

const STATUS_NAMES: Readonly<Record<FinalityStatus, string>> = {
  pending: 'Pending',
  finalized: 'Finalized',
  rolled_back: 'RolledBack',
}

export function encodeFinalityTag(tag: FinalityTag): string {
  const txHash = tag.txHash === undefined ? '' : `,"tx_hash":"${tag.txHash}"`
  return (
    `{"batch_id":${idJson(tag.batchId)},"l1_block":"${toHex(tag.l1Block)}","l1_block_hash":"${tag.l1BlockHash}",` +
    `"status":"${STATUS_NAMES[tag.status]}","timestamp":${tag.timestamp}${txHash}}`
  )
}

export const encodeCheckpoint = (checkpoint: Checkpoint): string =>
  `{"last_batch_id":"${toHex(checkpoint.lastBatchId)}","last_batch_hash":"${checkpoint.lastBatchHash}",` +
  `"last_l1_block":"${toHex(checkpoint.lastL1Block)}","timestamp":${checkpoint.timestamp},` +
  `"metadata":${JSON.stringify(Object.fromEntries(checkpoint.metadata))}}`

export const encodeSourceMetadata = ({ maxBatchSize, available, ...rest }: SourceMetadata): string =>
  JSON.stringify({
    name: rest.name,
    version: rest.version,
    url: rest.url,
    supports_checkpoints: rest.supportsCheckpoints,
    max_batch_size: maxBatchSize,
    available,
  })
