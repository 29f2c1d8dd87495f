import type { Sink } from '../connectors/contract.ts'
import { limits } from '../core/limits.ts'
import type { WorkerMemory } from '../core/memory.ts'
import { BatchBuilder } from '../core/row-batch.ts'
import { type DeadLetter, type DeadLetters, deadLetterRow, deadLetterSchema } from './dead-letters.ts'

/** Part name of the queue of dead letters in snapshots. */
export const QUEUE_PART = 'dlq'

/** `dlq.location`: all dead letters of a run as rows of five parts in a sink. */
export class LetterQueue implements AsyncDisposable {
  readonly sink: Sink
  readonly #letters: DeadLetters
  readonly #builder: BatchBuilder

  constructor(sink: Sink, letters: DeadLetters, memory: WorkerMemory) {
    this.sink = sink
    this.#letters = letters
    this.#builder = new BatchBuilder(deadLetterSchema, limits.batchRows, memory)
    letters.queued = true
  }

  /** Writes what came since the last call. */
  async write(run: { readonly pipeline: string | undefined; readonly nowMicros: number }): Promise<void> {
    const letters: readonly DeadLetter[] = this.#letters.take()
    const builder = this.#builder
    for (let from = 0; from < letters.length; from += builder.capacity) {
      builder.reset()
      for (const letter of letters.slice(from, from + builder.capacity)) builder.append(deadLetterRow(letter, run))
      await this.sink.write(builder.finish())
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#builder[Symbol.dispose]()
    await this.sink[Symbol.asyncDispose]()
  }
}
