import { resolve } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { orAbsent, systemFiles } from '../../core/system-files.ts'
import { keepSavepoint, readSavepoint, savepointNames, writeDurably } from '../durable/savepoints.ts'
import { openStateFolder } from '../durable/state-folder.ts'
import { tell } from './control.ts'
import type { KeptPipeline } from './kept-pipelines.ts'
import { liveOwner } from './live-owner.ts'
import { type SnapshotLine, snapshotLine } from './snapshot-facts.ts'
import { decoded, type StoredSnapshot, storedSnapshots } from './stored-snapshots.ts'

export interface Made {
  readonly name: string
  readonly id: string
  readonly epoch: string
}

/** Of a running pipeline: a checkpoint that it takes now. Else its newest one that is committed everywhere. */
export async function createSavepoint(kept: KeptPipeline, name: string, clock: Clock): Promise<Made> {
  if (liveOwner(kept, clock) !== undefined) {
    return (await tell(kept, `savepoint?name=${encodeURIComponent(name)}`, clock)) as unknown as Made
  }
  let newest: StoredSnapshot | undefined
  for await (const stored of storedSnapshots(kept.store, kept.name)) {
    if (stored.fault === undefined && stored.done && stored.meta?.reason !== 'claim') newest = stored
  }
  if (newest?.checkpoint === undefined) {
    throw new HeadraceError(
      'checkpoint_no_checkpoint',
      `"${kept.name}" has no checkpoint that is committed everywhere`,
      {
        hint: 'run it first',
      },
    )
  }
  const { id, epoch } = newest.checkpoint
  await keepSavepoint(kept.folder, name, newest.checkpoint.toBytes())
  return { name, id: String(id), epoch: String(epoch) }
}

/** A savepoint with all that it holds. */
export async function savepointOf(kept: KeptPipeline, name: string): Promise<StoredSnapshot> {
  const bytes = await readSavepoint(kept.folder, name)
  const form = { id: undefined, pipeline: kept.name, name: `savepoint ${name}` }
  const parts = decoded(bytes, form)
  return { id: parts.checkpoint?.id ?? 0n, bytes: bytes.length, done: parts.fault === undefined, ...parts }
}

export async function savepointsOf(kept: KeptPipeline): Promise<readonly ({ readonly name: string } & SnapshotLine)[]> {
  const lines: ({ readonly name: string } & SnapshotLine)[] = []
  for (const name of await savepointNames(kept.folder)) {
    lines.push({ name, ...snapshotLine(await savepointOf(kept, name)) })
  }
  return lines
}

/** Copies a savepoint to a new file. */
export async function exportSavepoint(kept: KeptPipeline, name: string, path: string): Promise<number> {
  const { bytes, fault } = await savepointOf(kept, name)
  if (fault !== undefined) throw damaged(`savepoint "${name}"`, fault)
  await writeDurably(resolve(path), await readSavepoint(kept.folder, name), `"${path}"`)
  return bytes
}

const damaged = (what: string, fault: string): HeadraceError =>
  new HeadraceError('checkpoint_io_error', `${what} cannot be used: ${fault}`, { hint: 'take another one' })

/** Takes a file as a savepoint of the pipeline that it names; its state folder is made when there is none. */
export async function importSavepoint(
  dataDir: string,
  path: string,
  as: { readonly pipeline: string; readonly name: string },
): Promise<Made> {
  const { pipeline, name } = as
  const bytes = await orAbsent(systemFiles.read(path))
  if (bytes === undefined) {
    throw new HeadraceError('checkpoint_no_checkpoint', `there is no file "${path}"`, { hint: 'check the path' })
  }
  const { checkpoint, meta, fault } = decoded(bytes, { id: undefined, pipeline, name: path })
  if (checkpoint === undefined) throw damaged(`"${path}"`, fault ?? '')
  if (meta?.reason === 'claim') throw damaged(`"${path}"`, 'it only notes a start and holds no state')
  const folder = openStateFolder({ dataDir, script: undefined }, { pipeline, store: undefined })
  await keepSavepoint(folder.path, name, bytes)
  return { name, id: String(checkpoint.id), epoch: String(checkpoint.epoch) }
}
