import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  Checkpoint,
  type CheckpointStorage,
  DatabaseCheckpointStorage,
  DatastreamError,
  FileCheckpointStorage,
  MemoryCheckpointStorage,
} from '../../chain/chain.ts'
import { numberOfText, ZERO_32 } from '../../chain/numbers.ts'
import { HeadraceError } from '../../core/errors.ts'
import { shortHash } from '../../core/short-hash.ts'
import { schemeOf } from '../../core/uri.ts'
import { exported, hasMethods, isModule } from './datastream.ts'

export interface StorageForm {
  /** Undefined: a file in the data directory, by the URL of the source. */
  readonly store: string | undefined
  readonly datastream: string
  readonly dataDir: string
  readonly baseDirectory: string
}

export interface OpenedStorage {
  readonly storage: CheckpointStorage
  /** Where it is, for people. */
  readonly place: string
}

/** Where the position is kept: a file, SQLite, memory, or a module that exports `storage`. */
export async function openStorage(form: StorageForm): Promise<OpenedStorage> {
  const { store, datastream, dataDir, baseDirectory } = form
  const name = shortHash(datastream)
  if (store === undefined) {
    if (!existsSync(dataDir)) {
      mkdirSync(dataDir, { recursive: true })
      writeFileSync(join(dataDir, '.gitignore'), '*\n')
    }
    const path = join(dataDir, 'ingest', `${name}.json`)
    return { storage: new FileCheckpointStorage(path), place: path }
  }
  const path = resolve(baseDirectory, store.replace(/^\w+:(\/\/)?/, '').replace(/\?.*$/, ''))
  switch (schemeOf(store)) {
    case 'memory':
      return { storage: new MemoryCheckpointStorage(), place: 'memory' }
    case 'sqlite':
      return { storage: new DatabaseCheckpointStorage(path, /[?&]name=([^&]+)/.exec(store)?.[1] ?? name), place: path }
    case undefined:
    case 'file': {
      if (isModule(path)) {
        const storage = await exported<CheckpointStorage>(path, 'storage', (value) =>
          hasMethods(value, ['saveCheckpoint', 'loadCheckpoint', 'deleteCheckpoint']),
        )
        return { storage, place: path }
      }
      if (/\.(db|sqlite3?)$/.test(path)) return { storage: new DatabaseCheckpointStorage(path, name), place: path }
      return { storage: new FileCheckpointStorage(path), place: path }
    }
    default:
      throw new HeadraceError('cli_usage', `"${store}" is no checkpoint store`, {
        hint: 'a path, file:…, sqlite:…?name=…, memory:, or a module that exports `storage`',
      })
  }
}

/** Where to begin: `auto` the stored position, else the beginning; `latest` the stored one, else an error; a number. */
export async function startFrom(storage: CheckpointStorage, from: string): Promise<CheckpointStorage> {
  if (from === 'auto') return storage
  if (from === 'latest') {
    if ((await storage.loadCheckpoint()) !== null) return storage
    throw new DatastreamError('CheckpointError', 'none available', {
      hint: '--from-checkpoint auto begins at the beginning when no position is stored',
    })
  }
  const number = numberOfText(from)
  if (number === undefined) {
    throw new HeadraceError('cli_usage', `--from-checkpoint: "${from}" is no batch number`, {
      hint: 'auto, latest, or the number of the batch before, in decimal or 0x hex',
    })
  }
  return {
    saveCheckpoint: (checkpoint) => storage.saveCheckpoint(checkpoint),
    loadCheckpoint: async () => new Checkpoint(number, ZERO_32, 0n, 0n),
    deleteCheckpoint: () => storage.deleteCheckpoint(),
  }
}
