import { decodeBatch } from './decode.ts'
import { encodeBatch } from './encode.ts'
import { checkpointOf, standingOf } from './history.ts'
import type { Batch, Checkpoint } from './types.ts'

/** Bytes of JSON that a shelf holds at most, as far as they can be told without writing them. */
const BYTES_MAX = 64 * 1024 * 1024

interface Kept {
  readonly batch: Batch
  readonly bytes: number
  /** Written when a checkpoint first needs it. */
  text: string | undefined
}

/**
 * The newest batches whose rows were given out: what a reorganisation withdraws is taken back from them. Bounded by
 * number and bytes; batches that do not fit any more cannot be withdrawn.
 */
export class Shelf {
  readonly #most: number
  #kept: Kept[] = []
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  get newest(): Batch | undefined {
    return this.#kept.at(-1)?.batch
  }

  /** The newest but `back`. */
  fromEnd(back: number): Batch | undefined {
    return this.#kept.at(-1 - back)?.batch
  }

  /** True when a batch below the number is kept, and so all from it on. */
  reaches(number: bigint): boolean {
    const oldest = this.#kept[0]
    return oldest !== undefined && oldest.batch.id.number < number
  }

  push(batch: Batch, text?: string): void {
    if (this.#most === 0) return
    const { dataProof, inclusionProof } = batch.proofMeta
    const bytes = text?.length ?? 500 + 500 * batch.blocks.length + 2 * (dataProof.length + inclusionProof.length)
    this.#kept.push({ batch, bytes, text })
    this.#bytes += bytes
    // One more than can be withdrawn: the one that then stands.
    while (this.#kept.length > this.#most + 1 || (this.#bytes > BYTES_MAX && this.#kept.length > 1)) {
      this.#bytes -= this.#kept.shift()!.bytes
    }
  }

  pop(): void {
    this.#bytes -= this.#kept.pop()?.bytes ?? 0
  }

  /** Takes away what lies behind a batch; false when the batch is not on the shelf. */
  cutBehind(number: bigint, hash: string): boolean {
    const at = this.#kept.findLastIndex(({ batch }) => batch.id.number === number && batch.id.hash === hash)
    while (this.#kept.length > at + 1) this.pop()
    return at >= 0
  }

  /** Of all batches, oldest first. */
  checkpoints(timestamp: bigint): Checkpoint[] {
    let before: ReturnType<typeof standingOf> | undefined
    return this.#kept.map(({ batch }) => checkpointOf((before = standingOf(batch, before)), timestamp))
  }

  /** JSON texts, oldest first. */
  texts(): string[] {
    return this.#kept.map((kept) => (kept.text ??= encodeBatch(kept.batch)))
  }

  fill(texts: readonly string[]): void {
    for (const text of texts) this.push(decodeBatch(text), text)
  }
}
