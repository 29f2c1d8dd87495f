import { dirname, join } from 'node:path'
import type { Batch } from '../../../core/batch.ts'
import { assert, HeadraceError } from '../../../core/errors.ts'
import {
  NO_LINKS,
  orAbsent,
  type SystemFiles,
  syncDirectory,
  systemCode,
  writeSynced,
} from '../../../core/system-files.ts'
import type { Health, Sink, SinkContext, SinkLedger, SinkReject } from '../../contract.ts'
import { fileError } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { EpochFiles, type SealedFile, type StagingPlace } from './epoch-files.ts'
import { type FilesToken, readToken, type StagedFile, writeToken } from './file-token.ts'
import { foldersOf, foreignFinals, refuseForeign, sweepStaged } from './folder-contents.ts'
import { TargetLedger } from './ledger.ts'
import { folderForm } from './output-form.ts'
import { folderOf, Partitions } from './partitions.ts'
import type { PathTemplate } from './path-template.ts'
import { noLinks, publish, removeStaged, unpublish } from './publish.ts'
import { gather, takeRows } from './row-runs.ts'
import { SameDevice } from './same-device.ts'
import { SpaceGuard } from './space-guard.ts'
import { finalName, type OutputOwner, stagedName } from './staged-names.ts'

const DONE: Promise<readonly SinkReject[]> = Promise.resolve([])

/** The one epoch of a run without checkpoints. */
const ONLY_EPOCH = 1n

export interface FolderTarget extends PathTemplate {
  readonly owner: OutputOwner
  /** Of the pipeline; where there are no checkpoints, of this run. */
  readonly lineage: string
}

/**
 * New files in a folder (rulings 13–15). Rows go to staged files in the root of the target: the one folder that is
 * swept, and that exists before there are rows; partitions appear with their first published file. A barrier closes and
 * syncs all of them; a commit links each to its final name and removes the staged one, under the target's ledger.
 */
export class NewFilesSink implements Sink {
  readonly #context: SinkContext
  readonly #options: FileOptions
  readonly #target: FolderTarget
  readonly #files: SystemFiles
  readonly #form: ReturnType<typeof folderForm>
  readonly #partitions: Partitions
  readonly #place: StagingPlace
  readonly #ledger: TargetLedger
  readonly #device: SameDevice
  #current: EpochFiles
  /** Epochs whose files this instance has prepared and not begun to commit. */
  readonly #prepared = new Map<bigint, EpochFiles>()
  /** Epochs whose commit this instance has begun and not ended. */
  readonly #begun = new Set<bigint>()
  #epoch = 0n
  #count = 0
  #failed: { readonly error: unknown } | undefined
  #sealed: readonly StagedFile[] | undefined

  constructor(context: SinkContext, target: FolderTarget, files: SystemFiles) {
    this.#context = context
    this.#target = target
    this.#files = files
    const options = context.options as FileOptions
    this.#options = options
    if (this.#writeMode === 'create') {
      refuseForeign(target.root, { pipeline: target.owner.pipeline, lineage: target.lineage })
    }
    this.#partitions = new Partitions(
      {
        parts: target.parts,
        timeZone: options.path_timezone,
        eventSpanMs: options.roll_clock === 'event' ? options.roll_interval : undefined,
      },
      context,
    )
    this.#form = folderForm(context)
    this.#device = new SameDevice(files, target.root)
    const { incarnation, clock, signal } = context
    this.#ledger = new TargetLedger(
      target.root,
      { owner: target.owner, lineage: target.lineage, incarnation },
      { clock, signal, files },
    )
    this.#place = {
      files,
      root: target.root,
      form: this.#form,
      rules: {
        bytes: options.roll_bytes,
        records: options.roll_records,
        wallMs: options.roll_clock === 'wall' ? options.roll_interval : undefined,
        idleMs: options.idle_close,
        openMax: options.open_files_max,
      },
      space: new SpaceGuard(files, target.root, options.min_free),
      clock,
      sync: this.#sync,
      nextName: () => this.#staged(++this.#count),
    }
    this.#current = new EpochFiles(this.#place)
  }

  get #sync(): boolean {
    return this.#options.fsync === 'commit'
  }

  get #writeMode(): 'append' | 'create' | 'overwrite' {
    return this.#options.write_mode ?? 'create'
  }

  /** The count never starts again, so no name is given twice. */
  #staged(n: number | string): string {
    const { lineage, incarnation } = this.#context
    // Runs without checkpoints are told apart by what they drew.
    const epoch = lineage === undefined ? BigInt(`0x${this.#target.lineage}`) : this.#epoch + 1n
    return stagedName(this.#target.owner, { incarnation, epoch, n })
  }

  write(batch: Batch): Promise<readonly SinkReject[]> {
    try {
      this.#throwFailed()
      const { partitions, rejects } = this.#partitions.of(batch)
      const bytes = this.#form.encoder.encode(batch)
      const only = partitions[0]
      if (partitions.length === 1 && rejects.length === 0 && this.#current.room(only!.key) >= batch.rows) {
        this.#current.append(only!.key, bytes, batch.rows)
        return DONE
      }
      const work = partitions.map(({ key, runs }) => ({ key, runs }))
      return this.#writeParts(work, bytes).then(
        () => rejects,
        (error: unknown) => this.#fail(error),
      )
    } catch (error) {
      this.#failed ??= { error }
      return Promise.reject(error)
    }
  }

  async #writeParts(work: readonly { key: string; runs: readonly number[] }[], bytes: Uint8Array): Promise<void> {
    const files = this.#current
    const { rowEnds } = this.#form.encoder
    for (const { key, runs } of work) {
      for (let left = runs; left.length > 0; ) {
        let room = files.room(key)
        if (room === 0) {
          await files.openFor(key)
          room = files.room(key)
        }
        const { taken, rows, rest } = takeRows(left, room)
        files.append(key, gather(bytes, rowEnds, taken), rows)
        left = rest
      }
    }
  }

  #fail(error: unknown): never {
    this.#failed ??= { error }
    throw error
  }

  #throwFailed(): void {
    if (this.#failed !== undefined) throw this.#failed.error
  }

  flush(): Promise<readonly SinkReject[]> {
    return DONE
  }

  async prepare(epoch: bigint, { last }: { readonly last: boolean }): Promise<Uint8Array> {
    this.#throwFailed()
    const files = this.#current
    this.#epoch = epoch
    this.#current = new EpochFiles(this.#place)
    this.#prepared.set(epoch, files)
    try {
      await this.#ledger.check()
      const staged = await this.#finalNames(await files.seal(), epoch)
      const listName = stagedName(this.#target.owner, { incarnation: this.#context.incarnation, epoch, n: 'list' })
      const token = await writeToken(this.#files, { files: staged, last }, { root: this.#target.root, listName })
      if (this.#sync && staged.length > 0) await syncDirectory(this.#files, this.#target.root)
      return token
    } catch (error) {
      const mapped = error instanceof HeadraceError ? error : fileError('open', 'cannot stage files', error)
      return this.#fail(mapped)
    }
  }

  async #finalNames(sealed: readonly SealedFile[], epoch: bigint): Promise<StagedFile[]> {
    const { owner, lineage } = this.#target
    const { name } = this.#options
    const staged = sealed.map(({ key, temp, length, inode }, i) => {
      const file = finalName(owner, { name, lineage, epoch, n: i + 1, extension: this.#form.extension })
      return { temp, length, final: join(folderOf(key, epoch), file), inode }
    })
    for (const folder of new Set(staged.map(({ final }) => dirname(final)))) await this.#device.check(folder)
    return staged
  }

  async commit(epoch: bigint, token: Uint8Array): Promise<readonly SinkReject[]> {
    const { root } = this.#target
    this.#prepared.delete(epoch)
    this.#begun.add(epoch)
    const list = await readToken(this.#files, root, token)
    const replaces = list?.last === true && this.#writeMode === 'overwrite'
    if (list !== undefined && list.files.length === 0 && !replaces) {
      this.#begun.delete(epoch)
      return []
    }
    if (await this.#ledger.begin(epoch)) {
      if (list === undefined) throw lostList(epoch)
      await publish(list.files, {
        files: this.#files,
        root,
        sync: this.#sync,
        alone: false,
        isDone: () => this.#ledger.isDone(epoch),
      })
      if (replaces) await this.#removeForeign()
      await this.#ledger.done(epoch)
    } else for (const { temp } of list?.files ?? []) await removeStaged(this.#files, join(root, temp))
    if (list?.list !== undefined) await removeStaged(this.#files, join(root, list.list))
    this.#begun.delete(epoch)
    return []
  }

  /** Files of other lineages go when all of the own ones are there, never before. */
  async #removeForeign(): Promise<void> {
    const { root, owner, lineage } = this.#target
    const old = [...foreignFinals(root, { pipeline: owner.pipeline, lineage, name: this.#options.name })]
    for (const path of old) await removeStaged(this.#files, path)
    if (!this.#sync) return
    for (const folder of foldersOf(old)) await this.#syncNames(folder)
  }

  async #syncNames(folder: string): Promise<void> {
    try {
      await syncDirectory(this.#files, folder)
    } catch (error) {
      throw fileError('open', `cannot sync "${folder}"`, error)
    }
  }

  /**
   * Rows written since belong to epochs that will not be either. What this instance began to commit is not touched:
   * another one may be publishing it.
   */
  async abort(epoch: bigint, token?: Uint8Array): Promise<void> {
    const { root, owner } = this.#target
    const dead = [...this.#prepared].filter(([other]) => other >= epoch)
    const all = [...dead.map(([, files]) => files), this.#current]
    this.#current = new EpochFiles(this.#place)
    for (const [other] of dead) this.#prepared.delete(other)
    for (const files of all) await this.#discard(files)
    const { incarnation } = this.#context
    for (const [other] of dead) {
      await removeStaged(this.#files, join(root, stagedName(owner, { incarnation, epoch: other, n: 'list' })))
    }
    if (token === undefined || this.#begun.has(epoch)) return
    const named = await readToken(this.#files, root, token)
    for (const { temp } of named?.files ?? []) await removeStaged(this.#files, join(root, temp))
    if (named?.list !== undefined) await removeStaged(this.#files, join(root, named.list))
  }

  async #discard(files: EpochFiles): Promise<void> {
    await files.release()
    for (const name of files.names()) await removeStaged(this.#files, join(this.#target.root, name))
  }

  async ledger(incarnation: bigint): Promise<SinkLedger | undefined> {
    const held = await this.#ledger.claim(incarnation)
    await this.#probeLinks(incarnation)
    return held
  }

  /** Without hard links nothing could be published: that is told before there are rows. */
  async #probeLinks(incarnation: bigint): Promise<void> {
    const { root, owner } = this.#target
    const [from, to] = [0, 1].map((n) => join(root, stagedName(owner, { incarnation, epoch: 0n, n })))
    try {
      for (const path of [from!, to!]) await orAbsent(this.#files.unlink(path))
      await writeSynced(this.#files, from!, [])
      await this.#files.link(from!, to!)
      for (const path of [from!, to!]) await orAbsent(this.#files.unlink(path))
    } catch (error) {
      if (NO_LINKS.has(systemCode(error) ?? '')) throw noLinks(root, error)
      throw fileError('open', `cannot write "${root}"`, error)
    }
  }

  async restore(epoch: bigint, token: Uint8Array | undefined): Promise<void> {
    const { root, owner } = this.#target
    const { incarnation } = this.#context
    const kept: FilesToken | undefined = token === undefined ? undefined : await readToken(this.#files, root, token)
    const named = new Set(kept === undefined ? [] : [...kept.files.map(({ temp }) => temp), kept.list ?? ''])
    await this.#current.release()
    this.#current = new EpochFiles(this.#place)
    this.#epoch = epoch
    this.#failed = undefined
    await sweepStaged(this.#files, root, {
      owner,
      goes: (staged, name) =>
        !named.has(name) &&
        // What other writers of this instance stage is theirs.
        (staged.incarnation < incarnation || (staged.incarnation === incarnation && staged.writer === owner.writer)),
    })
  }

  async forget(): Promise<void> {
    await this.#ledger.remove()
  }

  /** Without checkpoints all rows are one epoch. */
  async seal(): Promise<void> {
    this.#throwFailed()
    const sealed = await this.#current.seal()
    this.#sealed = await this.#finalNames(sealed, ONLY_EPOCH)
    if (this.#sync && sealed.length > 0) await this.#syncNames(this.#target.root)
  }

  async finish(complete: boolean): Promise<boolean> {
    if (!complete && this.#context.bounded) return false
    // An endless run ends by being stopped; what it wrote counts.
    if (this.#sealed === undefined) await this.seal()
    const staged = this.#sealed
    assert(staged !== undefined, 'files are sealed before they are published')
    const isDone = async (): Promise<boolean> => false
    const place = { files: this.#files, root: this.#target.root, sync: this.#sync, alone: true, isDone }
    try {
      await publish(staged, place)
    } catch (error) {
      await unpublish(staged, place)
      throw error
    }
    if (this.#writeMode === 'overwrite') await this.#removeForeign()
    return true
  }

  health(): Promise<Health> {
    return this.#place.space.health()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#context.lineage === undefined) await this.#discard(this.#current).catch(() => {})
    else await this.#current.release()
    for (const files of this.#prepared.values()) await files.release()
    this.#form.encoder[Symbol.dispose]()
  }
}

const lostList = (epoch: bigint): HeadraceError =>
  new HeadraceError('connector_commit_ambiguous', `the list of the staged files of epoch ${epoch} is gone`, {
    hint: 'look which of its files were published; then resolve the epoch as committed or absent',
  })
