import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { ScriptPlan } from '../../sql/plan.ts'
import { RateBreaker } from './rate-breaker.ts'
import { queueSettings } from './settings.ts'

export interface RatedRun {
  readonly clock: Clock
  /** Rows and records that came, those that did not become rows included. */
  readonly rows: () => number
  readonly entries: () => number
  readonly isBounded: boolean
  readonly pause: (detail: string) => Promise<void>
  readonly stop: () => void
  readonly onNote: (text: string) => void
}

/**
 * What a pipeline does when too many rows become dead letters (delivery.md §9): an endless one is paused until somebody
 * resumes it; a bounded one, which may have nobody to do so, takes its checkpoint and ends with an error.
 */
export class DeadLetterRate {
  readonly #run: RatedRun
  readonly #breaker: RateBreaker
  readonly #windowMs: number
  readonly #pipeline: string
  #rows: number
  #entries: number
  #exceeded: HeadraceError | undefined

  private constructor(run: RatedRun, form: { breaker: RateBreaker; windowMs: number; pipeline: string }) {
    this.#run = run
    this.#breaker = form.breaker
    this.#windowMs = form.windowMs
    this.#pipeline = form.pipeline
    this.#rows = run.rows()
    this.#entries = run.entries()
  }

  /** Undefined: `dlq.rate_min = off`, or nothing is kept. */
  static of(plan: ScriptPlan, run: RatedRun): DeadLetterRate | undefined {
    const { enabled, rate_min: min, rate_max: share, rate_window: windowMs } = queueSettings(plan)
    if (!enabled || min === undefined) return undefined
    const breaker = new RateBreaker({ min, share, windowMs })
    return new DeadLetterRate(run, { breaker, windowMs, pipeline: plan.name ?? '' })
  }

  /** After every step. */
  note(): void {
    const rows = this.#run.rows()
    const entries = this.#run.entries()
    const tripped = this.#breaker.note(this.#run.clock.elapsedMs(), rows - this.#rows, entries - this.#entries)
    this.#rows = rows
    this.#entries = entries
    if (tripped && this.#exceeded === undefined) this.#trip()
  }

  #trip(): void {
    const { entries, rows } = this.#breaker
    const what = `${entries} of ${rows} rows became dead letters within ${this.#windowMs / 1000} s`
    if (this.#run.isBounded) {
      this.#exceeded = new HeadraceError('dlq_rate_exceeded', `${what}: the pipeline stopped behind a checkpoint`, {
        hint:
          'correct the schema or the source and run it again: it goes on from there; ' +
          "to go on all the same, raise dlq.rate_max, or SET dlq.rate_min = 'off'",
      })
      this.#run.stop()
      return
    }
    this.#breaker.reset()
    this.#run.onNote(`paused (dlq_rate): ${what}; go on: headrace pipelines resume ${this.#pipeline}`)
    // The checkpoint that it waits for comes after this step; its failure ends the run elsewhere.
    this.#run.pause(`${what}; resume it: headrace pipelines resume ${this.#pipeline}`).catch(() => undefined)
  }

  /** Somebody lets the pipeline go on. */
  reset(): void {
    this.#breaker.reset()
  }

  throwIfExceeded(): void {
    if (this.#exceeded !== undefined) throw this.#exceeded
  }
}
