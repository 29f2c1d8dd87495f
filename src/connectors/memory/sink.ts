import type { Batch } from '../../core/batch.ts'
import { HeadraceError } from '../../core/errors.ts'
import { type Row, rowAt } from '../../core/row-batch.ts'
import type { Health, LedOffsets, Sink, SinkContext, SinkLedger, SinkReject } from '../contract.ts'
import { type Channel, channelName, channelOf, revisingChannels } from './client.ts'
import type { MemoryOptions } from './options.ts'

/**
 * Rows go into the channel: without checkpoints batch by batch, each admitted whole; with them epoch by epoch, at the
 * commit. What is staged lives in the instance, so that a pipeline started again in it commits what its last run left.
 */
export class MemorySink implements Sink {
  readonly #channel: Channel
  readonly #staging: Staging | undefined

  constructor(context: SinkContext) {
    const name = channelName(context.uri)
    this.#channel = channelOf(context.shared, name, context.options as MemoryOptions)
    this.#channel.schema ??= context.schema
    if (context.changes) revisingChannels(context.shared).add(name)
    if (context.lineage !== undefined) {
      const key = `memory, staged:${name}:${context.pipeline}:${context.part}:${context.lineage}`
      this.#staging = context.shared.get(key, () => new Staging())
    }
  }

  async write(batch: Batch): Promise<readonly SinkReject[]> {
    const rows: Row[] = []
    for (let i = 0; i < batch.rows; i++) rows.push(rowAt(batch, i))
    if (this.#staging === undefined) await this.#channel.ring.push(rows)
    else this.#staging.open.push(...rows)
    return []
  }

  async flush(): Promise<readonly SinkReject[]> {
    return []
  }

  async prepare(epoch: bigint, { last }: { readonly last: boolean }): Promise<Uint8Array> {
    const staging = this.#staged()
    staging.epochs.set(epoch, { rows: staging.open, last })
    staging.open = []
    return new Uint8Array(0)
  }

  async commit(
    epoch: bigint,
    _token: Uint8Array,
    _replay: () => AsyncIterable<Batch>,
    offsets?: LedOffsets,
  ): Promise<readonly SinkReject[]> {
    const staging = this.#staged()
    if (staging.committed >= epoch) return []
    const staged = staging.epochs.get(epoch)
    if (staged === undefined) {
      throw new HeadraceError('connector_commit_ambiguous', `the channel no longer holds the rows of epoch ${epoch}`, {
        hint: 'a channel lives as long as its process: start the pipeline anew',
      })
    }
    if (staged.rows.length > 0) await this.#channel.ring.push(staged.rows)
    staging.committed = epoch
    staging.offsets = offsets
    staging.rows += BigInt(staged.rows.length)
    staging.epochs.delete(epoch)
    if (staged.last) this.#channel.ring.close()
    return []
  }

  async abort(epoch: bigint): Promise<void> {
    this.#staging?.epochs.delete(epoch)
  }

  async ledger(incarnation: bigint): Promise<SinkLedger | undefined> {
    if (this.#staging === undefined) return undefined
    const { committed, offsets, rows } = this.#staging
    return { epoch: committed, incarnation, offsets, rows }
  }

  async restore(epoch: bigint): Promise<void> {
    const staging = this.#staged()
    staging.open = []
    for (const staged of staging.epochs.keys()) if (staged > epoch) staging.epochs.delete(staged)
  }

  #staged(): Staging {
    return this.#staging!
  }

  /** The end of a bounded pipeline closes the channel, so that its readers end. */
  async finish(complete: boolean): Promise<boolean> {
    if (complete) this.#channel.ring.close()
    return true
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What one sink of one pipeline has not committed. */
class Staging {
  /** Rows since the last barrier. */
  open: Row[] = []
  readonly epochs = new Map<bigint, { readonly rows: readonly Row[]; readonly last: boolean }>()
  committed = 0n
  /** Of the rows that are committed, where the sink leads. */
  offsets: LedOffsets | undefined
  rows = 0n
}
