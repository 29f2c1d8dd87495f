import { fencedBy } from '../../checkpoint/error.ts'
import { IntervalTimer } from '../../checkpoint/interval-timer.ts'
import type { CheckpointReason } from '../../checkpoint/meta.ts'
import type { Snapshots } from '../../checkpoint/snapshots.ts'
import type { Clock } from '../../core/clock.ts'
import type { Cycle, CycleForm } from './cycle.ts'

export interface CheckpointingInput {
  readonly cycle: Cycle
  readonly snapshots: Snapshots
  readonly clock: Clock
  /** Null: only when asked for. */
  readonly intervalMs: number | null
  /** An idle pipeline takes a checkpoint that often. */
  readonly idleMs: number
  /** Grows with everything that a snapshot would hold anew. */
  readonly activity: () => number
  /** What ends the run: a fenced or failed checkpoint. Called once. */
  readonly onFailure: (error: unknown) => void
}

/** A checkpoint that is committed everywhere. */
export interface Taken {
  readonly id: bigint
  readonly epoch: bigint
}

/** Ownership is looked at that often (delivery.md §8). */
const OWNERSHIP_MS = 2000

/** Runs the cycles of a pipeline: by the clock, by request, one at a time; and sees when somebody else has claimed it. */
export class Checkpointing {
  readonly #input: CheckpointingInput
  readonly #timers: IntervalTimer[] = []
  readonly #interval: IntervalTimer | undefined
  #running: Promise<unknown> = Promise.resolve()
  #seen = -1
  #lastMs: number
  /** What ended the run: the rows of an aborted epoch are in no later one. */
  #failure: { readonly error: unknown } | undefined
  #taken = false
  /** The clock's checkpoints are not taken. */
  paused = false

  constructor(input: CheckpointingInput) {
    this.#input = input
    this.#lastMs = input.clock.elapsedMs()
    const { clock, intervalMs } = input
    this.#interval = intervalMs === null ? undefined : new IntervalTimer(clock, intervalMs, () => this.#tick())
    if (this.#interval !== undefined) this.#timers.push(this.#interval)
    this.#timers.push(new IntervalTimer(clock, OWNERSHIP_MS, () => this.#look()))
  }

  /** Since the last checkpoint was complete; null before the first. */
  get ageMs(): number | null {
    return this.#taken ? Math.round(this.#input.clock.elapsedMs() - this.#lastMs) : null
  }

  /** Until the next one by the clock; null when there is none. */
  get nextMs(): number | null {
    return this.#interval === undefined ? null : Math.round(this.#interval.nextMs)
  }

  /** Steps of the clock that fell into a running checkpoint. */
  get skipped(): number {
    return this.#interval?.skipped ?? 0
  }

  async #tick(): Promise<void> {
    const { activity, clock, idleMs } = this.#input
    const isIdle = activity() === this.#seen
    if (this.#failure !== undefined || this.paused || (isIdle && clock.elapsedMs() - this.#lastMs < idleMs)) return
    await this.take({ reason: 'interval', last: false }).catch(() => undefined)
  }

  async #look(): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      const id = await this.#input.snapshots.fencedBy()
      if (id !== undefined) this.#fail(fencedBy(id))
    } catch {
      // A store that cannot be read now is found out at the next checkpoint.
    }
  }

  /**
   * One checkpoint, after those that were asked for before. Its failure also ends the run. No other one begins before
   * `behind` is over, whose failure ends nothing.
   */
  take(form: CycleForm, behind: (taken: Taken) => Promise<void> | undefined = () => undefined): Promise<Taken> {
    const result = this.#running.then(async () => {
      if (this.#failure !== undefined) throw this.#failure.error
      this.#seen = this.#input.activity()
      const taken = await this.#input.cycle.run(form)
      this.#lastMs = this.#input.clock.elapsedMs()
      this.#taken = true
      return taken
    })
    const whole = result.then(async (taken) => {
      await behind(taken)
      return taken
    })
    this.#running = result.catch((error) => this.#fail(error)).then(() => whole.catch(() => undefined))
    return whole
  }

  /** For commands of a user. */
  trigger(reason: CheckpointReason, behind?: (taken: Taken) => Promise<void>): Promise<Taken> {
    return this.take({ reason, last: false }, behind)
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.#input.onFailure(error)
  }

  /** Stops the clock's checkpoints; resolves when none runs any more. */
  async quiet(): Promise<void> {
    for (const timer of this.#timers.splice(0)) await timer.close()
    await this.#running
  }
}
