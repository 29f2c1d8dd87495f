import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Health, Sink, SinkLedger, SinkReject } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import { HeadraceError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import { BatchBuilder } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import { AppendLog } from '../../log/append-log.ts'
import type { Checksum } from '../../log/frame.ts'
import { readLog } from '../../log/read-log.ts'
import { batchBytes, batchOf } from './batch-frame.ts'

export interface SpoolOptions {
  /** `epochs/` of the pipeline's folder. */
  readonly directory: string
  /** Name of the sink in its pipeline. */
  readonly part: string
  readonly incarnation: bigint
  readonly schema: Schema
  readonly memory: WorkerMemory
  readonly checksum: Checksum
  /** Bytes of spools that are not committed, at most. */
  readonly bytesMax: number
  /** Half of it is used: a barrier should come. */
  readonly onHalf: () => void
}

interface Spool {
  readonly path: string
  readonly log: AppendLog
  records: bigint
  bytes: number
}

/** What the commit of an epoch needs: the rows' place and number, and the target's own token. */
interface SpoolToken {
  readonly spool: string | null
  readonly records: string
  readonly target: string | null
}

const NONE: readonly SinkReject[] = []
const BATCH = 1

/**
 * A sink whose target cannot hide rows: the rows of an epoch are kept in a synced log of their own, in their order and
 * blocks, until the epoch is committed; only then the target gets them, as often as it must (delivery.md §4, §6). What
 * the rows were computed from can be forgotten: a repeated commit gives the same.
 */
export class SpooledSink implements Sink {
  readonly #target: Sink
  readonly #options: SpoolOptions
  readonly #builder: BatchBuilder
  #count = 0
  #open: Spool | undefined
  /** By epoch: prepared and not known to be committed. */
  readonly #staged = new Map<bigint, Spool>()
  #freed = Promise.withResolvers<void>()
  #wasHalf = false

  constructor(target: Sink, options: SpoolOptions) {
    this.#target = target
    this.#options = options
    this.#builder = new BatchBuilder(options.schema, limits.batchRowsMax, options.memory)
  }

  get #bytes(): number {
    let bytes = this.#open?.bytes ?? 0
    for (const spool of this.#staged.values()) bytes += spool.bytes
    return bytes
  }

  async write(batch: Batch): Promise<readonly SinkReject[]> {
    const payload = batchBytes(batch)
    // What is staged is freed by its commit; what is open needs a barrier, which comes behind this call.
    while (this.#staged.size > 0 && this.#bytes + payload.length > this.#options.bytesMax) await this.#freed.promise
    this.#open ??= this.#newSpool()
    const spool = this.#open
    spool.log.append(BATCH, payload)
    spool.records++
    spool.bytes += payload.length
    if (spool.bytes * 2 >= this.#options.bytesMax && !this.#wasHalf) {
      this.#wasHalf = true
      this.#options.onHalf()
    }
    return NONE
  }

  #newSpool(): Spool {
    const { directory, part, incarnation, checksum } = this.#options
    const path = `${part}-${incarnation}-${++this.#count}.spool`
    mkdirSync(join(directory, path), { recursive: true })
    return { path, log: AppendLog.open({ directory: join(directory, path), checksum }), records: 0n, bytes: 0 }
  }

  flush(): Promise<readonly SinkReject[]> {
    return Promise.resolve(NONE)
  }

  async prepare(epoch: bigint, form: { readonly last: boolean }): Promise<Uint8Array> {
    const spool = this.#open
    this.#open = undefined
    this.#wasHalf = false
    if (spool !== undefined) {
      this.#staged.set(epoch, spool)
      await spool.log[Symbol.asyncDispose]()
    }
    const target = await this.#target.prepare?.(epoch, form)
    const token: SpoolToken = {
      spool: spool?.path ?? null,
      records: String(spool?.records ?? 0n),
      target: target === undefined ? null : Buffer.from(target).toString('base64'),
    }
    return Buffer.from(JSON.stringify(token))
  }

  async commit(epoch: bigint, bytes: Uint8Array): Promise<readonly SinkReject[]> {
    const token = JSON.parse(Buffer.from(bytes).toString()) as SpoolToken
    const target = Buffer.from(token.target ?? '', 'base64')
    const rejects = (await this.#target.commit?.(epoch, target, () => this.#replay(token))) ?? NONE
    // The spool of this epoch goes with the next commit: until then the mark of this one may not be durable.
    for (const [staged, spool] of this.#staged) {
      spool.bytes = 0
      if (staged < epoch) this.#remove(staged, spool)
    }
    this.#freed.resolve()
    this.#freed = Promise.withResolvers<void>()
    return rejects
  }

  /** The rows of an epoch in the batches that they were written in. */
  async *#replay({ spool, records }: SpoolToken): AsyncIterable<Batch> {
    if (spool === null) return
    const directory = join(this.#options.directory, spool)
    let read = 0n
    if (existsSync(directory)) {
      for (const { payload } of readLog(directory, this.#options.checksum)) {
        if (read === BigInt(records)) break
        read++
        yield batchOf(payload, this.#builder)
      }
    }
    if (read === BigInt(records)) return
    throw new HeadraceError(
      'connector_commit_ambiguous',
      `the spool "${directory}" holds ${read} of ${records} batches`,
      {
        hint: 'bring the folder back from a copy, or look at the target and resolve the epoch',
      },
    )
  }

  async abort(epoch: bigint, bytes?: Uint8Array): Promise<void> {
    const spool = this.#staged.get(epoch)
    if (spool !== undefined) this.#remove(epoch, spool)
    const token = bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as SpoolToken)
    const target = token?.target === null || token === undefined ? undefined : Buffer.from(token.target, 'base64')
    await this.#target.abort?.(epoch, target)
  }

  #remove(epoch: bigint, { path }: Spool): void {
    this.#staged.delete(epoch)
    rmSync(join(this.#options.directory, path), { recursive: true, force: true })
  }

  async ledger(incarnation: bigint): Promise<SinkLedger | undefined> {
    return await this.#target.ledger?.(incarnation)
  }

  /** Spools of this sink that the kept epoch does not name are of epochs that never happened, or that are over. */
  async restore(epoch: bigint, bytes: Uint8Array | undefined): Promise<void> {
    const token = bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as SpoolToken)
    const { directory, part } = this.#options
    const own = new RegExp(`^${part.replace(/[^A-Za-z0-9_]/g, '\\$&')}-(\\d+)-\\d+\\.spool$`)
    for (const name of existsSync(directory) ? readdirSync(directory) : []) {
      const made = own.exec(name)?.[1]
      if (made === undefined || name === token?.spool || BigInt(made) > this.#options.incarnation) continue
      rmSync(join(directory, name), { recursive: true, force: true })
    }
    const target = token?.target === null || token === undefined ? undefined : Buffer.from(token.target, 'base64')
    await this.#target.restore?.(epoch, target)
  }

  health(): Promise<Health> {
    return this.#target.health()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#builder[Symbol.dispose]()
    // What is open is of no epoch: the next start removes it.
    await this.#open?.log[Symbol.asyncDispose]().catch(() => undefined)
    await this.#target[Symbol.asyncDispose]()
  }
}
