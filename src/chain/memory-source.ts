import type { SharedState } from '../connectors/contract.ts'
import { BaseBatchSource, type BatchSourceOptions } from './base-source.ts'
import { DatastreamError } from './errors.ts'
import { Batch, type BatchFields, SourceMetadata } from './types.ts'

/** Batches that one answer holds at most. */
const ANSWER = 256
const BATCHES_MAX = 1_000_000

/** A chain in the process: batches pushed by code, read by any number of sources. */
export class MemoryChain {
  #batches: Batch[] = []
  #finished = false
  #changed = Promise.withResolvers<void>()

  /** A batch whose number was there before withdraws the old one and all behind it. */
  push(batch: BatchFields): void {
    const { number } = batch.id
    if (this.#batches.length > 0 && number <= this.#batches.at(-1)!.id.number) {
      this.#batches = this.#batches.filter(({ id }) => id.number < number)
    }
    if (this.#batches.length === BATCHES_MAX) {
      throw new DatastreamError('InternalError', `a chain in memory holds ${BATCHES_MAX} batches at most`)
    }
    this.#batches.push(batch instanceof Batch ? batch : new Batch(batch))
    this.#notify()
  }

  /** No batch will follow. */
  finish(): void {
    this.#finished = true
    this.#notify()
  }

  get finished(): boolean {
    return this.#finished
  }

  /** Resolves with the next push or finish. */
  get changed(): Promise<void> {
    return this.#changed.promise
  }

  from(number: bigint | undefined): readonly Batch[] {
    if (number === undefined) return this.#batches.slice(0, ANSWER)
    const first = this.#batches[0]?.id.number ?? 0n
    // Without holes the position is known.
    let at = number > first ? Math.min(Number(number - first), this.#batches.length) : 0
    while (at > 0 && this.#batches[at - 1]!.id.number >= number) at--
    while (at < this.#batches.length && this.#batches[at]!.id.number < number) at++
    return this.#batches.slice(at, at + ANSWER)
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** The chain that `chain+memory://name` names in an instance. */
export const memoryChain = (shared: SharedState, name: string): MemoryChain =>
  shared.get(`chain+memory:${name}`, () => new MemoryChain())

/** Reads batches pushed by code, for tests. */
export class MemoryBatchSource extends BaseBatchSource {
  readonly chain: MemoryChain

  constructor(batches: MemoryChain | readonly BatchFields[] = [], options: BatchSourceOptions = {}) {
    super(options)
    if (batches instanceof MemoryChain) this.chain = batches
    else {
      this.chain = new MemoryChain()
      for (const batch of batches) this.chain.push(batch)
    }
  }

  push(batch: BatchFields): void {
    this.chain.push(batch)
  }

  /** No batch will follow. */
  finish(): void {
    this.chain.finish()
  }

  get finished(): boolean {
    return this.chain.finished
  }

  get changed(): Promise<void> {
    return this.chain.changed
  }

  protected async fetch(from: bigint | undefined): Promise<readonly Batch[]> {
    return this.chain.from(from)
  }

  override async metadata(): Promise<SourceMetadata> {
    return new SourceMetadata('Memory Batch Source', '1.0', 'memory:', true)
  }
}
