import type { GraphCounters } from '../operators/operator.ts'
import type { CountersState } from '../runtime/delivery/cut.ts'
import type { DeadLetters } from './dead-letters.ts'

/** The numbers of the digest that a snapshot keeps beside rows in and out. */
export const savedCounters = (counters: GraphCounters, letters: DeadLetters): CountersState => ({
  snapshot: () => ({
    late_rows: counters.lateRows,
    late_window_misses: counters.lateWindowMisses,
    rejected: Object.fromEntries(letters.byCode),
    ...letters.shares,
  }),
  restore: (saved) => {
    counters.lateRows = saved.late_rows
    counters.lateWindowMisses = saved.late_window_misses
    letters.restore(saved.rejected, { skipped: saved.skipped ?? 0, undecoded: saved.undecoded ?? 0 })
  },
})
