import type { Clock } from '../core/clock.ts'
import type { Append, Appended, Store } from './store.ts'

export interface GroupCommitOptions {
  /** How long the first frame of a group waits for others; default 2. */
  readonly waitMs?: number | undefined
  /** Frames of which a group is committed at once; default 1,000. */
  readonly frames?: number | undefined
}

interface Waiting {
  readonly append: Append
  readonly resolve: (appended: readonly Appended[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers the frames of all requests for a moment and commits them together: one flush for many (streams-service.md §4).
 * Groups are committed one after the other; what comes meanwhile is the next group.
 */
export class GroupCommit {
  readonly #store: Store
  readonly #clock: Clock
  readonly #waitMs: number
  readonly #frames: number
  #waiting: Waiting[] = []
  #count = 0
  #full = Promise.withResolvers<void>()
  #running: Promise<void> | undefined

  constructor(store: Store, clock: Clock, { waitMs = 2, frames = 1000 }: GroupCommitOptions = {}) {
    this.#store = store
    this.#clock = clock
    this.#waitMs = waitMs
    this.#frames = frames
  }

  /** Frames that wait for their commit. */
  get pending(): number {
    return this.#count
  }

  /** Resolves when the commit that holds them is durable. */
  append(append: Append): Promise<readonly Appended[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Appended[]>()
    this.#waiting.push({ append, resolve, reject })
    this.#count += append.frames.length
    if (this.#count >= this.#frames) this.#full.resolve()
    this.#running ??= this.#run()
    return promise
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    this.#full.resolve()
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const stop = new AbortController()
      if (this.#count < this.#frames)
        await Promise.race([this.#clock.sleep(this.#waitMs, stop.signal), this.#full.promise])
      stop.abort()
      const group = this.#waiting
      this.#waiting = []
      this.#count = 0
      this.#full = Promise.withResolvers<void>()
      await this.#commit(group)
    }
    this.#running = undefined
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const now = Math.floor(this.#clock.nowMicros() / 1000)
      const results = await this.#store.append(
        group.map(({ append }) => append),
        now,
      )
      for (const [i, { resolve }] of group.entries()) resolve(results[i]!)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
