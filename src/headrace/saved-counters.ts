import type { GraphCounters } from '../operators/operator.ts'
import type { CountersState } from '../runtime/delivery/cut.ts'
import type { Graph } from '../runtime/graph/build.ts'
import type { DeadLetters } from './dead-letters.ts'

/** Bytes of the records that were read: in this run, and before it. */
export class BytesIn {
  readonly #graph: Graph
  before = 0

  constructor(graph: Graph) {
    this.#graph = graph
  }

  get value(): number {
    return this.#graph.origins.reduce((bytes, origin) => bytes + origin.bytes, this.before)
  }
}

/** The numbers of the digest that a snapshot keeps beside rows in and out. */
export const savedCounters = (counters: GraphCounters, letters: DeadLetters, bytes: BytesIn): CountersState => ({
  snapshot: () => ({
    late_rows: counters.lateRows,
    late_window_misses: counters.lateWindowMisses,
    rejected: Object.fromEntries(letters.byCode),
    ...letters.shares,
    bytes_in: bytes.value,
  }),
  restore: (saved) => {
    counters.lateRows = saved.late_rows
    counters.lateWindowMisses = saved.late_window_misses
    bytes.before = saved.bytes_in ?? 0
    letters.restore(saved.rejected, { skipped: saved.skipped ?? 0, undecoded: saved.undecoded ?? 0 })
  },
})
