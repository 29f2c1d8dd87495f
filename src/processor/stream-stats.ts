/** The counters of a processor, as they grow. */
export interface StreamCounts {
  /** consumed = processed + skipped + failed, between messages. */
  consumed: number
  processed: number
  skipped: number
  failed: number
  /** Messages that a successful commit covers. */
  committed: number
  commitFailures: number
  /** Messages that are done and whose commit waits for a failed one before them. */
  heldCommits: number
}

const NAMES = ['consumed', 'processed', 'skipped', 'failed', 'committed', 'commitFailures', 'heldCommits'] as const

export const noCounts = (): StreamCounts => ({
  consumed: 0,
  processed: 0,
  skipped: 0,
  failed: 0,
  committed: 0,
  commitFailures: 0,
  heldCommits: 0,
})

/** Counters that can only be read: live ones of a processor, or the copy that its run gives. */
export class StreamStats implements Readonly<StreamCounts> {
  readonly #counts: Readonly<StreamCounts>

  /** Follows the counts that it is given. */
  constructor(counts: Readonly<StreamCounts> = noCounts()) {
    this.#counts = counts
  }

  get consumed(): number {
    return this.#counts.consumed
  }

  get processed(): number {
    return this.#counts.processed
  }

  get skipped(): number {
    return this.#counts.skipped
  }

  get failed(): number {
    return this.#counts.failed
  }

  get committed(): number {
    return this.#counts.committed
  }

  get commitFailures(): number {
    return this.#counts.commitFailures
  }

  get heldCommits(): number {
    return this.#counts.heldCommits
  }

  /** A copy with the sum of each counter. */
  merge(other: Readonly<StreamCounts>): StreamStats {
    const sums = noCounts()
    for (const name of NAMES) sums[name] = this[name] + other[name]
    return new StreamStats(sums)
  }

  toJSON(): StreamCounts {
    return { ...this.#counts }
  }
}
