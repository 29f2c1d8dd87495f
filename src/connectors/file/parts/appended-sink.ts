import { basename, dirname, join } from 'node:path'
import type { Batch } from '../../../core/batch.ts'
import { assert, HeadraceError } from '../../../core/errors.ts'
import {
  type FileFacts,
  makeFolder,
  orAbsent,
  type SystemFile,
  type SystemFiles,
  syncDirectory,
  systemCode,
} from '../../../core/system-files.ts'
import type { Health, Sink, SinkContext, SinkLedger, SinkReject } from '../../contract.ts'
import { fileError } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { sweepStaged } from './folder-contents.ts'
import { type LedgerBase, TargetLedger } from './ledger.ts'
import { type OutputForm, plainForm } from './output-form.ts'
import { SpaceGuard } from './space-guard.ts'
import { type Target, takePath } from './target.ts'
import { lockTarget, type TargetLock } from './target-lock.ts'

const DONE: Promise<readonly SinkReject[]> = Promise.resolve([])

/** Where the file ended at a barrier. */
type AppendedToken = LedgerBase & { readonly format: 1 }

/**
 * One plain path that grows (rulings 16), behind a lock that one process holds from opening to closing. A barrier syncs
 * and records the length; a restart cuts what is behind it. Readers can see rows of an epoch that is not committed.
 * Where the file ended before the first epoch is kept in the ledger. Without checkpoints a query that ends and fails
 * takes its rows back.
 */
export class AppendedSink implements Sink {
  readonly #context: SinkContext
  readonly #options: FileOptions
  readonly #path: string
  readonly #files: SystemFiles
  readonly #form: OutputForm
  readonly #ledger: TargetLedger
  readonly #space: SpaceGuard
  readonly #release: () => void
  #lock: TargetLock | undefined
  #file: SystemFile | undefined
  #inode = ''
  #length = 0
  /** Where the last committed epoch ends. */
  #committed: number | undefined
  #failed: { readonly error: unknown } | undefined
  /** Nobody goes on behind it. */
  #isOver = false
  /** Without checkpoints: where the file ended before; undefined once the rows are to stay. */
  #before: number | undefined

  private constructor(context: SinkContext, target: Target, files: SystemFiles) {
    this.#context = context
    this.#options = context.options as FileOptions
    this.#path = target.path
    this.#files = files
    const { pipeline = 'query', part, writer, incarnation, lineage, clock, signal } = context
    const folder = dirname(target.path)
    const who = { owner: { pipeline, part, writer }, lineage: lineage ?? '', incarnation }
    this.#ledger = new TargetLedger(folder, who, { clock, signal, files })
    this.#space = new SpaceGuard(files, folder, lineage === undefined ? 0 : this.#options.min_free)
    this.#form = plainForm(target.path, context)
    this.#release = takePath(context, target.path)
  }

  /** Waits for the lock; with checkpoints nothing else is touched before `restore`. */
  static async open(context: SinkContext, target: Target, files: SystemFiles): Promise<AppendedSink> {
    const sink = new AppendedSink(context, target, files)
    try {
      await sink.#takeLock()
      if (context.lineage === undefined) await sink.#openAtEnd()
      return sink
    } catch (error) {
      await sink[Symbol.asyncDispose]()
      throw sink.#mapped(error)
    }
  }

  #mapped(error: unknown): unknown {
    if (error instanceof HeadraceError || systemCode(error) === undefined) return error
    return fileError('open', `cannot write "${this.#path}"`, error)
  }

  async #takeLock(): Promise<void> {
    const folder = dirname(this.#path)
    await makeFolder(this.#files, folder, { mode: 0o777, unsynced: new Set() })
    const { clock, signal } = this.#context
    const path = join(folder, `.headrace-${basename(this.#path)}.lock`)
    this.#lock = await lockTarget(path, { clock, signal, named: true })
  }

  get #sync(): boolean {
    return this.#options.fsync === 'commit'
  }

  async #openAtEnd(): Promise<void> {
    const { size } = await this.#openOrMake()
    this.#before = size
    this.#begin(size)
  }

  /** Opens the file for appending; one that is not there is made. */
  async #openOrMake(): Promise<FileFacts> {
    const found = await orAbsent(this.#files.open(this.#path, 'a'))
    if (found === undefined) {
      await (await this.#files.open(this.#path, 'wx', 0o666)).close()
      await syncDirectory(this.#files, dirname(this.#path))
    }
    this.#file = found ?? (await this.#files.open(this.#path, 'a'))
    const facts = await this.#file.facts()
    this.#inode = facts.inode
    return facts
  }

  /** Rows follow at `length`; an empty file gets its header. */
  #begin(length: number): void {
    this.#length = length
    this.#space.look()
    if (length === 0 && this.#form.header.length > 0) this.#append(this.#form.header)
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
      this.#file.append(packed)
    } catch (error) {
      throw fileError('open', `cannot write "${this.#path}"`, error)
    }
    this.#length += packed.length
  }

  #throwFailed(): void {
    if (this.#failed !== undefined) throw this.#failed.error
  }

  async flush(): Promise<readonly SinkReject[]> {
    await this.#durable()
    return []
  }

  /** Where the file ended at the call; all before it is durable. */
  async #durable(): Promise<number> {
    this.#throwFailed()
    const file = this.#file
    assert(file !== undefined, 'a sink is restored before a barrier')
    const length = this.#length
    try {
      if (this.#sync) await file.sync()
      const { size } = await file.facts()
      // Rows that were written meanwhile are there or not yet.
      if (size < length || size > this.#length) throw foreign(this.#path, { expected: length, size })
      return length
    } catch (error) {
      const mapped = this.#mapped(error)
      this.#failed ??= { error: mapped }
      throw mapped
    }
  }

  async prepare(): Promise<Uint8Array> {
    const length = await this.#durable()
    await this.#ledger.check()
    return Buffer.from(JSON.stringify({ format: 1, inode: this.#inode, length } satisfies AppendedToken))
  }

  /** The rows are where they belong since they were written. */
  async commit(_epoch: bigint, token: Uint8Array): Promise<readonly SinkReject[]> {
    this.#committed = parseToken(token).length
    return []
  }

  /** The next `restore` cuts what was written. */
  async abort(): Promise<void> {
    await this.#close()
  }

  async ledger(incarnation: bigint): Promise<SinkLedger | undefined> {
    return await this.#ledger.claim(incarnation)
  }

  async restore(_epoch: bigint, bytes: Uint8Array | undefined): Promise<void> {
    await this.#close()
    this.#failed = undefined
    await this.#sweep()
    try {
      const closedAt = await this.#ledger.closedAt()
      if (bytes !== undefined) await this.#cutTo(parseToken(bytes), closedAt)
      else await this.#restoreBase()
      this.#committed = bytes === undefined ? undefined : this.#length
      if (closedAt !== undefined) await this.#ledger.setClosedAt(undefined)
    } catch (error) {
      throw this.#mapped(error)
    }
  }

  /** Ledgers to be, left by instances that died before they took their place. */
  async #sweep(): Promise<void> {
    const { pipeline = 'query', part, writer, incarnation } = this.#context
    await sweepStaged(this.#files, dirname(this.#path), {
      owner: { pipeline, part, writer },
      goes: (staged) => staged.writer === writer && staged.incarnation < incarnation,
    })
  }

  /** No epoch was committed: the file ends where it did before the first start. */
  async #restoreBase(): Promise<void> {
    const base = await this.#ledger.base()
    if (base !== undefined && (base.length > 0 || (await orAbsent(this.#files.facts(this.#path))) !== undefined)) {
      return await this.#cutTo(base)
    }
    const { inode, size } = await this.#openOrMake()
    // What was there is durable before it is counted on.
    if (this.#sync) await this.#file!.sync()
    await this.#ledger.setBase({ inode, length: size })
    this.#begin(size)
  }

  /** `closedAt`: nothing of this pipeline is behind it, so that what is there belongs to somebody else. */
  async #cutTo({ inode, length }: LedgerBase, closedAt?: number): Promise<void> {
    const file = await orAbsent(this.#files.open(this.#path, 'a'))
    if (file === undefined) throw foreign(this.#path, { expected: length, size: undefined })
    this.#file = file
    const found = await file.facts()
    if (found.inode !== inode) throw replaced(this.#path)
    if (found.size < length || (found.size > length && closedAt === length)) {
      throw foreign(this.#path, { expected: length, size: found.size })
    }
    this.#inode = inode
    if (found.size > length) {
      await file.truncate(length)
      await file.sync()
    }
    this.#begin(length)
  }

  async forget(): Promise<void> {
    await this.#ledger.remove()
    this.#isOver = true
  }

  async seal(): Promise<void> {
    await this.#durable()
  }

  async finish(complete: boolean): Promise<boolean> {
    if (!complete && this.#context.bounded) return false
    this.#before = undefined
    return true
  }

  /** As if the run had not been. */
  async #takeBack(length: number): Promise<void> {
    try {
      await this.#file?.truncate(length)
    } catch {
      // The rows stay.
    }
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close().catch(() => {})
  }

  /** The next start can then tell rows of others from those that this one left. */
  async #noteClosed(): Promise<void> {
    if (this.#file === undefined || this.#isOver || this.#failed !== undefined || this.#committed !== this.#length)
      return
    // Whoever was fenced has nothing to say; any other failure leaves the next start what it was.
    await this.#ledger.setClosedAt(this.#length).catch(() => {})
  }

  health(): Promise<Health> {
    return this.#space.health()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#before !== undefined && this.#context.bounded) await this.#takeBack(this.#before)
    await this.#noteClosed()
    await this.#close()
    this.#lock?.release(this.#isOver || this.#context.lineage === undefined)
    this.#lock = undefined
    this.#release()
    this.#form.encoder[Symbol.dispose]()
  }
}

function parseToken(bytes: Uint8Array): AppendedToken {
  try {
    const token = JSON.parse(Buffer.from(bytes).toString()) as Partial<AppendedToken>
    if (token.format === 1 && typeof token.length === 'number' && typeof token.inode === 'string') {
      return token as AppendedToken
    }
  } catch {
    // Told below.
  }
  throw new HeadraceError('connector_commit_ambiguous', 'the token of the file sink cannot be read', {
    hint: 'it is of a newer version, or the options of the sink were changed',
  })
}

const replaced = (path: string): HeadraceError =>
  new HeadraceError('connector_commit_ambiguous', `"${path}" is another file than the one that was written`, {
    hint: 'put the file back; to begin a new one, start anew without the state of this pipeline',
  })

function foreign(path: string, { expected, size }: { expected: number; size: number | undefined }): HeadraceError {
  const found = size === undefined ? 'is gone' : `has ${size} bytes`
  return new HeadraceError('connector_commit_ambiguous', `"${path}" ${found}, the last barrier saw ${expected}`, {
    hint: 'somebody else changed it: put the file back, or start anew without the state of this pipeline',
  })
}
