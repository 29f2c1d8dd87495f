import { CheckpointError } from '../../checkpoint/error.ts'
import { type CheckpointMeta, META_KEY, metaOf } from '../../checkpoint/meta.ts'
import type { CheckpointStore } from '../../checkpoint/store.ts'
import { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'

/** One id of a store: a snapshot, or what is left of one. */
export interface StoredSnapshot {
  readonly id: bigint
  readonly bytes: number
  /** All sinks have committed its epoch. */
  readonly done: boolean
  /** Undefined when it cannot be used. */
  readonly checkpoint: StreamCheckpoint | undefined
  /** Undefined also for one that no pipeline wrote. */
  readonly meta: CheckpointMeta | undefined
  /** Why it cannot be used. */
  readonly fault: string | undefined
}

/** Every snapshot of a store, decoded one after the other, ascending. `pipeline`: whose they must be. */
export async function* storedSnapshots(store: CheckpointStore, pipeline?: string): AsyncIterable<StoredSnapshot> {
  for (const { id, snapshot, damaged, done } of await store.list()) {
    const bytes = snapshot ? await store.get(id) : undefined
    const entry = { id, bytes: bytes?.length ?? 0, done }
    if (bytes !== undefined) yield { ...entry, ...decoded(bytes, { id, pipeline, name: `checkpoint ${id}` }) }
    else if (damaged) yield { ...entry, ...unusable('was put aside as damaged') }
  }
}

const unusable = (fault: string): Pick<StoredSnapshot, 'checkpoint' | 'meta' | 'fault'> => ({
  checkpoint: undefined,
  meta: undefined,
  fault,
})

/** A snapshot's parts, or why it cannot be used. */
export function decoded(
  bytes: Uint8Array,
  form: { readonly id: bigint | undefined; readonly pipeline: string | undefined; readonly name: string },
): Pick<StoredSnapshot, 'checkpoint' | 'meta' | 'fault'> {
  const { id, pipeline, name } = form
  try {
    const checkpoint = StreamCheckpoint.fromBytes(bytes, name)
    if (id !== undefined && checkpoint.id !== id) return unusable(`holds checkpoint ${checkpoint.id}`)
    const isOurs = checkpoint.operatorStates.has(META_KEY)
    const meta = isOurs || pipeline !== undefined ? metaOf(checkpoint) : undefined
    if (pipeline !== undefined && meta?.pipeline !== pipeline) {
      return unusable(`belongs to the pipeline '${meta?.pipeline}'`)
    }
    return { checkpoint, meta, fault: undefined }
  } catch (error) {
    if (error instanceof CheckpointError) return unusable(error.detail ?? error.message)
    throw error
  }
}
