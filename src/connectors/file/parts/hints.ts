import { type FSWatcher, watch } from 'node:fs'

/** Directories that are followed by events; more are only looked at. */
const DIRECTORIES_MAX = 64

/** The system's word that something changed in a directory: a hint to look, never more. */
export class Hints implements Disposable {
  readonly #onHint: () => void
  readonly #watchers = new Map<string, FSWatcher>()
  #complete = false

  constructor(onHint: () => void) {
    this.#onHint = onHint
  }

  /** Whether changes in all directories are told. */
  get isComplete(): boolean {
    return this.#complete
  }

  /** The directories to follow from now on. */
  follow(directories: ReadonlySet<string>): void {
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue
      watcher.close()
      this.#watchers.delete(directory)
    }
    for (const directory of directories) {
      if (this.#watchers.size >= DIRECTORIES_MAX) break
      if (!this.#watchers.has(directory)) this.#watch(directory)
    }
    this.#complete = this.#watchers.size === directories.size && directories.size > 0
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, this.#onHint)
      watcher.on('error', () => {
        watcher.close()
        this.#watchers.delete(directory)
        this.#complete = false
      })
      this.#watchers.set(directory, watcher)
    } catch {
      // No events here: the directory is looked at.
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    this.#complete = false
  }
}
