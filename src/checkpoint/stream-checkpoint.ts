import { decodeCheckpoint } from './decode.ts'
import { type CheckpointForm, encodeCheckpoint, gather } from './encode.ts'

/** What a checkpoint is made from; absent maps are empty. */
export interface StreamCheckpointParts {
  readonly id: bigint
  readonly epoch: bigint
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdAt: bigint
  readonly sourceSequences?: ReadonlyMap<string, bigint> | undefined
  readonly sinkPositions?: ReadonlyMap<string, bigint> | undefined
  readonly watermarks?: ReadonlyMap<string, bigint> | undefined
  readonly operatorStates?: ReadonlyMap<string, Uint8Array> | undefined
}

/** One snapshot of progress and state. Its bytes (version 2) are the only snapshot format there is. */
export class StreamCheckpoint implements CheckpointForm {
  readonly id: bigint
  readonly epoch: bigint
  readonly createdAt: bigint
  /** Records that each source has given since the pipeline was created. */
  readonly sourceSequences: ReadonlyMap<string, bigint>
  readonly sinkPositions: ReadonlyMap<string, bigint>
  /** Microseconds since 1970-01-01T00:00:00Z; −2⁶³ is unset. */
  readonly watermarks: ReadonlyMap<string, bigint>
  readonly operatorStates: ReadonlyMap<string, Uint8Array>

  constructor(parts: StreamCheckpointParts) {
    this.id = parts.id
    this.epoch = parts.epoch
    this.createdAt = parts.createdAt
    this.sourceSequences = parts.sourceSequences ?? new Map()
    this.sinkPositions = parts.sinkPositions ?? new Map()
    this.watermarks = parts.watermarks ?? new Map()
    this.operatorStates = parts.operatorStates ?? new Map()
  }

  /** The bytes of the snapshot; throws `InvalidConfig` for a value or name that has no encoding. */
  toBytes(): Uint8Array {
    return gather(encodeCheckpoint(this))
  }

  /** Decodes and checks; throws `IoError`. The bytes may be reused afterwards. `source` names them in the error. */
  static fromBytes(bytes: Uint8Array, source?: string): StreamCheckpoint {
    return new StreamCheckpoint(decodeCheckpoint(bytes, source))
  }
}
