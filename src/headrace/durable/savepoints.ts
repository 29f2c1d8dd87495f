import { join } from 'node:path'
import { CheckpointError } from '../../checkpoint/error.ts'
import { encodeMeta, META_KEY, metaOf } from '../../checkpoint/meta.ts'
import type { Snapshots } from '../../checkpoint/snapshots.ts'
import { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import { HeadraceError } from '../../core/errors.ts'
import { freshSeed } from '../../core/random.ts'
import { didYouMean } from '../../core/suggest.ts'
import {
  makeFolder,
  NO_LINKS,
  orAbsent,
  type SystemFiles,
  syncDirectory,
  systemCode,
  systemFiles,
  writeSynced,
} from '../../core/system-files.ts'

/** The folder of savepoints inside a state folder: `<name>.ckpt` each, never pruned. */
const SAVEPOINTS = 'savepoints'
const SAVEPOINT = /^([^.].*)\.ckpt$/
/** Fit for a file name, and not to be taken for an id. */
const NAME = /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

const pathOf = (folder: string, name: string): string => join(folder, SAVEPOINTS, `${name}.ckpt`)

export async function savepointNames(folder: string): Promise<readonly string[]> {
  const names = (await orAbsent(systemFiles.readdir(join(folder, SAVEPOINTS)))) ?? []
  return names.flatMap((file) => SAVEPOINT.exec(file)?.[1] ?? []).sort()
}

/** The bytes of a savepoint; undefined when there is none of that name. */
export async function findSavepoint(folder: string, name: string): Promise<Uint8Array | undefined> {
  return NAME.test(name) ? await orAbsent(systemFiles.read(pathOf(folder, name))) : undefined
}

export async function readSavepoint(folder: string, name: string): Promise<Uint8Array> {
  const bytes = await findSavepoint(folder, name)
  if (bytes !== undefined) return bytes
  const names = await savepointNames(folder)
  throw new HeadraceError('checkpoint_no_checkpoint', `there is no savepoint "${name}"`, {
    hint: didYouMean(name, names) ?? (names.length === 0 ? 'none was made' : `one of: ${names.join(', ')}`),
  })
}

/** Throws when a savepoint of that name cannot be made. */
export async function refuseName(folder: string, name: string): Promise<void> {
  if (!NAME.test(name)) {
    throw new HeadraceError('cli_usage', `"${name}" is no name of a savepoint`, {
      hint: 'letters, digits, ".", "_" and "-", at most 100, not digits alone: before-upgrade',
    })
  }
  if ((await findSavepoint(folder, name)) !== undefined) throw exists(`the savepoint "${name}"`)
}

const exists = (what: string): HeadraceError =>
  new HeadraceError('savepoint_exists', `${what} exists`, { hint: 'choose another name, or delete the old one' })

/** Keeps a snapshot under a name; durable when it resolves. */
export async function keepSavepoint(folder: string, name: string, snapshot: Uint8Array): Promise<void> {
  await refuseName(folder, name)
  await writeDurably(pathOf(folder, name), asSavepoint(snapshot, name), `the savepoint "${name}"`)
}

/** The snapshot with the reason `savepoint`. */
function asSavepoint(bytes: Uint8Array, name: string): Uint8Array {
  const checkpoint = StreamCheckpoint.fromBytes(bytes, `savepoint ${name}`)
  const meta = metaOf(checkpoint)
  if (meta.reason === 'savepoint') return bytes
  const operatorStates = new Map(checkpoint.operatorStates)
  operatorStates.set(META_KEY, encodeMeta({ ...meta, reason: 'savepoint' }))
  const { id, epoch, createdAt, sourceSequences, sinkPositions, watermarks } = checkpoint
  const parts = { id, epoch, createdAt, sourceSequences, sinkPositions, watermarks, operatorStates }
  return new StreamCheckpoint(parts).toBytes()
}

/** Makes a new file that is whole and durable, or none: temporary name, sync, link, sync of the folder. */
export async function writeDurably(path: string, bytes: Uint8Array, what: string): Promise<void> {
  const files = systemFiles
  const folder = join(path, '..')
  const temp = join(folder, `.tmp-${freshSeed().toString(36)}`)
  const unsynced = new Set<string>()
  try {
    await makeFolder(files, folder, { unsynced })
    await writeSynced(files, temp, [bytes])
    await publish(files, temp, path)
    for (const made of [folder, ...unsynced]) await syncDirectory(files, made)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw exists(what)
    throw new HeadraceError('connector_forbidden', `cannot write "${path}": ${systemCode(error) ?? String(error)}`, {
      hint: 'check the rights and the room of its folder',
      cause: error,
    })
  } finally {
    await orAbsent(files.unlink(temp))
  }
}

async function publish(files: SystemFiles, temp: string, path: string): Promise<void> {
  try {
    await files.link(temp, path)
  } catch (error) {
    if (!NO_LINKS.has(systemCode(error) ?? '')) throw error
    // Without links the name is reserved by an empty file, which the rename replaces.
    await writeSynced(files, path, [])
    await files.rename(temp, path)
  }
}

/** How a running pipeline keeps savepoints; without a folder it cannot. */
export function savepointsOf(
  folder: string | undefined,
  snapshots: Snapshots,
): { refuseSavepoint(name: string): Promise<void>; keepSavepoint(name: string, id: bigint): Promise<void> } {
  return {
    refuseSavepoint: async (name) => {
      if (folder === undefined) throw new HeadraceError('checkpoint_data_dir_required', 'there is no folder for it')
      await refuseName(folder, name)
    },
    keepSavepoint: async (name, id) => {
      const bytes = await snapshots.read(id)
      if (bytes === undefined || folder === undefined) throw new CheckpointError('NoCheckpoint')
      await keepSavepoint(folder, name, bytes)
    },
  }
}

export async function deleteSavepoint(folder: string, name: string): Promise<void> {
  await readSavepoint(folder, name)
  await systemFiles.unlink(pathOf(folder, name))
  await syncDirectory(systemFiles, join(folder, SAVEPOINTS))
}
