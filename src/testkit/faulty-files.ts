import type { FileFacts, OpenFlags, SystemFile, SystemFiles } from '../core/system-files.ts'
import { systemFiles } from '../core/system-files.ts'

export type FileCall = keyof SystemFiles | Exclude<keyof SystemFile, 'identity' | 'facts'> | 'fstat'

/** The n-th call of a kind fails, with or without having had its effect. */
export interface PlannedFault {
  readonly call: FileCall
  /** 1-based. */
  readonly nth: number
  readonly code: string
  readonly when: 'before' | 'after'
}

/**
 * System calls that count, are written down (`trace`: call and file names), and fail as planned. A handle that is used
 * again after it failed, other than closed once, is a broken rule.
 */
export class FaultyFiles implements SystemFiles {
  readonly trace: string[] = []
  readonly broken: string[] = []
  /** Handles opened and not closed. */
  openHandles = 0
  hits = 0
  readonly #plan: PlannedFault | undefined
  readonly #counts = new Map<FileCall, number>()

  constructor(plan?: PlannedFault) {
    this.#plan = plan
  }

  /** Counts the call; gives the plan when it is this one that fails. */
  #planned(call: FileCall, paths: readonly string[]): PlannedFault | undefined {
    const count = (this.#counts.get(call) ?? 0) + 1
    this.#counts.set(call, count)
    this.trace.push([call, ...paths.map((path) => path.split('/').at(-1))].join(' '))
    const plan = this.#plan
    if (plan === undefined || plan.call !== call || plan.nth !== count) return undefined
    this.hits++
    return plan
  }

  async #call<T>(call: FileCall, paths: readonly string[], task: () => Promise<T>): Promise<T> {
    const plan = this.#planned(call, paths)
    if (plan === undefined) return task()
    if (plan.when === 'after') await task()
    throw faultOf(plan)
  }

  #callNow<T>(call: FileCall, paths: readonly string[], task: () => T): T {
    const plan = this.#planned(call, paths)
    if (plan === undefined) return task()
    if (plan.when === 'after') task()
    throw faultOf(plan)
  }

  async open(path: string, flags: OpenFlags, mode?: number): Promise<SystemFile> {
    let opened: SystemFile | undefined
    try {
      await this.#call('open', [path], async () => {
        opened = await systemFiles.open(path, flags, mode)
      })
    } catch (error) {
      await opened?.close()
      throw error
    }
    this.openHandles++
    return this.#watched(path, opened!)
  }

  #watched(path: string, file: SystemFile): SystemFile {
    let state: 'good' | 'failed' | 'closed' = 'good'
    const look = (call: FileCall): void => {
      if (state === 'closed' || (state === 'failed' && call !== 'close')) this.broken.push(`${call} after ${state}`)
    }
    const use = async <T>(call: FileCall, task: () => Promise<T>): Promise<T> => {
      look(call)
      try {
        return await this.#call(call, [path], task)
      } catch (error) {
        state = 'failed'
        throw error
      }
    }
    return {
      write: (bytes) => use('write', () => file.write(bytes)),
      append: (bytes) => {
        look('append')
        try {
          this.#callNow('append', [path], () => file.append(bytes))
        } catch (error) {
          state = 'failed'
          throw error
        }
      },
      read: (offset, length) => use('read', () => file.read(offset, length)),
      truncate: (length) => use('truncate', () => file.truncate(length)),
      chmod: (rights) => use('chmod', () => file.chmod(rights)),
      sync: () => use('sync', () => file.sync()),
      identity: () => use('fstat', () => file.identity()),
      facts: () => use('fstat', () => file.facts()),
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

  facts(path: string): Promise<FileFacts> {
    return this.#call('facts', [path], () => systemFiles.facts(path))
  }

  mkdir(path: string, mode?: number): Promise<void> {
    return this.#call('mkdir', [path], () => systemFiles.mkdir(path, mode))
  }

  freeBytes(path: string): number {
    return this.#callNow('freeBytes', [path], () => systemFiles.freeBytes(path))
  }
}

const faultOf = ({ code }: PlannedFault): Error => Object.assign(new Error(`${code}: planned`), { code })
