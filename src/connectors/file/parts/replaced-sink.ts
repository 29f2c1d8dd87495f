import { basename, dirname, join } from 'node:path'
import type { Batch } from '../../../core/batch.ts'
import { assert, HeadraceError } from '../../../core/errors.ts'
import { orAbsent, type SystemFile, type SystemFiles, syncDirectory } from '../../../core/system-files.ts'
import type { Health, Sink, SinkContext, SinkLedger, SinkReject } from '../../contract.ts'
import { fileError } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { sweepStaged } from './folder-contents.ts'
import { TargetLedger } from './ledger.ts'
import { type OutputForm, plainForm } from './output-form.ts'
import { publish } from './publish.ts'
import { SpaceGuard } from './space-guard.ts'
import { type OutputOwner, stagedName } from './staged-names.ts'
import { type Target, takePath } from './target.ts'

const DONE: Promise<readonly SinkReject[]> = Promise.resolve([])

/** The rows of all epochs so far. */
interface ReplacedToken {
  readonly format: 1
  readonly temp: string
  readonly length: number
  readonly inode: string
  /** All input was read: the file goes to its place. */
  readonly last: boolean
}

/** Bytes copied at once. */
const COPY_BYTES = 1024 * 1024

/**
 * One plain path, replaced once by the result of a query that ends (rulings 16, 67), with checkpoints: the staged file
 * grows over all epochs and is renamed over the target by the commit of the last one. A restarted instance goes on in a
 * copy: whoever was stopped before may still hold the old file open.
 */
export class ReplacedSink implements Sink {
  readonly replaces = true
  readonly #context: SinkContext
  readonly #options: FileOptions
  readonly #path: string
  readonly #folder: string
  /** Rights of the file that is replaced. */
  readonly #mode: number | undefined
  readonly #owner: OutputOwner
  readonly #files: SystemFiles
  readonly #form: OutputForm
  readonly #ledger: TargetLedger
  readonly #space: SpaceGuard
  readonly #release: () => void
  #file: { readonly handle: SystemFile; readonly temp: string; readonly inode: string } | undefined
  #length = 0
  #count = 0
  /** The staged name is not durable yet. */
  #isNew = false
  /** Named by the newest committed token. */
  #kept: string | undefined
  /** Earlier staged files may be there. */
  #untidy = false
  #failed: { readonly error: unknown } | undefined

  constructor(context: SinkContext, target: Target, files: SystemFiles) {
    this.#context = context
    this.#options = context.options as FileOptions
    this.#path = target.path
    this.#folder = dirname(target.path)
    this.#mode = target.stat?.mode
    this.#files = files
    this.#owner = { pipeline: context.pipeline ?? 'query', part: context.part, writer: context.writer }
    const { incarnation, lineage = '', clock, signal } = context
    this.#ledger = new TargetLedger(
      this.#folder,
      { owner: this.#owner, lineage, incarnation },
      { clock, signal, files },
    )
    this.#space = new SpaceGuard(files, this.#folder, this.#options.min_free)
    this.#form = plainForm(target.path, context)
    this.#release = takePath(context, target.path)
  }

  /** What is there was not put there by this lineage: `write_mode = 'create'` leaves it. */
  async refuseExisting(): Promise<void> {
    if (this.#options.write_mode !== 'create' || this.#mode === undefined || (await this.#ledger.hasBegun())) return
    throw new HeadraceError('target_exists', `"${this.#path}" exists`, {
      hint: "write_mode = 'overwrite' replaces it, write_mode = 'append' adds to it",
    })
  }

  get #sync(): boolean {
    return this.#options.fsync === 'commit'
  }

  write(batch: Batch): Promise<readonly SinkReject[]> {
    try {
      this.#throwFailed()
      this.#append(this.#form.pack(this.#form.encoder.encode(batch)))
      return DONE
    } catch (error) {
      this.#failed ??= { error }
      return Promise.reject(error)
    }
  }

  #append(packed: Uint8Array): void {
    assert(this.#file !== undefined, 'a sink is restored before it is written')
    this.#space.take(packed.length)
    try {
      this.#file.handle.append(packed)
    } catch (error) {
      throw fileError('open', `cannot write "${this.#path}"`, error)
    }
    this.#length += packed.length
  }

  #throwFailed(): void {
    if (this.#failed !== undefined) throw this.#failed.error
  }

  flush(): Promise<readonly SinkReject[]> {
    return DONE
  }

  async prepare(_epoch: bigint, { last }: { readonly last: boolean }): Promise<Uint8Array> {
    this.#throwFailed()
    const file = this.#file
    assert(file !== undefined, 'a sink is restored before a barrier')
    const isNew = this.#isNew
    this.#isNew = false
    try {
      // No rows still make one compressed member: an empty file is no gzip.
      if (last && this.#length === 0) this.#append(this.#form.pack(new Uint8Array(0)))
      const length = this.#length
      await this.#ledger.check()
      if (this.#sync) await file.handle.sync()
      if (last) {
        this.#file = undefined
        await file.handle.close()
      }
      if (this.#sync && isNew) await syncDirectory(this.#files, this.#folder)
      const { temp, inode } = file
      return Buffer.from(JSON.stringify({ format: 1, temp, length, inode, last } satisfies ReplacedToken))
    } catch (error) {
      const mapped = error instanceof HeadraceError ? error : fileError('open', `cannot write "${this.#path}"`, error)
      this.#failed ??= { error: mapped }
      throw mapped
    }
  }

  async commit(epoch: bigint, bytes: Uint8Array): Promise<readonly SinkReject[]> {
    const token = parseToken(bytes)
    if (token.last && (await this.#ledger.begin(epoch))) {
      await this.#publish(epoch, token)
      await this.#ledger.done(epoch)
    }
    this.#kept = token.temp
    // What instances before this one left is needed no longer.
    if (this.#untidy) await this.#sweep(token.temp)
    this.#untidy = false
    return []
  }

  async #publish(epoch: bigint, token: ReplacedToken): Promise<void> {
    const isDone = (): Promise<boolean> => this.#ledger.isDone(epoch)
    const staged = { temp: token.temp, length: token.length, inode: token.inode, final: basename(this.#path) }
    const place = { files: this.#files, root: this.#folder, sync: this.#sync, alone: false, isDone }
    if (this.#options.write_mode === 'create') return await publish([staged], place)
    try {
      const temp = join(this.#folder, token.temp)
      const found = await orAbsent(this.#files.facts(temp))
      if (found !== undefined && (found.inode !== token.inode || found.size !== token.length)) throw changed(temp)
      // Whoever has renamed it meanwhile has taken the name away: this cannot hit what came after.
      if (found !== undefined) await orAbsent(this.#files.rename(temp, this.#path))
    } catch (error) {
      if (error instanceof HeadraceError) throw error
      if ((await this.#inodeOfTarget()) !== token.inode) {
        throw fileError('open', `cannot publish "${this.#path}"`, error)
      }
    }
    if ((await this.#inodeOfTarget()) !== token.inode && !(await isDone())) throw neither(this.#path)
    if (this.#sync) await this.#syncFolder()
  }

  async #inodeOfTarget(): Promise<string | undefined> {
    try {
      return (await orAbsent(this.#files.facts(this.#path)))?.inode
    } catch (error) {
      throw fileError('open', `cannot look at "${this.#path}"`, error)
    }
  }

  async #syncFolder(): Promise<void> {
    try {
      await syncDirectory(this.#files, this.#folder)
    } catch (error) {
      throw fileError('open', `cannot sync "${this.#folder}"`, error)
    }
  }

  /** Removes what this pipeline and sink has staged, but the own file and `kept`. */
  async #sweep(kept: string | undefined): Promise<void> {
    await sweepStaged(this.#files, this.#folder, {
      owner: this.#owner,
      goes: (staged, name) =>
        staged.incarnation <= this.#context.incarnation && name !== kept && name !== this.#file?.temp,
    })
  }

  async abort(): Promise<void> {
    await this.#close()
    await this.#sweep(this.#kept)
  }

  async ledger(incarnation: bigint): Promise<SinkLedger | undefined> {
    return await this.#ledger.claim(incarnation)
  }

  async restore(epoch: bigint, bytes: Uint8Array | undefined): Promise<void> {
    await this.#close()
    this.#failed = undefined
    const token = bytes === undefined ? undefined : parseToken(bytes)
    this.#kept = token?.temp
    await this.#sweep(this.#kept)
    if (token?.last === true) return
    try {
      await this.#begin(epoch, token)
    } catch (error) {
      throw error instanceof HeadraceError ? error : fileError('open', `cannot write "${this.#path}"`, error)
    }
  }

  /** Makes the staged file of this instance; it begins with what the token names. */
  async #begin(epoch: bigint, token: ReplacedToken | undefined): Promise<void> {
    const { incarnation } = this.#context
    const temp = stagedName(this.#owner, { incarnation, epoch, n: ++this.#count })
    const old = token === undefined ? undefined : await this.#openStaged(token)
    try {
      const handle = await this.#files.open(join(this.#folder, temp), 'wx', 0o666)
      this.#file = { handle, temp, inode: (await handle.facts()).inode }
      this.#length = 0
      this.#isNew = true
      this.#space.look()
      if (this.#mode !== undefined) await handle.chmod(this.#mode & 0o7777)
      if (token === undefined) return this.#form.header.length > 0 ? this.#append(this.#form.header) : undefined
      await this.#copy(old!, token.length)
      this.#untidy = true
    } finally {
      await old?.close()
    }
  }

  async #openStaged({ temp, length, inode }: ReplacedToken): Promise<SystemFile> {
    const path = join(this.#folder, temp)
    const old = await orAbsent(this.#files.open(path, 'r'))
    if (old === undefined) throw gone(path)
    const found = await old.facts()
    if (found.inode === inode && found.size >= length) return old
    await old.close()
    throw gone(path)
  }

  async #copy(old: SystemFile, length: number): Promise<void> {
    for (let at = 0; at < length; ) {
      const piece = await old.read(at, Math.min(COPY_BYTES, length - at))
      assert(piece.length > 0, 'a staged file holds what its token says')
      this.#space.take(piece.length)
      await this.#file!.handle.write(piece)
      at += piece.length
      this.#length += piece.length
    }
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.handle.close().catch(() => {})
  }

  /** A replaced path has no epochs that a later run could add to. */
  async forget(): Promise<void> {
    await this.#ledger.remove()
  }

  health(): Promise<Health> {
    return this.#space.health()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What is staged stays: a snapshot may name it.
    await this.#close()
    this.#release()
    this.#form.encoder[Symbol.dispose]()
  }
}

function parseToken(bytes: Uint8Array): ReplacedToken {
  try {
    const token = JSON.parse(Buffer.from(bytes).toString()) as Partial<ReplacedToken>
    if (token.format === 1 && typeof token.temp === 'string') return token as ReplacedToken
  } catch {
    // Told below.
  }
  throw new HeadraceError('connector_commit_ambiguous', 'the token of the file sink cannot be read', {
    hint: 'it is of a newer version, or the options of the sink were changed',
  })
}

const gone = (path: string): HeadraceError =>
  new HeadraceError('connector_commit_ambiguous', `the staged file "${path}" is gone or not what was written`, {
    hint: 'put it back, or start anew without the state of this pipeline',
  })

const changed = (temp: string): HeadraceError =>
  new HeadraceError('connector_commit_ambiguous', `the staged file "${temp}" is not what was written`, {
    hint: 'somebody changed it; put it back, or resolve the epoch by hand',
  })

const neither = (path: string): HeadraceError =>
  new HeadraceError('connector_commit_ambiguous', `the result is neither staged nor at "${path}"`, {
    hint: 'look whether it was published and taken away; then resolve the epoch as committed or absent',
  })
