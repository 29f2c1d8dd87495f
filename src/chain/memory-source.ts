import { BaseBatchSource, type BatchSourceOptions } from './base-source.ts'
import { Batch, type BatchFields, SourceMetadata } from './types.ts'

/** Batches handed over one answer asks for at most. */
const ANSWER = 256

/** Batches pushed by code, for tests; a batch whose number was there before withdraws it and all behind it. */
export class MemoryBatchSource extends BaseBatchSource {
  #batches: Batch[]
  #finished = false
  #changed = Promise.withResolvers<void>()

  constructor(batches: readonly BatchFields[] = [], options: BatchSourceOptions = {}) {
    super(options)
    this.#batches = []
    for (const batch of batches) this.push(batch)
  }

  push(batch: BatchFields): void {
    const { number } = batch.id
    if (this.#batches.length > 0 && number <= this.#batches.at(-1)!.id.number) {
      this.#batches = this.#batches.filter(({ id }) => id.number < number)
    }
    this.#batches.push(batch instanceof Batch ? batch : new Batch(batch))
    this.#notify()
  }

  /** No batch will follow. */
  finish(): void {
    this.#finished = true
    this.#notify()
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** Resolves with the next push or finish. */
  get changed(): Promise<void> {
    return this.#changed.promise
  }

  get finished(): boolean {
    return this.#finished
  }

  protected async fetch(from: bigint | undefined): Promise<readonly Batch[]> {
    if (from === undefined) return this.#batches.slice(0, ANSWER)
    const first = this.#batches[0]?.id.number ?? 0n
    // Without holes the position is known.
    let at = from > first ? Math.min(Number(from - first), this.#batches.length) : 0
    while (at > 0 && this.#batches[at - 1]!.id.number >= from) at--
    while (at < this.#batches.length && this.#batches[at]!.id.number < from) at++
    return this.#batches.slice(at, at + ANSWER)
  }

  override async metadata(): Promise<SourceMetadata> {
    return new SourceMetadata('Memory Batch Source', '1.0', 'memory:', true)
  }
}
