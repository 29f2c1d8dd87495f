import { HeadraceError } from '../../../core/errors.ts'
import type { SystemFiles } from '../../../core/system-files.ts'
import type { Health } from '../../contract.ts'
import { fileError } from '../client.ts'

/** Bytes that are written between two looks at the file system. */
const STEP_BYTES = 8 * 1024 * 1024

/** Leaves `minFree` bytes of the file system alone. */
export class SpaceGuard {
  readonly #files: SystemFiles
  readonly #folder: string
  readonly #minFree: number
  #left = 0

  constructor(files: SystemFiles, folder: string, minFree: number) {
    this.#files = files
    this.#folder = folder
    this.#minFree = minFree
  }

  /** The next `take` looks. */
  look(): void {
    this.#left = 0
  }

  /** Before `bytes` are written; throws `connector_capacity` where they would not leave enough. */
  take(bytes: number): void {
    this.#left -= bytes
    if (this.#left > 0) return
    const spare = this.#spare() - bytes
    if (spare < 0) throw this.#full()
    this.#left = Math.min(STEP_BYTES, spare / 2)
  }

  #spare(): number {
    try {
      return this.#files.freeBytes(this.#folder) - this.#minFree
    } catch (error) {
      throw fileError('open', `cannot look at "${this.#folder}"`, error)
    }
  }

  #full(): HeadraceError {
    return new HeadraceError('connector_capacity', `less than ${this.#minFree} bytes are free at "${this.#folder}"`, {
      hint: 'make room, or lower min_free',
    })
  }

  async health(): Promise<Health> {
    try {
      if (this.#spare() >= 0) return { state: 'healthy', issues: [] }
    } catch {
      // The folder is not there yet, or cannot be looked at.
      return { state: 'unknown', issues: [] }
    }
    return { state: 'unhealthy', issues: [{ code: 'connector_capacity', detail: this.#full().message }] }
  }
}
