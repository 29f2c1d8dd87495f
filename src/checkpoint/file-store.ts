import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freshSeed } from '../core/random.ts'
import type { StateBytes } from '../core/state-bytes.ts'
import {
  makeFolder,
  NO_LINKS,
  orAbsent,
  type SystemFiles,
  syncDirectory,
  systemCode,
  systemFiles,
  writeSynced,
} from '../core/system-files.ts'
import { CheckpointError, fencedBy } from './error.ts'
import { fileName, incarnationOfTemp, LATEST, parseFileName, type Suffix, suffixes, tempName } from './file-names.ts'
import { type CheckpointStore, keepsHighest, type StoreEntry, type StoreOwner, storeFault } from './store.ts'

export interface FileStoreOptions {
  readonly files?: SystemFiles | undefined
  /** Text of letters and digits for temporary names. */
  readonly token?: (() => string) | undefined
}

/** Answers after which the kernel has made no name. */
const REFUSED = new Set(['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'ENOENT', ...NO_LINKS])

/** A snapshot that is written and synced under a temporary name. */
interface Staged {
  readonly id: bigint
  readonly temp: string
  readonly final: string
  readonly identity: string
}

/**
 * Snapshots as files in `<directory>/checkpoints/`: `<20-digit id>.ckpt`, `.done`, `.damaged`, and `LATEST`. A snapshot
 * is written under a temporary name, synced and linked to its id, which only one writer can do; where there are no hard
 * links, the id is reserved by an exclusively made `.claim` file. Other processes may write the same folder.
 */
export class FileStore implements CheckpointStore {
  readonly uri: string
  readonly persistent = true
  readonly #folder: string
  readonly #files: SystemFiles
  readonly #token: () => string
  /** Folders that hold a new name which is not durable yet. */
  readonly #unsynced = new Set<string>()
  #links: boolean | undefined

  constructor(directory: string, options: FileStoreOptions = {}) {
    this.#folder = resolve(directory, 'checkpoints')
    this.uri = pathToFileURL(directory).href
    this.#files = options.files ?? systemFiles
    this.#token = options.token ?? (() => freshSeed().toString(36))
  }

  #path(id: bigint, suffix: Suffix): string {
    return join(this.#folder, fileName(id, suffix))
  }

  #temp(id: bigint, owner: StoreOwner): string {
    return join(this.#folder, tempName(id, owner.incarnation, this.#token()))
  }

  async create(id: bigint, body: StateBytes, owner: StoreOwner): Promise<void> {
    const staged = await this.#stage(id, body, owner)
    try {
      if (this.#links === true) await this.#linkFinal(staged)
      else await this.#renameFinal(staged)
    } catch (error) {
      const fault = storeFault('publish', staged.final, error, 'unknown')
      // What may be the snapshot's only name is left to the sweep of the next claim.
      if (fault.outcome === 'absent') await this.#drop(staged.temp)
      throw fault
    }
    await this.#drop(staged.temp)
    await this.#settle(staged, owner)
  }

  /** Nothing of it can be seen: whatever fails here leaves no snapshot. */
  async #stage(id: bigint, body: StateBytes, owner: StoreOwner): Promise<Staged> {
    const final = this.#path(id, 'ckpt')
    try {
      await this.#prepare(owner)
      const foreign = (await this.list()).find((entry) => entry.id >= id || entry.id > owner.after)
      if (foreign !== undefined) throw fencedBy(foreign.id)
      const temp = this.#temp(id, owner)
      try {
        const identity = await writeSynced(this.#files, temp, body.chunks())
        return { id, temp, final, identity }
      } catch (error) {
        await this.#drop(temp)
        throw error
      }
    } catch (error) {
      throw storeFault('write', final, error, 'absent')
    }
  }

  async #linkFinal(staged: Staged): Promise<void> {
    try {
      await this.#files.link(staged.temp, staged.final)
    } catch (error) {
      await this.#readBack(staged, error)
    }
  }

  /** Without links: an exclusively made mark gives the right to the id, then the rename cannot hit anybody. */
  async #renameFinal(staged: Staged): Promise<void> {
    const mark = this.#path(staged.id, 'claim')
    try {
      await writeSynced(this.#files, mark, [])
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw fencedBy(staged.id)
      throw storeFault('make', mark, error, 'absent')
    }
    const taken = (await this.list()).find(({ id, snapshot }) => id > staged.id || (id === staged.id && snapshot))
    if (taken !== undefined) throw fencedBy(taken.id)
    try {
      await this.#files.rename(staged.temp, staged.final)
    } catch (error) {
      await this.#readBack(staged, error)
    }
  }

  /** A call that makes the snapshot visible failed: returns when it was made all the same, else throws what is known. */
  async #readBack(staged: Staged, cause: unknown): Promise<void> {
    const found = await orAbsent(this.#files.identity(staged.final))
    if (found === staged.identity) return
    if (found !== undefined) throw fencedBy(staged.id)
    const higher = (await this.list()).find(({ id }) => id > staged.id)
    if (higher !== undefined) throw fencedBy(higher.id)
    const refused = REFUSED.has(systemCode(cause) ?? '')
    throw storeFault('publish', staged.final, cause, refused ? 'absent' : 'unknown')
  }

  /** The name is there. It stays only if nobody has a higher one; then it is made durable. */
  async #settle(staged: Staged, owner: StoreOwner): Promise<void> {
    const { id, final } = staged
    try {
      const foreign = (await this.list()).filter((entry) => entry.id > owner.after && entry.id !== id)
      const higher = foreign.find((entry) => entry.id > id)
      if (higher !== undefined) {
        await this.#files.unlink(final)
        await syncDirectory(this.#files, this.#folder)
        throw fencedBy(higher.id)
      }
      // A claim below was made in the same moment; its owner has seen this one, or will be fenced by it.
      if (foreign[0] !== undefined) throw fencedBy(foreign[0].id, 'unknown')
      await syncDirectory(this.#files, this.#folder)
    } catch (error) {
      throw storeFault('make durable', final, error, 'unknown')
    }
  }

  async #drop(path: string): Promise<void> {
    // What stays is swept by the next claim.
    await this.#files.unlink(path).catch(() => {})
  }

  /** Makes the folder and finds out whether there are hard links; once, before the first snapshot. */
  async #prepare(owner: StoreOwner): Promise<void> {
    if (this.#links !== undefined) return
    await makeFolder(this.#files, this.#folder, { unsynced: this.#unsynced })
    await this.#syncParents()
    const [from, to] = [this.#temp(0n, owner), this.#temp(0n, owner)]
    await writeSynced(this.#files, from, [])
    try {
      await this.#files.link(from, to)
      this.#links = true
    } catch (error) {
      if (!NO_LINKS.has(systemCode(error) ?? '')) throw error
      this.#links = false
    } finally {
      await this.#drop(from)
      await this.#drop(to)
    }
  }

  /** Also of folders that were there: whoever made them may have died before this. */
  async #syncParents(): Promise<void> {
    const parent = dirname(this.#folder)
    for (const folder of new Set([parent, dirname(parent), ...this.#unsynced])) {
      try {
        await syncDirectory(this.#files, folder)
      } catch (error) {
        // A folder that may not be read holds no name of ours.
        if (systemCode(error) !== 'EACCES' || this.#unsynced.has(folder)) throw error
      }
      this.#unsynced.delete(folder)
    }
  }

  async get(id: bigint): Promise<Uint8Array | undefined> {
    const path = this.#path(id, 'ckpt')
    try {
      return await orAbsent(this.#files.read(path))
    } catch (error) {
      throw storeFault('read', path, error)
    }
  }

  async #names(): Promise<string[]> {
    try {
      return (await orAbsent(this.#files.readdir(this.#folder))) ?? []
    } catch (error) {
      throw storeFault('list', this.#folder, error)
    }
  }

  async list(): Promise<StoreEntry[]> {
    const found = new Map<bigint, Set<Suffix>>()
    for (const name of await this.#names()) {
      const parsed = parseFileName(name)
      if (parsed === undefined) continue
      const known = found.get(parsed.id)
      if (known === undefined) found.set(parsed.id, new Set([parsed.suffix]))
      else known.add(parsed.suffix)
    }
    return [...found]
      .map(([id, has]) => ({ id, snapshot: has.has('ckpt'), damaged: has.has('damaged'), done: has.has('done') }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async setLatest(id: bigint, owner: StoreOwner): Promise<void> {
    const path = join(this.#folder, LATEST)
    const temp = this.#temp(id, owner)
    try {
      const before = await this.latest()
      if (before !== undefined && before >= id) return
      await writeSynced(this.#files, temp, [Buffer.from(`${fileName(id, 'ckpt')}\n`)])
      await this.#files.rename(temp, path)
      await syncDirectory(this.#files, this.#folder)
    } catch (error) {
      await this.#drop(temp)
      throw storeFault('replace', path, error, 'unknown')
    }
  }

  async latest(): Promise<bigint | undefined> {
    const path = join(this.#folder, LATEST)
    try {
      const bytes = await orAbsent(this.#files.read(path))
      const name = bytes === undefined ? undefined : Buffer.from(bytes).toString().trimEnd()
      return name === undefined ? undefined : parseFileName(name)?.id
    } catch (error) {
      throw storeFault('read', path, error)
    }
  }

  async markDone(id: bigint): Promise<void> {
    const path = this.#path(id, 'done')
    try {
      const snapshot = await orAbsent(this.#files.identity(this.#path(id, 'ckpt')))
      if (snapshot === undefined) throw new CheckpointError('NoCheckpoint')
      await writeSynced(this.#files, path, []).catch((error: unknown) => {
        if (systemCode(error) !== 'EEXIST') throw error
      })
      // Also of a mark that is there: whoever made it may have failed here.
      await syncDirectory(this.#files, this.#folder)
    } catch (error) {
      throw storeFault('make', path, error)
    }
  }

  async isDone(id: bigint): Promise<boolean> {
    const path = this.#path(id, 'done')
    try {
      return (await orAbsent(this.#files.identity(path))) !== undefined
    } catch (error) {
      throw storeFault('read', path, error)
    }
  }

  async reject(id: bigint): Promise<void> {
    const path = this.#path(id, 'ckpt')
    try {
      await orAbsent(this.#files.rename(path, this.#path(id, 'damaged')))
      await syncDirectory(this.#files, this.#folder)
    } catch (error) {
      throw storeFault('put aside', path, error)
    }
  }

  async delete(id: bigint): Promise<void> {
    if (!(await this.list()).some((entry) => entry.id > id)) throw keepsHighest(id)
    const path = this.#path(id, 'ckpt')
    try {
      for (const suffix of suffixes) await orAbsent(this.#files.unlink(this.#path(id, suffix)))
      await syncDirectory(this.#files, this.#folder)
    } catch (error) {
      throw storeFault('remove', path, error)
    }
  }

  async sweep(incarnation: bigint): Promise<void> {
    for (const name of await this.#names()) {
      const made = incarnationOfTemp(name)
      if (made !== undefined && made < incarnation) await this.#drop(join(this.#folder, name))
    }
  }

  async close(): Promise<void> {}
}
