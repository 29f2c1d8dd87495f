import { CheckpointError } from './error.ts'
import { type CheckpointMeta, metaOf } from './meta.ts'
import type { CheckpointStore } from './store.ts'
import { StreamCheckpoint } from './stream-checkpoint.ts'

/** What a start goes on from. */
export interface Choice {
  /** The newest usable snapshot; undefined when there never was one. */
  readonly checkpoint: StreamCheckpoint | undefined
  readonly meta: CheckpointMeta | undefined
  /** All sinks have committed its epoch. */
  readonly done: boolean
  /** The highest id that is or was occupied; 0 when there is none. */
  readonly highest: bigint
  /** At least the claims so far: what is damaged may have been one, and no two instances may share a number. */
  readonly incarnation: bigint
  readonly lineage: string | undefined
  /** Newer snapshots that cannot be used, and why. */
  readonly damaged: readonly { readonly id: bigint; readonly why: string }[]
}

/**
 * Tries snapshots from the highest id downward (checkpoints.md §8). One is usable when it decodes, carries the id of its
 * file name and names the pipeline. Nothing stored is an empty start; nothing usable is an error, never an empty start.
 */
export async function chooseCheckpoint(store: CheckpointStore, pipeline: string): Promise<Choice> {
  const entries = (await store.list()).reverse()
  const pointed = (await store.latest()) ?? 0n
  const highest = [entries[0]?.id ?? 0n, pointed].reduce((a, b) => (a > b ? a : b))
  const damaged: { id: bigint; why: string }[] = []
  const claims: CheckpointMeta[] = []
  const facts = (meta: CheckpointMeta | undefined) => {
    const newest = claims[0] ?? meta
    const incarnation = BigInt(newest?.incarnation ?? 0) + BigInt(damaged.length)
    // A claim may be of a later lineage that never got so far as to keep anything.
    return { highest, damaged, incarnation, lineage: (meta ?? newest)?.lineage }
  }
  for (const entry of entries) {
    if (!entry.snapshot) {
      if (entry.damaged) damaged.push({ id: entry.id, why: 'was put aside as damaged' })
      continue
    }
    const checkpoint = await usable(store, entry.id)
    if (!(checkpoint instanceof StreamCheckpoint)) {
      damaged.push(checkpoint)
      continue
    }
    const meta = metaOf(checkpoint)
    refuseForeign(checkpoint, meta, pipeline)
    if (meta.reason === 'claim') {
      claims.push(meta)
      continue
    }
    const isLost = pointed > checkpoint.id && !damaged.some(({ id }) => id === pointed)
    if (isLost) damaged.push({ id: pointed, why: 'is gone' })
    return { checkpoint, meta, done: entry.done, ...facts(meta) }
  }
  // A claim that goes on from nothing, or nothing at all.
  const based = claims.some((claim) => claim.base !== null && claim.base !== undefined)
  if (damaged.length > 0 || based || (pointed > 0n && claims.length === 0)) throw nothingUsable(store, damaged)
  return { checkpoint: undefined, meta: undefined, done: true, ...facts(undefined) }
}

async function usable(store: CheckpointStore, id: bigint): Promise<StreamCheckpoint | { id: bigint; why: string }> {
  const bytes = await store.get(id)
  if (bytes === undefined) return { id, why: 'is gone' }
  try {
    const checkpoint = StreamCheckpoint.fromBytes(bytes, `checkpoint ${id}`)
    if (checkpoint.id === id) return checkpoint
    return { id, why: `holds checkpoint ${checkpoint.id}` }
  } catch (error) {
    if (error instanceof CheckpointError) return { id, why: error.detail ?? error.message }
    throw error
  }
}

function refuseForeign(checkpoint: StreamCheckpoint, meta: CheckpointMeta, pipeline: string): void {
  if (meta.pipeline === pipeline) return
  throw new CheckpointError('IoError', `checkpoint ${checkpoint.id} belongs to the pipeline '${meta.pipeline}'`, {
    like: 'connector_option_invalid',
    hint: 'give each pipeline a name and a folder of its own',
  })
}

function nothingUsable(store: CheckpointStore, damaged: Choice['damaged']): CheckpointError {
  const list = damaged.map(({ id, why }) => `${id}: ${why}`).join('; ')
  return new CheckpointError('IoError', `no usable checkpoint in ${store.uri}${list === '' ? '' : ` (${list})`}`, {
    like: 'connector_data_corrupt',
    hint: 'bring the files back from a copy, or move the folder away to start from the beginning',
  })
}
