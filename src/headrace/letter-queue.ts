import type { Sink } from '../connectors/contract.ts'
import { limits } from '../core/limits.ts'
import type { WorkerMemory } from '../core/memory.ts'
import { BatchBuilder } from '../core/row-batch.ts'
import { type DeadLetter, type DeadLetters, deadLetterRow, deadLetterSchema } from './dead-letters.ts'
import type { DueEntry } from './dlq/due-entry.ts'
import type { Change } from './dlq/records.ts'

/** Part name of the queue of dead letters in snapshots. */
export const QUEUE_PART = 'dlq'

export interface LetterRun {
  readonly pipeline: string | undefined
  readonly nowMicros: number
}

/** Why a queue takes nothing at the moment. */
export interface QueueWait {
  readonly detail: string
  /** Milliseconds of the clock. */
  readonly sinceMs: number
}

/** Where all dead letters of a run go. */
export interface DeadLetterQueue extends AsyncDisposable {
  /** Takes part in the checkpoints of the run. */
  readonly sink: Sink
  /** Writes what came since the last call. */
  write(run: LetterRun): Promise<void>
  /** What became of an entry, as part of the epoch at hand; absent where entries are not kept as such. */
  change?(change: Change): void
  /** Entries that run again by themselves, as their time comes; absent where entries are not kept as such. */
  due?(nowMs: number): Promise<readonly DueEntry[]>
  /** An entry does not run again by itself. */
  waive?(id: string): void
  /** What the pipeline waits for, if it does. */
  readonly wait?: QueueWait | undefined
  readonly fill?: { readonly entries: number; readonly bytes: number; readonly share: number } | undefined
}

/** `dlq.location`: all dead letters of a run as rows of five parts in a sink. */
export class LetterQueue implements DeadLetterQueue {
  readonly sink: Sink
  readonly #letters: DeadLetters
  readonly #builder: BatchBuilder

  constructor(sink: Sink, letters: DeadLetters, memory: WorkerMemory) {
    this.sink = sink
    this.#letters = letters
    this.#builder = new BatchBuilder(deadLetterSchema, limits.batchRows, memory)
    letters.queued = true
  }

  async write(run: LetterRun): Promise<void> {
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
