import type { Clock } from '../core/clock.ts'
import type { Frame } from './frame.ts'
import type { Append, Appended, Store } from './store.ts'

export interface GroupCommitOptions {
  /**
   * How long the first frame of a group waits for others when no commit is under way; default 0: while one group is
   * flushed the next one gathers by itself.
   */
  readonly waitMs?: number | undefined
  /** Frames of which a group is committed at once; default 1,000. */
  readonly frames?: number | undefined
}

interface Waiting {
  readonly append: Append
  readonly resolve: (appended: readonly Appended[]) => void
  readonly reject: (error: unknown) => void
}

/** Characters of payloads in one commit; an append over it is one of its own. */
const GROUP_CHARACTERS = 8 * 1024 * 1024

/**
 * Gathers the frames of all requests for a moment and commits them together: one flush for many (streams-service.md §4).
 * Groups are committed one after the other; what comes meanwhile is the next group.
 */
export class GroupCommit {
  readonly #store: Store
  readonly #clock: Clock
  readonly #waitMs: number
  readonly #frames: number
  /** Called before frames are stored; then every append is a commit of its own, and fails alone. */
  readonly #before: ((frames: readonly Frame[]) => Promise<void>) | undefined
  #waiting: Waiting[] = []
  #count = 0
  #full = Promise.withResolvers<void>()
  #running: Promise<void> | undefined

  constructor(
    store: Store,
    clock: Clock,
    { waitMs = 0, frames = 1000 }: GroupCommitOptions = {},
    before?: (frames: readonly Frame[]) => Promise<void>,
  ) {
    this.#store = store
    this.#clock = clock
    this.#waitMs = waitMs
    this.#frames = frames
    this.#before = before
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
    if (this.#waitMs > 0) await this.#gather()
    // Requests of one turn of the event loop go together.
    else await undefined
    while (this.#waiting.length > 0) await this.#commit(this.#take())
    this.#running = undefined
  }

  async #gather(): Promise<void> {
    const stop = new AbortController()
    if (this.#count < this.#frames) {
      await Promise.race([this.#clock.sleep(this.#waitMs, stop.signal), this.#full.promise])
    }
    stop.abort()
    this.#full = Promise.withResolvers<void>()
  }

  /** The next group: at least one append, else within the limits. */
  #take(): readonly Waiting[] {
    let frames = 0
    let characters = 0
    let taken = 0
    for (const { append } of this.#waiting) {
      if (taken > 0 && (this.#before !== undefined || frames + append.frames.length > this.#frames)) break
      for (const { fields } of append.frames) characters += fields.payload.length
      if (taken > 0 && characters > GROUP_CHARACTERS) break
      frames += append.frames.length
      taken++
    }
    this.#count -= frames
    return this.#waiting.splice(0, taken)
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const now = Math.floor(this.#clock.nowMicros() / 1000)
      const appends = group.map(({ append }) => append)
      const results = await this.#store.append(appends, now, this.#before)
      for (const [i, { resolve }] of group.entries()) resolve(results[i]!)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
