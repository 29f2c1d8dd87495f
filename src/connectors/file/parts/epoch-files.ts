import { join } from 'node:path'
import type { Clock } from '../../../core/clock.ts'
import { inParallel } from '../../../core/in-parallel.ts'
import type { SystemFile, SystemFiles } from '../../../core/system-files.ts'
import { fileError } from '../client.ts'
import type { OutputForm } from './output-form.ts'
import type { SpaceGuard } from './space-guard.ts'

/** When a file ends and the next of its partition begins. */
export interface RollRules {
  readonly bytes: number
  readonly records: number | undefined
  readonly wallMs: number | undefined
  readonly idleMs: number
  readonly openMax: number
}

/** What all epochs of one sink have in common. */
export interface StagingPlace {
  readonly files: SystemFiles
  readonly root: string
  readonly form: OutputForm
  readonly rules: RollRules
  readonly space: SpaceGuard
  readonly clock: Clock
  readonly sync: boolean
  /** A staged name that was never given before. */
  readonly nextName: () => string
}

/** A staged file that is closed. */
export interface SealedFile {
  readonly key: string
  readonly temp: string
  length: number
  inode: string
}

interface OpenFile {
  readonly file: SystemFile
  readonly record: SealedFile
  bytes: number
  rows: number
  readonly openedMs: number
  usedMs: number
}

/** Files that are being closed at once. */
const CLOSING_MAX = 16
/** How often files without rows are looked for. */
const IDLE_LOOK_MS = 1000

/** The files that one epoch writes: at most one open per partition, the one used longest ago is closed first. */
export class EpochFiles {
  readonly #place: StagingPlace
  /** In the order of their last use. */
  readonly #open = new Map<string, OpenFile>()
  readonly #closing = new Set<Promise<void>>()
  readonly #all: SealedFile[] = []
  #failed: { readonly error: unknown } | undefined
  #lookedMs = 0

  constructor(place: StagingPlace) {
    this.#place = place
    place.space.look()
  }

  /** Rows that the partition's open file still takes; 0 when a file must be opened first. */
  room(key: string): number {
    const open = this.#open.get(key)
    if (open === undefined || this.#isFull(open)) return 0
    const { records } = this.#place.rules
    return records === undefined ? Number.POSITIVE_INFINITY : records - open.rows
  }

  #isFull(open: OpenFile): boolean {
    const { bytes, records, wallMs } = this.#place.rules
    return (
      open.bytes >= bytes ||
      (records !== undefined && open.rows >= records) ||
      (wallMs !== undefined && this.#place.clock.elapsedMs() - open.openedMs >= wallMs)
    )
  }

  /** Puts rows into the partition's open file, which has room for them. */
  append(key: string, bytes: Uint8Array, rows: number): void {
    const open = this.#open.get(key)!
    if (this.#open.size > 1) {
      this.#open.delete(key)
      this.#open.set(key, open)
    }
    open.usedMs = this.#place.clock.elapsedMs()
    this.#write(open, this.#place.form.pack(bytes))
    open.rows += rows
  }

  #write(open: OpenFile, packed: Uint8Array): void {
    this.#place.space.take(packed.length)
    try {
      open.file.append(packed)
    } catch (error) {
      throw fileError('open', `cannot write "${join(this.#place.root, open.record.temp)}"`, error)
    }
    open.bytes += packed.length
  }

  /** Makes a file of the partition the open one. */
  async openFor(key: string): Promise<void> {
    const { files, root, form, rules, clock, nextName, space } = this.#place
    const before = this.#open.get(key)
    if (before !== undefined) this.#startClosing(key, before)
    this.#closeIdle()
    while (this.#open.size >= rules.openMax) {
      const [oldest, open] = this.#open.entries().next().value!
      this.#startClosing(oldest, open)
    }
    while (this.#closing.size >= CLOSING_MAX) await Promise.race(this.#closing)
    this.#throwFailed()
    space.take(form.header.length)
    const temp = nextName()
    const now = clock.elapsedMs()
    const record = { key, temp, length: 0, inode: '' }
    // Named before it is there, so that whatever happens it is removed.
    this.#all.push(record)
    try {
      const file = await files.open(join(root, temp), 'wx', 0o666)
      const open = { file, record, bytes: 0, rows: 0, openedMs: now, usedMs: now }
      this.#open.set(key, open)
      if (form.header.length > 0) file.append(form.header)
      open.bytes = form.header.length
    } catch (error) {
      throw fileError('open', `cannot write "${join(root, temp)}"`, error)
    }
  }

  #closeIdle(): void {
    const now = this.#place.clock.elapsedMs()
    if (now - this.#lookedMs < IDLE_LOOK_MS) return
    this.#lookedMs = now
    for (const [key, open] of this.#open) {
      if (now - open.usedMs < this.#place.rules.idleMs) break
      this.#startClosing(key, open)
    }
  }

  #startClosing(key: string, open: OpenFile): void {
    this.#open.delete(key)
    const task = this.#close(open).catch((error: unknown) => {
      this.#failed ??= { error }
    })
    this.#closing.add(task)
    void task.then(() => this.#closing.delete(task))
  }

  /** Synced once; whatever fails, the handle is closed and not used again. */
  async #close({ file, record, bytes }: OpenFile): Promise<void> {
    try {
      try {
        record.inode = (await file.facts()).inode
        record.length = bytes
        if (this.#place.sync) await file.sync()
      } catch (error) {
        await file.close().catch(() => {})
        throw error
      }
      await file.close()
    } catch (error) {
      throw fileError('open', `cannot sync "${join(this.#place.root, record.temp)}"`, error)
    }
  }

  #throwFailed(): void {
    if (this.#failed !== undefined) throw this.#failed.error
  }

  /** No row follows: every file is synced and closed. In the order in which they were begun. */
  async seal(): Promise<readonly SealedFile[]> {
    const open = [...this.#open.values()]
    this.#open.clear()
    // All of them, also behind one that fails.
    await inParallel(open, CLOSING_MAX, (one) =>
      this.#close(one).catch((error: unknown) => {
        this.#failed ??= { error }
      }),
    )
    await Promise.all(this.#closing)
    this.#throwFailed()
    return this.#all
  }

  /** Names of all that was staged. */
  names(): readonly string[] {
    return this.#all.map(({ temp }) => temp)
  }

  /** Lets the handles go; what is on the disk stays. */
  async release(): Promise<void> {
    const open = [...this.#open.values()]
    this.#open.clear()
    for (const { file } of open) await file.close().catch(() => {})
    await Promise.all(this.#closing)
  }
}
