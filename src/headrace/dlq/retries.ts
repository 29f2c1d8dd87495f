import type { Drive } from '../../runtime/drive/drive.ts'
import type { DeadLetter } from '../dead-letters.ts'
import type { DeadLetterQueue } from '../letter-queue.ts'
import type { ScheduledRetries, ScheduledRetriesForm } from './scheduled-retries.ts'
import { queueSettings } from './settings.ts'

/**
 * Looks for dead letters whose time has come, at the start and from time to time. What runs them again is loaded with the
 * first one: most pipelines never have any.
 */
export class Retries {
  readonly #form: ScheduledRetriesForm
  readonly #intervalMs: number
  #scheduled: ScheduledRetries | undefined

  private constructor(form: ScheduledRetriesForm, intervalMs: number) {
    this.#form = form
    this.#intervalMs = intervalMs
  }

  /** Undefined where entries are not kept as such, or nothing is to run again by itself. */
  static of(queue: DeadLetterQueue | undefined, form: Omit<ScheduledRetriesForm, 'queue'>): Retries | undefined {
    const settings = queueSettings(form.plan)
    if (queue?.due === undefined || settings.retries === 0) return undefined
    return new Retries({ ...form, queue: queue as Required<DeadLetterQueue> }, settings.reprocess_interval)
  }

  /** True while the letters that come are those of an entry. */
  get isRunning(): boolean {
    return this.#scheduled?.isRunning === true
  }

  /** Inside the step of an entry: what became of it. */
  afterStep(given: readonly DeadLetter[]): void {
    this.#scheduled!.afterStep(given)
  }

  /** Until `signal` aborts, or where rows do not pass one by one. */
  async run(signal: AbortSignal): Promise<void> {
    const { queue, place } = this.#form
    const { clock } = place.engine
    try {
      while (!signal.aborted) {
        const due = await queue.due(clock.nowMicros() / 1000)
        if (due.length > 0) {
          const { ScheduledRetries } = await import('./scheduled-retries.ts')
          this.#scheduled ??= ScheduledRetries.of(this.#form)
          if (this.#scheduled === undefined) return
          await this.#scheduled.runAll(due, signal)
        }
        await clock.sleep(this.#intervalMs, signal)
      }
    } finally {
      await this.#scheduled?.[Symbol.asyncDispose]()
    }
  }
}

/** Reads to the end; meanwhile dead letters that may pass by now run again. */
export async function withRetries(
  drive: Drive,
  retries: Retries | undefined,
  onWarning: (error: Error) => void,
): Promise<boolean> {
  const done = new AbortController()
  // What fails in a step is the drive's failure, too; a queue that cannot be read only ends the retries.
  const retrying = retries?.run(done.signal).catch((error: unknown) => {
    onWarning(new Error(`dead letters no longer run again by themselves: ${(error as Error).message}`))
  })
  try {
    return await drive.run()
  } finally {
    done.abort()
    await retrying
  }
}
