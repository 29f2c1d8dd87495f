import { dirname, join } from 'node:path'
import { HeadraceError } from '../../../core/errors.ts'
import { orAbsent, type SystemFiles } from '../../../core/system-files.ts'
import { fileError } from '../client.ts'

/** Files get their final names by links, which do not reach other file systems: such folders are refused early. */
export class SameDevice {
  readonly #files: SystemFiles
  readonly #root: string
  readonly #seen = new Set<string>()
  #device: string | undefined

  constructor(files: SystemFiles, root: string) {
    this.#files = files
    this.#root = root
  }

  /** `folder`: relative to the root; it or one above it is there. */
  async check(folder: string): Promise<void> {
    for (let at = folder; at !== '.' && !this.#seen.has(at); at = dirname(at)) {
      const device = await this.#deviceOf(join(this.#root, at))
      this.#device ??= await this.#deviceOf(this.#root)
      if (device !== undefined && device !== this.#device) {
        throw new HeadraceError('connector_uri_invalid', `"${join(this.#root, at)}" is on another file system`, {
          hint: 'let the path of the sink begin there: its folder and all below it must be on one file system',
        })
      }
      this.#seen.add(at)
    }
  }

  async #deviceOf(path: string): Promise<string | undefined> {
    try {
      return (await orAbsent(this.#files.facts(path)))?.device
    } catch (error) {
      throw fileError('open', `cannot look at "${path}"`, error)
    }
  }
}
