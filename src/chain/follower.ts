import { DatastreamError, invalidBatch } from './errors.ts'
import { History, isKnown, type Standing, standingOf } from './history.ts'
import type { Batch, BatchId } from './types.ts'
import { type ValidationLevel, validateAgainst, validateAlone } from './validate.ts'

/** Batches at or behind `from` (undefined: from the beginning), in any order; none when there is nothing now. */
export type Fetch = (from: bigint | undefined, signal: AbortSignal | undefined) => Promise<readonly Batch[]>

/** The source withdrew batches: `to` is the last that stands, `depth` = number of `from` − number of `to`. */
export interface Rollback {
  readonly from: BatchId
  readonly to: BatchId
  readonly depth: bigint
}

export interface FollowerOptions {
  readonly validation: ValidationLevel
  readonly continuity: boolean
  /** Deepest reorganisation that is followed, in batches. */
  readonly rollbackDepth: number
  readonly verifyBatchHash?: ((batch: Batch) => boolean) | undefined
}

export type Step =
  | { readonly kind: 'batch'; readonly batch: Batch; readonly standing: Standing }
  | { readonly kind: 'rollback'; readonly rollback: Rollback; readonly standing: Standing }

/**
 * Follows one chain: takes batches in order, refuses what does not fit, and finds the last common batch when the source
 * has changed its mind (library.md §5.4). The position moves only with a step that is returned.
 */
export class Follower {
  readonly #fetch: Fetch
  readonly #options: FollowerOptions
  readonly #history: History
  /** Fetched and not yet looked at, by number. */
  #waiting: Batch[] = []
  /** Something told that what was read may not stand. */
  #suspect = false

  constructor(fetch: Fetch, options: FollowerOptions) {
    this.#fetch = fetch
    this.#options = options
    this.#history = new History(options.rollbackDepth + 1)
  }

  get newest(): Standing | undefined {
    return this.#history.newest
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Goes on behind the last entry; none: from the beginning. Entries are in order of their numbers. */
  seek(entries: readonly Standing[]): void {
    this.#history.reset(entries)
    this.#waiting = []
    this.#suspect = false
  }

  /** Looks, before the next batch, whether what was read still stands. */
  suspect(): void {
    this.#suspect = true
  }

  /** The next batch or rollback; undefined when there is nothing new now. */
  async next(signal?: AbortSignal): Promise<Step | undefined> {
    let askedAgain = false
    let answers = 0
    for (;;) {
      if (this.#suspect) {
        const step = await this.#compare(signal)
        if (step !== undefined) return step
      }
      let batch = this.#waiting.shift()
      if (batch === undefined) {
        // A source that gives old batches only has nothing new: it is not asked in circles.
        if (answers++ > (askedAgain ? 1 : 0)) return undefined
        batch = await this.#refill(signal)
      }
      if (batch === undefined) return undefined
      const { newest } = this
      if (newest === undefined) return this.#take(batch)
      const { number } = batch.id
      if (number > newest.number + 1n && this.#options.continuity) {
        this.#waiting = []
        if (askedAgain) {
          throw new DatastreamError('InvalidBatchData', `gap: expected batch ${newest.number + 1n}, got ${number}`, {
            batchNumber: newest.number + 1n,
            path: 'id.number',
            hint: 'the source lacks a batch; the position has not moved',
          })
        }
        askedAgain = true
        continue
      }
      if (number > newest.number) {
        if (this.#fits(batch, newest)) return this.#take(batch)
        const fault = `it is not the hash of the block before, ${newest.lastBlockHash}`
        return await this.#changed(invalidBatch(number, 'blocks[0].parent_hash', fault), signal)
      }
      const known = this.#history.at(number)
      if (!this.#options.continuity || known === undefined || !isKnown(known) || known.hash === batch.id.hash) continue
      const fault = `another hash than before, ${known.hash}; yet the source stands by the batches behind it`
      return await this.#changed(invalidBatch(number, 'id.hash', fault), signal)
    }
  }

  async #refill(signal: AbortSignal | undefined): Promise<Batch | undefined> {
    const { newest } = this
    const found = await this.#fetch(newest === undefined ? undefined : newest.number + 1n, signal)
    this.#waiting = [...found].sort(byNumber)
    return this.#waiting.shift()
  }

  /** Takes a batch as the newest, or throws what is wrong with it and forgets what was fetched with it. */
  #take(batch: Batch): Step {
    const { newest } = this
    try {
      this.#check(batch)
      if (this.#options.validation === 'strict' && newest !== undefined) {
        const lastBlock = { number: newest.lastBlockNumber, timestamp: newest.lastBlockTimestamp }
        validateAgainst(batch, { l1Origin: newest.l1Block, timestamp: newest.timestamp, lastBlock })
      }
    } catch (error) {
      this.#waiting = []
      throw error
    }
    const standing = standingOf(batch, newest)
    this.#history.push(standing)
    return { kind: 'batch', batch, standing }
  }

  #check(batch: Batch): void {
    const { validation, continuity, verifyBatchHash } = this.#options
    validateAlone(batch, validation)
    if (continuity) checkParents(batch)
    if (verifyBatchHash !== undefined && !verifyBatchHash(batch)) {
      throw invalidBatch(batch.id.number, 'id.hash', 'the hash is not that of the batch')
    }
  }

  /** True unless the first block is known to have another parent; what is wrong in itself is thrown. */
  #fits(batch: Batch, newest: Standing): boolean {
    if (!this.#options.continuity) return true
    const first = batch.blocks[0]
    if (first === undefined || newest.lastBlockHash === undefined) return true
    if (first.parentHash === newest.lastBlockHash) return true
    try {
      this.#check(batch)
    } catch (error) {
      this.#waiting = []
      throw error
    }
    return false
  }

  /** A batch contradicts what was read: a reorganisation, or `lie` when the source stands by all of it. */
  async #changed(lie: DatastreamError, signal: AbortSignal | undefined): Promise<Step | undefined> {
    this.#waiting = []
    const newest = this.newest!
    const common = await this.#lastCommon(signal)
    if (common === undefined) return undefined
    if (common === newest) throw lie
    return this.#rollBack(newest, common)
  }

  async #compare(signal: AbortSignal | undefined): Promise<Step | undefined> {
    const { newest } = this
    const common = newest === undefined ? undefined : await this.#lastCommon(signal)
    this.#suspect = false
    this.#waiting = []
    return newest === undefined || common === undefined || common === newest
      ? undefined
      : this.#rollBack(newest, common)
  }

  #rollBack(from: Standing, to: Standing): Step {
    this.#history.cut(to.number)
    this.#waiting = []
    const id = ({ number, hash }: Standing): BatchId => ({ number, hash })
    return {
      kind: 'rollback',
      rollback: { from: id(from), to: id(to), depth: from.number - to.number },
      standing: to,
    }
  }

  /**
   * The newest batch that the source still has as it was read. It is asked for ranges that double, newest first.
   * Undefined when it has none of these numbers now: then nothing is known.
   */
  async #lastCommon(signal: AbortSignal | undefined): Promise<Standing | undefined> {
    const newest = this.newest!
    const depth = BigInt(this.#options.rollbackDepth)
    const oldest = this.#history.oldest!.number
    const bottom = newest.number - depth > oldest ? newest.number - depth : oldest
    let differs = false
    let high = newest.number
    for (let width = 1n; high >= bottom; width *= 2n) {
      const low = high - width + 1n > bottom ? high - width + 1n : bottom
      const found = await this.#range(low, high, signal)
      for (let number = high; number >= low; number--) {
        const known = this.#history.at(number)
        const hash = found.get(number)
        if (known === undefined || hash === undefined || !isKnown(known)) continue
        if (hash === known.hash) return known
        differs = true
      }
      high = low - 1n
    }
    if (!differs) return undefined
    throw tooDeep(newest, bottom, this.#options.rollbackDepth)
  }

  /** Hashes that the source has now, by number. */
  async #range(low: bigint, high: bigint, signal: AbortSignal | undefined): Promise<ReadonlyMap<bigint, string>> {
    const found = new Map<bigint, string>()
    for (let from = low; from <= high; ) {
      const batches = await this.#fetch(from, signal)
      let last = from - 1n
      for (const { id } of batches) {
        if (id.number < from) continue
        if (!found.has(id.number)) found.set(id.number, id.hash)
        if (id.number > last) last = id.number
      }
      if (last < from) break
      from = last + 1n
    }
    return found
  }
}

const byNumber = (a: Batch, b: Batch): number => (a.id.number < b.id.number ? -1 : a.id.number > b.id.number ? 1 : 0)

function checkParents({ id, blocks }: Batch): void {
  for (let i = 1; i < blocks.length; i++) {
    if (blocks[i]!.parentHash === blocks[i - 1]!.hash) continue
    throw invalidBatch(id.number, `blocks[${i}].parent_hash`, 'is not the hash of the block before')
  }
}

function tooDeep(newest: Standing, bottom: bigint, rollbackDepth: number): DatastreamError {
  const text =
    `batch ${newest.number}: the source has other batches than those that were read, down to ${bottom}; ` +
    `a reorganisation is followed for ${rollbackDepth} batches at most`
  return new DatastreamError('InvalidBatchData', text, {
    code: 'chain_rollback_too_deep',
    batchNumber: newest.number,
    path: 'id.hash',
    hint:
      'raise the rollback depth (rollbackDepth, rollback_depth), keep a history (a checkpoint storage with history), or ' +
      'start anew behind a batch that stands (setCheckpoint, --from-checkpoint <batch id>, --reset-source)',
  })
}
