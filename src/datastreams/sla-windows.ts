import type { FrameStatus } from './frame.ts'

/** What is counted of frames in a span of time. */
export class SlaCounts {
  /** Milliseconds since 1970. */
  readonly start: number
  readonly statuses: Record<FrameStatus, number> = { ok: 0, late: 0, error: 0 }
  missing = 0
  outOfOrder = 0
  /** Opened less closed. */
  gaps = 0
  latencyMax = 0
  /** Frames by class of latency. */
  readonly latencies = new Map<number, number>()

  constructor(start: number) {
    this.start = start
  }

  get total(): number {
    const { ok, late, error } = this.statuses
    return ok + late + error
  }

  frame(status: FrameStatus, latencyMs: number, outOfOrder: boolean): void {
    this.statuses[status]++
    if (outOfOrder) this.outOfOrder++
    if (latencyMs > this.latencyMax) this.latencyMax = latencyMs
    const at = classOf(latencyMs)
    this.latencies.set(at, (this.latencies.get(at) ?? 0) + 1)
  }

  merge(other: SlaCounts): void {
    for (const status of ['ok', 'late', 'error'] as const) this.statuses[status] += other.statuses[status]
    this.missing += other.missing
    this.outOfOrder += other.outOfOrder
    this.gaps += other.gaps
    this.latencyMax = Math.max(this.latencyMax, other.latencyMax)
    for (const [at, count] of other.latencies) this.latencies.set(at, (this.latencies.get(at) ?? 0) + count)
  }

  /** Within 1/16 of the exact value; null without frames. */
  quantile(share: number): number | null {
    let left = Math.ceil(share * this.total)
    for (const at of [...this.latencies.keys()].sort((a, b) => a - b)) {
      left -= this.latencies.get(at)!
      if (left <= 0) return Math.min(lowestOf(at + 1) - 1, this.latencyMax)
    }
    return null
  }
}

/** Exact below 16; above, 16 classes for every doubling. */
function classOf(ms: number): number {
  if (ms < 16) return Math.trunc(ms)
  const doublings = Math.floor(Math.log2(ms)) - 4
  return 16 * (doublings + 1) + Math.floor(ms / 2 ** doublings) - 16
}

function lowestOf(at: number): number {
  if (at < 16) return at
  return ((at % 16) + 16) * 2 ** (Math.floor(at / 16) - 1)
}

/** Spans that are counted, each in steps of a length; what has left one is still in the next. */
const TIERS = [
  { stepMs: 5000, steps: 60 },
  { stepMs: 60_000, steps: 60 },
  { stepMs: 900_000, steps: 96 },
] as const

interface Tier {
  readonly stepMs: number
  readonly steps: number
  open: SlaCounts
  readonly closed: SlaCounts[]
}

/** Counts of the last day of one stream: 5 minutes in steps of 5 s, an hour of 1 min, a day of 15 min. */
export class SlaWindows {
  readonly #tiers: readonly Tier[]

  constructor(now: number) {
    this.#tiers = TIERS.map((tier) => ({ ...tier, open: new SlaCounts(startOf(now, tier.stepMs)), closed: [] }))
  }

  /** The counts of the step that holds `now`. */
  at(now: number): SlaCounts {
    this.#advance(0, now)
    return this.#tiers[0]!.open
  }

  /** The counts of the last `windowMs`, to the step. */
  sum(windowMs: number, now: number): SlaCounts {
    this.#advance(0, now)
    const found = this.#tiers.findIndex(({ stepMs, steps }) => stepMs * steps >= windowMs)
    const upTo = found < 0 ? this.#tiers.length - 1 : found
    const sum = new SlaCounts(now - windowMs)
    for (const { open } of this.#tiers.slice(0, upTo + 1)) sum.merge(open)
    const { closed, stepMs } = this.#tiers[upTo]!
    for (const counts of closed) if (counts.start + stepMs > now - windowMs) sum.merge(counts)
    return sum
  }

  #advance(level: number, now: number): void {
    const tier = this.#tiers[level]!
    const start = startOf(now, tier.stepMs)
    if (start <= tier.open.start) return
    const next = this.#tiers[level + 1]
    if (next !== undefined) {
      this.#advance(level + 1, tier.open.start)
      next.open.merge(tier.open)
      // The step that has ended belongs to the coarser one that was open then.
      this.#advance(level + 1, now)
    }
    if (tier.open.total > 0 || tier.open.missing > 0 || tier.open.gaps !== 0) tier.closed.push(tier.open)
    tier.open = new SlaCounts(start)
    const oldest = start - tier.stepMs * tier.steps
    while (tier.closed.length > 0 && tier.closed[0]!.start < oldest) tier.closed.shift()
  }
}

const startOf = (now: number, stepMs: number): number => Math.floor(now / stepMs) * stepMs
