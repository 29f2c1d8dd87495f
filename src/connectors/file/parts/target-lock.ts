import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../../core/clock.ts'
import { HeadraceError } from '../../../core/errors.ts'
import { systemCode } from '../../../core/system-files.ts'
import { fileError } from '../client.ts'

/** A target that this process alone writes until it is released, or the process ends in whatever way. */
export interface TargetLock {
  /** `remove`: nobody will need the lock's file again. */
  release(remove?: boolean): void
}

/** How long a starter waits for the holder of a lock. */
const WAIT_MS = 6000
/** The holder of a ledger has it for a moment, that of a file for long. */
const LOOK_MS_MAX = 100

const BUSY = 5
const LOCKED = 6
const FULL = 13
const NO_DATABASE = 26

const ownerOf = (path: string): string => `${path}-owner`

/**
 * Locks `path` through SQLite: the system frees the lock of a process that has died. `named`: who holds it is written
 * beside it, for those who wait. Throws `sink_locked` when it is held for 6 s.
 */
export async function lockTarget(
  path: string,
  place: { readonly clock: Clock; readonly signal?: AbortSignal | undefined; readonly named?: boolean },
): Promise<TargetLock> {
  const from = place.clock.elapsedMs()
  for (let wait = 2; ; wait = Math.min(2 * wait, LOOK_MS_MAX)) {
    const database = tryLock(path)
    if (database !== undefined) {
      if (place.named === true) nameOwner(path)
      return held(path, database)
    }
    place.signal?.throwIfAborted()
    const left = WAIT_MS - (place.clock.elapsedMs() - from)
    if (left <= 0) throw lockedError(path)
    await place.clock.sleep(Math.min(wait, left), place.signal)
  }
}

function held(path: string, database: DatabaseSync): TargetLock {
  let released = false
  return {
    release(remove = false) {
      if (released) return
      released = true
      // While the lock is held, so that nobody is left with a file that has no name.
      rmSync(ownerOf(path), { force: true })
      if (remove) rmSync(path, { force: true })
      database.close()
    },
  }
}

/** Undefined while somebody else holds it. */
function tryLock(path: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined
  try {
    const before = inodeOf(path)
    database = new DatabaseSync(path)
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
    // A holder may have removed the file that was opened here: then the lock is on nothing.
    if (before !== undefined && before === inodeOf(path)) return database
    if (before === undefined) {
      // The file is new; it is looked at once more, with an inode to compare.
      database.close()
      return inodeOf(path) === undefined ? undefined : tryLock(path)
    }
  } catch (error) {
    database?.close()
    const kind = ((error as { errcode?: number }).errcode ?? 0) & 0xff
    if (kind === BUSY || kind === LOCKED) return undefined
    throw refusedLock(path, kind, error)
  }
  database.close()
  return undefined
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}

function nameOwner(path: string): void {
  try {
    writeFileSync(ownerOf(path), `${process.pid}\n`)
  } catch {
    // Only for those who wait.
  }
}

function refusedLock(path: string, kind: number, cause: unknown): HeadraceError {
  if (kind === FULL) return fileError('connector_capacity', `cannot lock "${path}"`, cause)
  if (systemCode(cause) !== 'ERR_SQLITE_ERROR') return fileError('open', `cannot lock "${path}"`, cause)
  const why = kind === NO_DATABASE ? 'it is no lock' : (cause as Error).message
  return new HeadraceError('connector_forbidden', `cannot lock "${path}": ${why}`, {
    hint: 'the folder must be writable and its file system must have locks; or write elsewhere',
    cause,
  })
}

function lockedError(path: string): HeadraceError {
  let owner = ''
  try {
    owner = readFileSync(ownerOf(path), 'utf8').trim()
  } catch {
    // It has no name.
  }
  const who = owner === '' ? 'another process' : `process ${owner}`
  return new HeadraceError('sink_locked', `${who} writes the target (lock "${path}")`, {
    hint: 'stop that process, or write to a directory',
    details: owner === '' ? undefined : { pid: Number(owner) },
  })
}
