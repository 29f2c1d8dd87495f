import type { StoreFile, StoreFiles } from '../checkpoint/store-files.ts'
import { systemFiles } from '../checkpoint/store-files.ts'

export type StoreCall = keyof StoreFiles | Exclude<keyof StoreFile, 'identity'> | 'fstat'

/** The n-th call of a kind fails, with or without having had its effect. */
export interface PlannedFault {
  readonly call: StoreCall
  /** 1-based. */
  readonly nth: number
  readonly code: string
  readonly when: 'before' | 'after'
}

/**
 * System calls that count, are written down (`trace`: call and file names), and fail as planned. A handle that is used
 * again after it failed, other than closed once, is a broken rule of the store.
 */
export class FaultyFiles implements StoreFiles {
  readonly trace: string[] = []
  readonly broken: string[] = []
  /** Handles opened and not closed. */
  openHandles = 0
  hits = 0
  readonly #plan: PlannedFault | undefined
  readonly #counts = new Map<StoreCall, number>()

  constructor(plan?: PlannedFault) {
    this.#plan = plan
  }

  async #call<T>(call: StoreCall, paths: readonly string[], task: () => Promise<T>): Promise<T> {
    const count = (this.#counts.get(call) ?? 0) + 1
    this.#counts.set(call, count)
    this.trace.push([call, ...paths.map((path) => path.split('/').at(-1))].join(' '))
    const plan = this.#plan
    const hit = plan !== undefined && plan.call === call && plan.nth === count
    if (!hit) return task()
    this.hits++
    if (plan.when === 'after') await task()
    throw Object.assign(new Error(`${plan.code}: planned`), { code: plan.code })
  }

  async open(path: string, flags: 'wx' | 'r'): Promise<StoreFile> {
    let opened: StoreFile | undefined
    try {
      await this.#call('open', [path], async () => {
        opened = await systemFiles.open(path, flags)
      })
    } catch (error) {
      await opened?.close()
      throw error
    }
    this.openHandles++
    return this.#watched(path, opened!)
  }

  #watched(path: string, file: StoreFile): StoreFile {
    let state: 'good' | 'failed' | 'closed' = 'good'
    const use = async <T>(call: StoreCall, task: () => Promise<T>): Promise<T> => {
      if (state === 'closed' || (state === 'failed' && call !== 'close')) this.broken.push(`${call} after ${state}`)
      try {
        return await this.#call(call, [path], task)
      } catch (error) {
        state = 'failed'
        throw error
      }
    }
    return {
      write: (bytes) => use('write', () => file.write(bytes)),
      sync: () => use('sync', () => file.sync()),
      identity: () => use('fstat', () => file.identity()),
      close: async () => {
        this.openHandles--
        // A close that fails has closed all the same.
        await file.close()
        const closing = use('close', async () => {})
        state = 'closed'
        await closing.finally(() => {
          state = 'closed'
        })
      },
    }
  }

  link(from: string, to: string): Promise<void> {
    return this.#call('link', [from, to], () => systemFiles.link(from, to))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', [from, to], () => systemFiles.rename(from, to))
  }

  unlink(path: string): Promise<void> {
    return this.#call('unlink', [path], () => systemFiles.unlink(path))
  }

  readdir(path: string): Promise<string[]> {
    return this.#call('readdir', [path], () => systemFiles.readdir(path))
  }

  read(path: string): Promise<Uint8Array> {
    return this.#call('read', [path], () => systemFiles.read(path))
  }

  identity(path: string): Promise<string> {
    return this.#call('identity', [path], () => systemFiles.identity(path))
  }

  mkdir(path: string): Promise<void> {
    return this.#call('mkdir', [path], () => systemFiles.mkdir(path))
  }
}
