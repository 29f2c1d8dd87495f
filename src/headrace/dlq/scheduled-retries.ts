import type { SourceItem, SplitReader } from '../../connectors/contract.ts'
import type { Drive, OpenSource } from '../../runtime/drive/drive.ts'
import type { ScriptPlan } from '../../sql/plan.ts'
import type { DeadLetter, DeadLetters } from '../dead-letters.ts'
import type { DeadLetterQueue } from '../letter-queue.ts'
import type { OpenPlace } from '../open.ts'
import type { DueEntry } from './due-entry.ts'
import { checkBytes, errorDetails, isoOf } from './entry.ts'
import type { IndexedEntry } from './queue-state.ts'
import { type ReplayRecord, ReplaySource } from './replay-source.ts'
import { isRowByRow, Replayable } from './replayable.ts'

export interface ScheduledRetriesForm {
  readonly plan: ScriptPlan
  readonly place: OpenPlace
  readonly sources: readonly OpenSource[]
  readonly drive: Drive
  readonly letters: DeadLetters
  readonly queue: Required<Pick<DeadLetterQueue, 'due' | 'change' | 'waive'>>
}

/**
 * Runs transient entries again inside their running pipeline, between the rows of its sources: what is delivered and
 * what becomes of the entry are of one epoch. Only where rows pass one by one; elsewhere they wait for a user.
 */
export class ScheduledRetries implements AsyncDisposable {
  readonly #form: ScheduledRetriesForm
  readonly #replayable: Replayable
  readonly #readers = new Map<OpenSource, SplitReader>()
  #record: ReplayRecord | undefined
  /** The entry whose rows are in the graph. */
  #current: IndexedEntry | undefined

  private constructor(form: ScheduledRetriesForm) {
    this.#form = form
    this.#replayable = new Replayable(form.plan)
  }

  /** Undefined where rows do not pass one by one. */
  static of(form: ScheduledRetriesForm): ScheduledRetries | undefined {
    return isRowByRow(form.plan) ? new ScheduledRetries(form) : undefined
  }

  /** True while the letters that come are those of an entry. */
  get isRunning(): boolean {
    return this.#current !== undefined
  }

  async runAll(due: readonly DueEntry[], signal: AbortSignal): Promise<void> {
    for (const one of due) {
      if (signal.aborted) return
      await this.#again(one, signal)
    }
  }

  async #again({ entry, facts, bytes }: DueEntry, signal: AbortSignal): Promise<void> {
    const node = this.#replayable.sourceOf(facts)
    const open = this.#form.sources.find((source) => source.node === node)
    const { partition, position, offset } = facts.original_message
    const split = partition ?? ''
    // A split that holds no watermark any more would hold it again.
    const isTimed = open !== undefined && open.origin.watermarks.length > 0
    const isLost = open === undefined || open.origin.ended || (isTimed && open.positions.get(split)?.ended !== false)
    if (isLost || this.#replayable.leftOut(facts, entry.stage) !== undefined) {
      this.#form.queue.waive(entry.id)
      return
    }
    checkBytes(facts, bytes)
    this.#record = { bytes, split, byte: position ?? 1, ordinal: offset ?? 0 }
    let isRead = false
    for await (const item of this.#readerOf(open).read(undefined, signal)) {
      isRead = true
      await this.#push(open, entry, split, item)
    }
    if (!isRead) this.#form.queue.waive(entry.id)
  }

  async #push(open: OpenSource, entry: IndexedEntry, split: string, item: SourceItem): Promise<void> {
    if (item.kind !== 'batch') return
    const { drive, letters } = this.#form
    const { batch, rejects = [] } = item
    await drive.again(open, { split, batch, rejects }, () => {
      this.#current = entry
      // It is counted already: now it is delivered, or fails by what it gives.
      letters.takeBack(entry.code)
    })
  }

  #readerOf(open: OpenSource): SplitReader {
    let reader = this.#readers.get(open)
    if (reader === undefined) {
      const feed = {
        next: async () => {
          const record = this.#record
          this.#record = undefined
          return record
        },
        // Its header is gone: nothing comes of it.
        refuse: () => undefined,
      }
      reader = new ReplaySource(this.#form.place, open.node, { feed, incarnation: '' }).open()
      this.#readers.set(open, reader)
    }
    return reader
  }

  /** Inside the step: what became of the entry. */
  afterStep(given: readonly DeadLetter[]): void {
    const { id } = this.#current!
    this.#current = undefined
    const at = isoOf(this.#form.place.engine.clock.nowMicros())
    const [letter] = given
    this.#form.queue.change(
      letter === undefined
        ? { id, at, to: 'resolved', by: 'schedule' }
        : { id, at, to: 'pending', by: 'schedule', error: errorDetails(letter) },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.#readers.values()) await reader[Symbol.asyncDispose]()
  }
}
