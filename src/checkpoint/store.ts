import type { ErrorCode } from '../core/error-kinds.ts'
import type { StateBytes } from '../core/state-bytes.ts'
import { CheckpointError, type FailedOutcome } from './error.ts'

/** What a store knows of one id. */
export interface StoreEntry {
  readonly id: bigint
  /** There is a snapshot; otherwise only a trace that keeps the id occupied. */
  readonly snapshot: boolean
  readonly damaged: boolean
  /** All sinks have committed its epoch. */
  readonly done: boolean
}

/** Who creates: one writer at a time owns the ids. */
export interface StoreOwner {
  /** Number of claims of this place that the writer knows, its own included; 0 without a claim. */
  readonly incarnation: bigint
  /** The highest id that the writer knows; a higher one that is not its own was made by somebody else. */
  readonly after: bigint
}

/**
 * Where snapshots are. A snapshot is complete or invisible, and an id is created once for all time: pruned, damaged and
 * claimed ids stay occupied because a higher one is always left. Every failure is an `IoError`; `outcome` of one of
 * `create` tells whether the snapshot is provably absent.
 */
export interface CheckpointStore {
  /** For messages. */
  readonly uri: string
  /** Survives the process. */
  readonly persistent: boolean
  /**
   * Stores a snapshot and resolves when it is durable. Somebody else's id at or above the wanted one, or any above
   * `owner.after`, is `fenced by a newer instance`.
   */
  create(id: bigint, body: StateBytes, owner: StoreOwner): Promise<void>
  /** The bytes as they are, checked by nobody; undefined when there are none. */
  get(id: bigint): Promise<Uint8Array | undefined>
  /** Every occupied id, ascending. */
  list(): Promise<StoreEntry[]>
  /** Points at the newest snapshot; durable when it resolves, and never moved back. */
  setLatest(id: bigint, owner: StoreOwner): Promise<void>
  latest(): Promise<bigint | undefined>
  /** Notes that all sinks have committed; may be repeated. `NoCheckpoint` where there is no snapshot. */
  markDone(id: bigint): Promise<void>
  isDone(id: bigint): Promise<boolean>
  /** Puts a damaged snapshot aside; its id stays occupied. */
  reject(id: bigint): Promise<void>
  /** Removes all of an id; refused for the highest. */
  delete(id: bigint): Promise<void>
  /** Removes what writers of lower incarnations left half made. */
  sweep(incarnation: bigint): Promise<void>
  close(): Promise<void>
}

const LIKE: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'connector_capacity',
  EDQUOT: 'connector_capacity',
  EACCES: 'connector_forbidden',
  EPERM: 'connector_forbidden',
  EROFS: 'connector_forbidden',
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  connector_capacity: 'make room; the last complete checkpoint is intact',
  connector_forbidden: 'grant the right to it, or use another data_dir',
}

/** A failed operation of a store as `IoError` with its class; `place` is the file or key. */
export function storeFault(doing: string, place: string, cause: unknown, outcome?: FailedOutcome): CheckpointError {
  if (cause instanceof CheckpointError && (cause.outcome !== undefined || outcome === undefined)) return cause
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  const like = code === undefined ? undefined : LIKE[code]
  const reason = code ?? (cause instanceof Error ? cause.message : String(cause))
  return new CheckpointError('IoError', `cannot ${doing} ${place}: ${reason}`, {
    like: outcome === 'unknown' ? 'connector_commit_ambiguous' : like,
    hint: outcome === 'unknown' ? UNKNOWN_HINT : like === undefined ? undefined : HINTS[like],
    at: { kind: 'data', source: place, offset: '0' },
    outcome,
    cause,
  })
}

const UNKNOWN_HINT = 'the snapshot may be there: stop without aborting its epoch, and start again to find out'

/** The refusal to remove the id that keeps all lower ones occupied. */
export const keepsHighest = (id: bigint): CheckpointError =>
  new CheckpointError('IoError', `checkpoint ${id} is the highest and cannot be removed`, {
    like: 'internal_assertion',
    hint: 'a higher checkpoint keeps lower ids from being used again',
  })
