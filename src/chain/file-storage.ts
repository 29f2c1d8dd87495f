import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  makeFolder,
  orAbsent,
  type SystemFiles,
  syncDirectory,
  systemCode,
  systemFiles,
  writeSynced,
} from '../core/system-files.ts'
import { addToHistory, type CheckpointStorage, HISTORY_MAX } from './checkpoint-storage.ts'
import { decodeCheckpoint } from './decode.ts'
import { encodeCheckpoint } from './encode.ts'
import { DatastreamError } from './errors.ts'
import type { Checkpoint } from './types.ts'

/**
 * A checkpoint as a JSON file that is replaced as a whole: temporary file, sync, rename, sync of the folder. Beside it
 * `<path>.history` holds a line for every checkpoint; it is an aid and not synced: what a crash takes from it makes the
 * reorganisation that can be followed shorter, never wrong.
 */
export class FileCheckpointStorage implements CheckpointStorage {
  readonly path: string
  readonly #files: SystemFiles
  /** Lines in the history file; undefined: not looked at yet. */
  #lines: number | undefined
  /** One after the other: two saves would share the temporary file. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(path: string | URL, files: SystemFiles = systemFiles) {
    const text = typeof path === 'string' ? path : fileURLToPath(path)
    if (text === '') throw new DatastreamError('ConfigError', 'the path of a checkpoint file is empty')
    this.path = resolve(text)
    this.#files = files
  }

  saveCheckpoint(checkpoint: Checkpoint): Promise<void> {
    return this.#inTurn(async () => {
      const temporary = join(dirname(this.path), `.headrace-${basename(this.path)}.tmp`)
      await this.#unlink(temporary)
      const unsynced = new Set<string>()
      await makeFolder(this.#files, dirname(this.path), { unsynced })
      for (const folder of unsynced) await syncDirectory(this.#files, folder)
      await this.#addLine(checkpoint)
      await writeSynced(this.#files, temporary, [Buffer.from(`${encodeCheckpoint(checkpoint)}\n`)])
      await this.#files.rename(temporary, this.path)
      await syncDirectory(this.#files, dirname(this.path))
    })
  }

  loadCheckpoint(): Promise<Checkpoint | null> {
    return this.#inTurn(() => this.#load())
  }

  deleteCheckpoint(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#unlink(this.path)
      await this.#unlink(this.#historyPath)
      this.#lines = 0
      await orAbsent(syncDirectory(this.#files, dirname(this.path)))
    })
  }

  history(limit: number): Promise<readonly Checkpoint[]> {
    return this.#inTurn(async () => {
      const slot = await this.#load()
      if (slot === null || limit <= 0) return []
      const history = (await this.#readLines()).filter(({ lastBatchId }) => lastBatchId < slot.lastBatchId)
      return [...history, slot].slice(-limit)
    })
  }

  get #historyPath(): string {
    return `${this.path}.history`
  }

  async #load(): Promise<Checkpoint | null> {
    const bytes = await orAbsent(this.#files.read(this.path))
    if (bytes === undefined) return null
    try {
      return decodeCheckpoint(Buffer.from(bytes).toString('utf8'))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new DatastreamError('CheckpointError', `"${this.path}" is damaged: ${why}`, {
        cause: error,
        hint: 'move the file away to start from the beginning, or write a checkpoint into it',
      })
    }
  }

  async #addLine(checkpoint: Checkpoint): Promise<void> {
    this.#lines ??= Number.POSITIVE_INFINITY
    const line = `${encodeCheckpoint(checkpoint)}\n`
    const file = this.#lines < 2 * HISTORY_MAX ? await orAbsent(this.#files.open(this.#historyPath, 'a')) : undefined
    if (file !== undefined) {
      try {
        await file.write(Buffer.from(line))
      } finally {
        await file.close()
      }
      this.#lines++
      return
    }
    // Anew, without what no longer stands: also once after a start, so that a torn last line is gone.
    const history = await this.#readLines()
    addToHistory(history, checkpoint)
    const kept = history.slice(-HISTORY_MAX)
    const temporary = `${this.#historyPath}.tmp`
    await this.#unlink(temporary)
    await writeSynced(this.#files, temporary, [
      Buffer.from(kept.map((entry) => `${encodeCheckpoint(entry)}\n`).join('')),
    ])
    await this.#files.rename(temporary, this.#historyPath)
    this.#lines = kept.length
  }

  /** Up to the first line that is damaged. */
  async #readLines(): Promise<Checkpoint[]> {
    const bytes = await orAbsent(this.#files.read(this.#historyPath))
    const history: Checkpoint[] = []
    for (const line of Buffer.from(bytes ?? [])
      .toString('utf8')
      .split('\n')
      .slice(0, -1)) {
      try {
        addToHistory(history, decodeCheckpoint(line))
      } catch {
        break
      }
    }
    return history
  }

  async #unlink(path: string): Promise<void> {
    await orAbsent(this.#files.unlink(path))
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task).catch((error: unknown) => {
      if (error instanceof DatastreamError) throw error
      const text = `"${this.path}": ${systemCode(error) ?? String(error)}`
      throw new DatastreamError('CheckpointError', text, { cause: error })
    })
    this.#last = run.catch(() => undefined)
    return run
  }
}
