import type { CheckpointStore } from '../../checkpoint/store.ts'
import { type StoredSnapshot, storedSnapshots } from './stored-snapshots.ts'

/**
 * Removes the snapshots of a pipeline that does not run, but for those of its newest `keep` epochs; never the newest one
 * that is committed everywhere, nor what a claim goes on from, nor anything newer. Returns what was removed.
 */
export async function pruneStopped(
  store: CheckpointStore,
  pipeline: string | undefined,
  keep: number,
): Promise<readonly bigint[]> {
  const known: Omit<StoredSnapshot, 'checkpoint'>[] = []
  // Without their states: together they may be large.
  for await (const { checkpoint: _, ...entry } of storedSnapshots(store, pipeline)) known.push(entry)
  const whole = known.filter(({ fault, meta }) => fault === undefined && meta?.reason !== 'claim')
  const done = whole.findLast((entry) => entry.done)
  if (done === undefined) return []
  const oldest = whole.at(-Math.max(1, keep)) ?? whole[0]!
  const claims = known.flatMap(({ meta }) => (meta?.reason === 'claim' && meta.base ? [BigInt(meta.base)] : []))
  const kept = [oldest.id, done.id, ...claims.slice(-1)]
  const lowest = kept.toSorted((a, b) => (a < b ? -1 : 1))[0]!
  const removed: bigint[] = []
  for (const { id } of await store.list()) {
    if (id >= lowest) break
    await store.delete(id)
    removed.push(id)
  }
  return removed
}
