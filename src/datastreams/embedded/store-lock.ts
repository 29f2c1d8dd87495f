import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { DatastreamsError } from '../errors.ts'

const BUSY = 5
const LOCKED = 6

/** The one process that has a store open. The system frees the lock of a process that has died. */
export class StoreLock implements Disposable {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #inode: number

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path
    this.#database = database
    this.#inode = statSync(path).ino
  }

  /** False: somebody has removed the file, and another process may have made and locked a new one. */
  isHeld(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode
  }

  /** Locks through SQLite; who holds it is written beside it. Throws `store_locked` with its pid and host. */
  static take(path: string): StoreLock {
    const database = new DatabaseSync(path)
    try {
      database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      const kind = ((error as { readonly errcode?: number }).errcode ?? 0) & 0xff
      throw kind === BUSY || kind === LOCKED ? lockedBy(path) : error
    }
    writeFileSync(ownerOf(path), JSON.stringify({ pid: process.pid, host: hostname() }))
    return new StoreLock(path, database)
  }

  [Symbol.dispose](): void {
    // While the lock is held: nobody else's name is removed.
    if (this.isHeld()) rmSync(ownerOf(this.#path), { force: true })
    this.#database.close()
  }
}

const ownerOf = (path: string): string => `${path}-owner`

function lockedBy(path: string): DatastreamsError {
  let owner: { readonly pid?: unknown; readonly host?: unknown } = {}
  try {
    owner = JSON.parse(readFileSync(ownerOf(path), 'utf8')) as typeof owner
  } catch {
    // It has not written its name yet.
  }
  const { pid, host } = owner
  const who = pid === undefined ? 'another process' : `process ${pid} on ${host}`
  return new DatastreamsError('store_locked', `${who} has the store open (lock "${path}")`, { pid, host })
}
