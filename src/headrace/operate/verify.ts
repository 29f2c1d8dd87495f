import type { CheckpointStore } from '../../checkpoint/store.ts'
import { readSavepoint, savepointNames } from '../durable/savepoints.ts'
import { decoded, storedSnapshots } from './stored-snapshots.ts'

export interface Verified {
  readonly good: number
  readonly bytes: number
  /** By file, in order. */
  readonly rejected: readonly { readonly name: string; readonly why: string }[]
}

/** Decodes every snapshot of a store, and every savepoint of a folder. */
export async function verifySnapshots(of: {
  readonly store: CheckpointStore
  /** Whose they must be; undefined: anybody's. */
  readonly pipeline: string | undefined
  readonly folder: string | undefined
}): Promise<Verified> {
  const { store, pipeline, folder } = of
  const rejected: { name: string; why: string }[] = []
  let good = 0
  let bytes = 0
  let highest = 0n
  const take = (name: string, size: number, why: string | undefined): void => {
    bytes += size
    if (why === undefined) good++
    else rejected.push({ name, why })
  }
  for await (const stored of storedSnapshots(store, pipeline)) {
    take(`checkpoint ${stored.id}`, stored.bytes, stored.fault)
    if (stored.fault === undefined) highest = stored.id
  }
  const pointed = await store.latest()
  if (pointed !== undefined && pointed > highest) {
    rejected.push({ name: 'LATEST', why: `points at checkpoint ${pointed}, which is lost or damaged` })
  }
  for (const name of folder === undefined ? [] : await savepointNames(folder)) {
    const content = await readSavepoint(folder!, name)
    take(`savepoint ${name}`, content.length, decoded(content, { id: undefined, pipeline, name }).fault)
  }
  return { good, bytes, rejected }
}
