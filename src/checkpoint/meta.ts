import { CheckpointError } from './error.ts'
import type { StreamCheckpoint } from './stream-checkpoint.ts'

/** Key of the state that says whose snapshot it is (checkpoints.md §9.1). */
export const META_KEY = 'headrace/meta'

export type CheckpointReason = 'interval' | 'manual' | 'stop' | 'savepoint' | 'claim'

/** What a pipeline's snapshot says of itself. */
export interface CheckpointMeta {
  readonly format: 1
  readonly pipeline: string
  readonly plan_hash: string
  /** Grows with every claim, as decimal digits. */
  readonly incarnation: string
  /** Version of the program. */
  readonly engine: string
  /** 8 hex digits drawn at the first start (rulings 8). */
  readonly lineage: string
  /** Ids of the sources. */
  readonly sources: readonly string[]
  /** By id: the sources as the script names them. */
  readonly source_names?: Readonly<Record<string, { readonly name: string; readonly uri: string }>> | undefined
  readonly sinks: readonly string[]
  /** By sink: its URI as it is printed. */
  readonly sink_uris?: Readonly<Record<string, string>> | undefined
  /** Ids of the operators that have a state. */
  readonly operators: readonly string[]
  readonly parallelism: number
  readonly reason: CheckpointReason
  /** Of a claim: the snapshot that it goes on from, as decimal digits; null: from nothing. */
  readonly base?: string | null | undefined
  /** All input was read to its end and every result is in this epoch (rulings 7). */
  readonly completed?: boolean | undefined
  /** The pipeline's clock, microseconds (rulings 29). */
  readonly clock: number
}

export const encodeMeta = (meta: CheckpointMeta): Uint8Array => encodeJson(meta)

/** Canonical JSON: keys sorted, no spaces. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value, sortedKeys))
}

const sortedKeys = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** Throws `IoError` when a state of a snapshot is no JSON. */
export function jsonState<T>(checkpoint: StreamCheckpoint, key: string): T | undefined {
  const bytes = checkpoint.operatorStates.get(key)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as T
  } catch (cause) {
    throw new CheckpointError('IoError', `state '${key}' of checkpoint ${checkpoint.id} is no JSON`, { cause })
  }
}

/** Throws `IoError` when the snapshot does not say whose it is. */
export function metaOf(checkpoint: StreamCheckpoint): CheckpointMeta {
  const meta = jsonState<CheckpointMeta>(checkpoint, META_KEY)
  if (meta === undefined || typeof meta.pipeline !== 'string' || !/^\d+$/.test(meta.incarnation)) {
    throw new CheckpointError('IoError', `checkpoint ${checkpoint.id} does not name its pipeline`, {
      hint: 'it was not written by a pipeline: use another data directory',
    })
  }
  if (meta.format !== 1) {
    throw new CheckpointError('IoError', `checkpoint ${checkpoint.id} has format ${String(meta.format)}, not 1`, {
      hint: 'it was written by a newer version: start that one',
    })
  }
  return meta
}
