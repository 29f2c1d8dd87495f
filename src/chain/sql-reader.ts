import type { Offset, SourceContext, SourceItem, SplitReader } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import { DatastreamError } from './errors.ts'
import type { ChainOptions } from './options.ts'
import { offsetOf, type Position, positionOf } from './position.ts'
import { rowCount } from './rows.ts'
import type { Shelf } from './shelf.ts'
import { type BatchSource, checkpointBefore } from './source.ts'
import { RowBuilder } from './sql-rows.ts'
import type { Batch, BatchId } from './types.ts'

export interface ReaderInput {
  readonly context: SourceContext
  readonly source: BatchSource
  readonly shelf: Shelf
  readonly split: string
  /** Puts the source where a first start begins; gives the first batch when it has been read already. */
  readonly start: () => Promise<Batch | undefined>
  /** Number of the first batch of the chain: the one given when none was known. */
  readonly first: (number: bigint) => bigint
}

/**
 * Turns batches into rows and withdrawn batches into delete rows, newest first. The position behind every item is a
 * prefix of the chain, so that any of them can be gone on from: what is withdrawn meanwhile is taken back from the
 * shelf. The shelf holds what stands before and behind the item at hand: a batch is put on it before its rows are given
 * out, and taken from it when its delete rows have been taken.
 */
export class ChainReader implements SplitReader {
  readonly #input: ReaderInput
  readonly #options: ChainOptions
  readonly #rows: RowBuilder
  #position: Position | undefined
  /** The position behind the last item. */
  #told: Offset | undefined
  /** Batches all of whose delete rows are in the builder. */
  #leaving = 0

  constructor(input: ReaderInput) {
    this.#input = input
    this.#options = input.context.options as ChainOptions
    this.#rows = new RowBuilder(input.context, { split: input.split, form: this.#options.rows })
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    try {
      yield* this.#read(from, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async *#read(from: Offset | undefined, signal: AbortSignal): AsyncGenerator<SourceItem, void, undefined> {
    const { source } = this.#input
    const position = from === undefined ? undefined : positionOf(from)
    this.#told = from
    let batch: Batch | undefined
    if (position === undefined) batch = await this.#input.start()
    else {
      const last = await this.#resume(position, signal)
      if (last === undefined) return
      this.#position = position
      if (position.rows !== undefined) yield* this.#insert(last, position.rows)
    }
    while (!signal.aborted && !this.#isEnough()) {
      batch ??= (await source.next({ signal })) ?? undefined
      if (batch === undefined) {
        yield* this.#flush()
        if (source.finished === true || this.#options.exit_when_idle) return
        yield { kind: 'idle', next: offsetOf(this.#position) }
        await this.#pause(signal)
        continue
      }
      yield* this.#withdraw(batch.id.number)
      if (this.#rows.deletes || this.#leaving > 0) yield* this.#flush()
      this.#input.shelf.push(batch)
      yield* this.#insert(batch, 0)
      batch = undefined
      // Small batches of one answer share an item.
      if ((source.waiting ?? 0) === 0) yield* this.#flush()
    }
    yield* this.#flush()
  }

  /** The batch that a stored position ends with; undefined when the signal fired before the source had it. */
  async #resume({ number, hash }: Position, signal: AbortSignal): Promise<Batch | undefined> {
    const { source, shelf, context } = this.#input
    if (shelf.cutBehind(number, hash)) {
      const checkpoints = shelf.checkpoints(BigInt(Math.floor(context.clock.nowMicros() / 1_000_000)))
      await source.setCheckpoint(checkpoints.at(-1)!, checkpoints.slice(0, -1))
      return shelf.newest
    }
    // It is asked for anew: nothing else tells whether the chain is the one that was read.
    await source.setCheckpoint(checkpointBefore(number))
    while (!signal.aborted) {
      const batch = await source.next({ signal })
      if (batch === null) {
        await this.#pause(signal)
        continue
      }
      if (batch.id.number !== number || batch.id.hash !== hash) {
        const found =
          batch.id.number === number ? `its hash is ${batch.id.hash} now` : `it has ${batch.id.number} instead`
        throw new HeadraceError(
          'connector_incarnation_changed',
          `the source lacks batch ${number}, ${hash}: ${found}`,
          {
            hint: 'what was read from it cannot be withdrawn any more: start it anew (--reset-source)',
          },
        )
      }
      shelf.push(batch)
      return batch
    }
    return undefined
  }

  /** Until the source may have more: the poll interval, or what the source says. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { context, source } = this.#input
    const done = new AbortController()
    const onAbort = (): void => done.abort()
    signal.addEventListener('abort', onAbort, { once: true })
    const waits = [context.clock.sleep(this.#options.poll_interval, done.signal)]
    if (source.changed !== undefined) waits.push(source.changed)
    await Promise.race(waits)
    done.abort()
    signal.removeEventListener('abort', onAbort)
  }

  #isEnough(): boolean {
    const { max_batches } = this.#options
    const position = this.#position
    if (max_batches === 0 || position === undefined || position.rows !== undefined) return false
    return position.number - this.#input.first(position.number) + 1n >= BigInt(max_batches)
  }

  /** The rows of a batch from one on; it is on the shelf. */
  async *#insert(batch: Batch, from: number): AsyncGenerator<SourceItem, void, undefined> {
    const rows = rowCount(batch, this.#options.rows)
    const { number, hash } = batch.id
    this.#input.first(number)
    if (rows === 0) this.#position = { number, hash, ordinal: this.#position?.ordinal ?? 0, rows: undefined }
    for (let row = from; row < rows; row++) {
      if (this.#rows.full) yield* this.#flush()
      const ordinal = this.#position?.ordinal ?? 0
      this.#rows.insert(batch, row, ordinal)
      this.#position = { number, hash, ordinal: ordinal + 1, rows: row + 1 < rows ? row + 1 : undefined }
    }
  }

  /** Takes back the rows of all batches from a number on, newest first. */
  async *#withdraw(number: bigint): AsyncGenerator<SourceItem, void, undefined> {
    const { shelf } = this.#input
    if (this.#position === undefined || this.#position.number < number) return
    if (!shelf.reaches(number)) throw tooDeep(this.#position.number, number)
    if (!this.#rows.deletes) yield* this.#flush()
    while (this.#position.number >= number) {
      const batch: Batch = shelf.fromEnd(this.#leaving)!
      const { id } = batch
      let standing: number = this.#position.rows ?? rowCount(batch, this.#options.rows)
      while (standing > 0) {
        if (this.#rows.full) yield* this.#flush()
        const { ordinal }: Position = this.#position
        this.#rows.delete(batch, --standing, ordinal)
        this.#position = { number: id.number, hash: id.hash, ordinal: ordinal + 1, rows: standing }
      }
      this.#leaving++
      const before: BatchId = shelf.fromEnd(this.#leaving)!.id
      const { ordinal }: Position = this.#position
      this.#position = { number: before.number, hash: before.hash, ordinal, rows: undefined }
    }
  }

  /** Gives out what is in the builder; a position that moved without rows is told, too. */
  async *#flush(): AsyncGenerator<SourceItem, void, undefined> {
    const next = offsetOf(this.#position)
    const item = this.#rows.finish(next)
    if (item !== undefined) yield item
    else if (this.#position !== undefined && next !== this.#told) yield { kind: 'idle', next }
    this.#told = next
    this.#rows.reset()
    for (; this.#leaving > 0; this.#leaving--) this.#input.shelf.pop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows[Symbol.dispose]()
  }
}

function tooDeep(newest: bigint, number: bigint): DatastreamError {
  const text = `batch ${newest}: the source withdraws batches from ${number} on, and not all of their rows are kept`
  return new DatastreamError('InvalidBatchData', text, {
    code: 'chain_rollback_too_deep',
    batchNumber: newest,
    path: 'id.hash',
    hint: 'raise rollback_depth, or start the source anew (--reset-source)',
  })
}
