import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataSourceError } from './errors.ts'

const FILE = 'position.json'

interface Stored {
  readonly format: 1
  readonly source: string
  readonly position: string
  readonly copied?: CopyProgress | undefined
}

/** What a copy has done up to a position. */
export interface CopyProgress {
  readonly read: number
  readonly written: number
  readonly failed: number
  readonly bytes: number
  /** The source had ended there. */
  readonly complete: boolean
}

/** How far the reading of one source has come, in a folder: the last position that was saved is there or the one before. */
export class OffsetFile {
  readonly #folder: string
  readonly #source: string

  /** `source`: its URI; the folder is of no other. */
  constructor(folder: string, source: string) {
    this.#folder = folder
    this.#source = source
  }

  /** The position; undefined before the first `save`. */
  load(): string | undefined {
    return this.read()?.position
  }

  /** Everything that the last `save` was given. */
  read(): Pick<Stored, 'position' | 'copied'> | undefined {
    let text: string
    try {
      text = readFileSync(join(this.#folder, FILE), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw this.#unusable(error)
    }
    let stored: Stored
    try {
      stored = JSON.parse(text) as Stored
    } catch (error) {
      throw this.#unusable(error)
    }
    if (stored.format !== 1 || typeof stored.position !== 'string') throw this.#unusable(undefined)
    if (stored.source !== this.#source) {
      throw new DataSourceError('Configuration', 'library_usage', `"${this.#folder}" belongs to ${stored.source}`, {
        hint: 'give each source a folder of its own',
      })
    }
    return stored
  }

  save(position: string, copied?: CopyProgress): void {
    const stored: Stored = { format: 1, source: this.#source, position, copied }
    const path = join(this.#folder, FILE)
    try {
      mkdirSync(this.#folder, { recursive: true })
      writeFileSync(`${path}.${process.pid}`, JSON.stringify(stored), { flush: true })
      renameSync(`${path}.${process.pid}`, path)
      const folder = openSync(this.#folder, 'r')
      fsyncSync(folder)
      closeSync(folder)
    } catch (error) {
      throw this.#unusable(error)
    }
  }

  #unusable(cause: unknown): DataSourceError {
    return new DataSourceError('Io', 'connector_forbidden', `the position in "${this.#folder}" cannot be used`, {
      hint: 'give another folder, or delete it to begin anew',
      cause,
    })
  }
}
