import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseUri, schemeOf } from '../core/uri.ts'
import { type CheckpointStorage, HISTORY_MAX } from './checkpoint-storage.ts'
import { decodeCheckpoint } from './decode.ts'
import { encodeCheckpoint } from './encode.ts'
import { DatastreamError } from './errors.ts'
import type { Checkpoint } from './types.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS headrace_checkpoints (name TEXT PRIMARY KEY, checkpoint TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS headrace_checkpoint_history (
    name TEXT NOT NULL, batch TEXT NOT NULL, checkpoint TEXT NOT NULL, PRIMARY KEY (name, batch)) STRICT;`

/** A row for each name in a SQLite database (`sqlite:///path`, `sqlite:path` or a path); synced with every save. */
export class DatabaseCheckpointStorage implements CheckpointStorage, Disposable {
  readonly #path: string
  readonly #name: string
  #database: DatabaseSync | undefined

  constructor(uri: string | URL, name: string) {
    this.#path = resolve(pathOf(String(uri)))
    this.#name = name
    if (name === '') throw new DatastreamError('ConfigError', 'the name of a checkpoint is empty')
  }

  async saveCheckpoint(checkpoint: Checkpoint): Promise<void> {
    this.#run((database) => {
      const text = encodeCheckpoint(checkpoint)
      const key = sortKey(checkpoint.lastBatchId)
      database.exec('BEGIN IMMEDIATE')
      try {
        const put =
          'INSERT INTO headrace_checkpoints VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET checkpoint = excluded.checkpoint'
        database.prepare(put).run(this.#name, text)
        database.prepare('DELETE FROM headrace_checkpoint_history WHERE name = ? AND batch >= ?').run(this.#name, key)
        database.prepare('INSERT INTO headrace_checkpoint_history VALUES (?, ?, ?)').run(this.#name, key, text)
        // By number, not by count: counting would read them all.
        const oldest = checkpoint.lastBatchId - BigInt(HISTORY_MAX)
        if (oldest > 0n) {
          database
            .prepare('DELETE FROM headrace_checkpoint_history WHERE name = ? AND batch < ?')
            .run(this.#name, sortKey(oldest))
        }
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    })
  }

  async loadCheckpoint(): Promise<Checkpoint | null> {
    return this.#run((database) => {
      const row = database.prepare('SELECT checkpoint FROM headrace_checkpoints WHERE name = ?').get(this.#name)
      return row === undefined ? null : this.#decode(String(row['checkpoint']))
    })
  }

  async deleteCheckpoint(): Promise<void> {
    this.#run((database) => {
      database.prepare('DELETE FROM headrace_checkpoints WHERE name = ?').run(this.#name)
      database.prepare('DELETE FROM headrace_checkpoint_history WHERE name = ?').run(this.#name)
    })
  }

  async history(limit: number): Promise<readonly Checkpoint[]> {
    return this.#run((database) => {
      const text = 'SELECT checkpoint FROM headrace_checkpoint_history WHERE name = ? ORDER BY batch DESC LIMIT ?'
      const rows = database.prepare(text).all(this.#name, Math.max(0, limit))
      return rows.map((row) => this.#decode(String(row['checkpoint']))).reverse()
    })
  }

  [Symbol.dispose](): void {
    this.#database?.close()
    this.#database = undefined
  }

  #decode(text: string): Checkpoint {
    try {
      return decodeCheckpoint(text)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new DatastreamError('CheckpointError', `"${this.#name}" in "${this.#path}" is damaged: ${why}`, {
        cause: error,
      })
    }
  }

  #run<T>(task: (database: DatabaseSync) => T): T {
    try {
      return task((this.#database ??= this.#open()))
    } catch (error) {
      if (error instanceof DatastreamError) throw error
      const why = error instanceof Error ? error.message : String(error)
      throw new DatastreamError('CheckpointError', `"${this.#path}": ${why}`, { cause: error })
    }
  }

  #open(): DatabaseSync {
    mkdirSync(dirname(this.#path), { recursive: true })
    const database = new DatabaseSync(this.#path, { timeout: 5000 })
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    database.exec(SCHEMA)
    return database
  }
}

/** 256-bit numbers in the order of their size. */
const sortKey = (number: bigint): string => number.toString(16).padStart(64, '0')

function pathOf(text: string): string {
  const scheme = schemeOf(text)
  if (scheme === undefined) return text
  if (scheme !== 'sqlite' && scheme !== 'file') {
    throw new DatastreamError('ConfigError', `a checkpoint storage is no "${scheme}:"`, {
      hint: 'sqlite:///path/to/checkpoints.db',
    })
  }
  const uri = parseUri(text)
  return `${uri.absolute ? '/' : ''}${uri.path.join('/')}`
}
