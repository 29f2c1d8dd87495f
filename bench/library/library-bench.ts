import type { Bench, BenchRun } from '../lib/bench.ts'
import { comparisons } from './comparisons.ts'
import { compare } from './pairs-in-process.ts'

const PAIRS = 15

/** Messages, channels and counters against what Node has, or what a hand writes, for the same work. */
export const libraryBench: Bench = {
  name: 'library',
  async run(run: BenchRun): Promise<boolean> {
    let passed = true
    for (const comparison of comparisons(run.records)) {
      const reached = await compare(comparison, { pairs: run.pairs ?? PAIRS, records: run.records })
      passed &&= reached
    }
    return passed || !run.check
  },
}
