// The public names of `headrace/chain`.
export { BaseBatchSource, type BatchSourceOptions } from './base-source.ts'
export { type CheckpointStorage, MemoryCheckpointStorage } from './checkpoint-storage.ts'
export { toSource } from './connector.ts'
export { DatabaseCheckpointStorage } from './database-storage.ts'
export {
  decodeBatch,
  decodeBlock,
  decodeCheckpoint,
  decodeEpoch,
  decodeFinalityTag,
  decodeProofMetadata,
  decodeSourceMetadata,
  type JsonText,
} from './decode.ts'
export {
  encodeBatch,
  encodeBlock,
  encodeCheckpoint,
  encodeEpoch,
  encodeFinalityTag,
  encodeProofMetadata,
  encodeSourceMetadata,
} from './encode.ts'
export {
  DatastreamError,
  type DatastreamErrorExtra,
  type DatastreamErrorFields,
  type DatastreamErrorKind,
  datastreamErrorKinds,
} from './errors.ts'
export { FilesystemBatchSource, type FilesystemSourceConfig } from './file-source.ts'
export { FileCheckpointStorage } from './file-storage.ts'
export type { Rollback } from './follower.ts'
export { HttpBatchSource, type HttpSourceConfig } from './http-source.ts'
export { MemoryBatchSource } from './memory-source.ts'
export { ChainMetrics } from './metrics.ts'
export { bytes32, isZero32, toHex, u256 } from './numbers.ts'
export type { Duration, PollingOptions } from './polling.ts'
export { type IngestResult, type RunIngestOptions, runIngest } from './run-ingest.ts'
export { type BatchItem, type BatchSource, type BatchStreamOptions, batchStream, type SignalOption } from './source.ts'
export {
  Batch,
  type BatchFields,
  type BatchId,
  type BlockInBatch,
  Checkpoint,
  Epoch,
  type EpochFields,
  emptyProof,
  type FinalityStatus,
  type FinalityTag,
  type ProofMetadata,
  SourceMetadata,
} from './types.ts'
export { type ValidateOptions, type ValidationLevel, validateBatch } from './validate.ts'
export { WebSocketBatchSource, type WebSocketSourceConfig } from './websocket-source.ts'
