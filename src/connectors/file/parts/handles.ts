import { closeSync, fstatSync, openSync } from 'node:fs'
import { HeadraceError } from '../../../core/errors.ts'
import { fileError } from '../client.ts'
import { fileKey } from './identity.ts'

/** The open files of a source, `most` of them at once: the one not used for longest is closed for another. */
export class Handles {
  readonly #most: number
  readonly #open = new Set<Handle>()
  #clock = 0

  constructor(most: number) {
    this.#most = most
  }

  /** How many files are open. */
  get size(): number {
    return this.#open.size
  }

  /** Closes a file where one more would be too many; for a caller that opens one itself, and closes it at once. */
  makeRoom(): void {
    if (this.#open.size < this.#most) return
    let oldest: Handle | undefined
    for (const handle of this.#open) if (oldest === undefined || handle.usedAt < oldest.usedAt) oldest = handle
    oldest!.close()
    oldest!.onEvicted?.()
  }

  /** For `Handle`: it is used now. */
  touch(): number {
    return ++this.#clock
  }

  opened(handle: Handle): void {
    this.#open.add(handle)
  }

  closed(handle: Handle): void {
    this.#open.delete(handle)
  }

  [Symbol.dispose](): void {
    for (const handle of this.#open) handle.close()
  }
}

/** A file that is opened when it is needed, and again when it was closed for another one. */
export class Handle {
  readonly #handles: Handles
  readonly #pathOf: () => string
  #descriptor: number | undefined
  /** Device and inode of what was opened first: another file at the path is not taken for it. */
  #key: string | undefined
  usedAt = 0
  /** Called when it was closed for another file. */
  onEvicted: (() => void) | undefined

  /** `pathOf`: where the file is now. */
  constructor(handles: Handles, pathOf: () => string) {
    this.#handles = handles
    this.#pathOf = pathOf
  }

  get isOpen(): boolean {
    return this.#descriptor !== undefined
  }

  /** Valid until the next handle of the source is used. */
  get descriptor(): number {
    this.usedAt = this.#handles.touch()
    return this.#descriptor ?? this.#open()
  }

  #open(): number {
    const path = this.#pathOf()
    this.#handles.makeRoom()
    let descriptor: number
    try {
      descriptor = openSync(path, 'r')
    } catch (error) {
      throw fileError('open', `cannot read "${path}"`, error)
    }
    const key = fileKey(fstatSync(descriptor, { bigint: true }))
    if (this.#key !== undefined && key !== this.#key) {
      closeSync(descriptor)
      throw new HeadraceError('connector_incarnation_changed', `"${path}" was replaced while it was read`, {
        hint: 'Raise read_files_max: a file that stays open is read to its end.',
      })
    }
    this.#key = key
    this.#descriptor = descriptor
    this.#handles.opened(this)
    return descriptor
  }

  /** The next use opens it again. */
  close(): void {
    if (this.#descriptor === undefined) return
    closeSync(this.#descriptor)
    this.#descriptor = undefined
    this.#handles.closed(this)
  }

  /** Closes it for good: what is at its path is another file. */
  retire(): void {
    this.close()
    this.#key = 'none'
  }

  /** Closes it; the next use may open another file. */
  forget(): void {
    this.close()
    this.#key = undefined
  }
}
