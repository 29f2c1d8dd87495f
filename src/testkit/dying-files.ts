import type { FileFacts, OpenFlags, SystemFile, SystemFiles } from '../core/system-files.ts'
import { systemFiles } from '../core/system-files.ts'

/** Thrown by every system call of a process that has died. */
export class Died extends Error {}

/** The process dies at its n-th call (1-based), before the call or after its effect. */
export interface Death {
  readonly at: number
  readonly when: 'before' | 'after'
}

/** System calls of a process that dies at one of them: that one and all later ones have no answer. */
export class DyingFiles implements SystemFiles {
  readonly trace: string[] = []
  calls = 0
  dead = false
  readonly #death: Death | undefined
  readonly #open = new Set<SystemFile>()
  /** Waits before the call of that text (`link a b`), as a stopped process does. */
  readonly stops = new Map<RegExp, Promise<void>>()

  constructor(death?: Death) {
    this.#death = death
  }

  /** True when the call has its effect and no answer. */
  #enter(call: string, paths: readonly string[]): boolean {
    if (this.dead) throw new Died(call)
    this.calls++
    this.trace.push([call, ...paths.map((path) => path.split('/').at(-1))].join(' '))
    if (this.calls !== this.#death?.at) return false
    this.dead = true
    if (this.#death.when === 'before') throw new Died(call)
    return true
  }

  async #call<T>(call: string, paths: readonly string[], task: () => Promise<T>): Promise<T> {
    const dies = this.#enter(call, paths)
    const text = this.trace.at(-1)!
    for (const [pattern, stop] of this.stops) if (pattern.test(text)) await stop
    const result = await task()
    if (dies) throw new Died(call)
    return result
  }

  #callNow<T>(call: string, path: string, task: () => T): T {
    const dies = this.#enter(call, [path])
    const result = task()
    if (dies) throw new Died(call)
    return result
  }

  async open(path: string, flags: OpenFlags, mode?: number): Promise<SystemFile> {
    return await this.#call('open', [path], async () => {
      const file = await systemFiles.open(path, flags, mode)
      this.#open.add(file)
      return this.#watched(path, file)
    })
  }

  #watched(path: string, file: SystemFile): SystemFile {
    return {
      write: (bytes) => this.#call('write', [path], () => file.write(bytes)),
      append: (bytes) => this.#callNow('append', path, () => file.append(bytes)),
      read: (offset, length) => this.#call('read', [path], () => file.read(offset, length)),
      truncate: (length) => this.#call('truncate', [path], () => file.truncate(length)),
      chmod: (mode) => this.#call('chmod', [path], () => file.chmod(mode)),
      sync: () => this.#call('sync', [path], () => file.sync()),
      identity: () => this.#call('fstat', [path], () => file.identity()),
      facts: () => this.#call('fstat', [path], () => file.facts()),
      close: () =>
        this.#call('close', [path], async () => {
          this.#open.delete(file)
          await file.close()
        }),
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
    return this.#callNow('freeBytes', path, () => systemFiles.freeBytes(path))
  }

  /** What the system does with the handles of a process that has died. */
  async bury(): Promise<void> {
    for (const file of this.#open) await file.close()
    this.#open.clear()
  }
}
