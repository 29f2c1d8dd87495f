import { createSource, parseUri } from '../../src/headrace/headrace.ts'
import type { Bench, BenchRun } from '../lib/bench.ts'
import { percentile } from '../lib/pairs.ts'

const ROUNDS = 15

/** Per CPU second; the 20th percentile decides. */
const floors = [
  {
    name: 'parseUri, distinct',
    min: 500_000,
    calls: 100_000,
    call: (i: number) => parseUri(`kafka://u:p@b1,b2:9093,[::1]:9094/t?x=${i}`),
  },
  {
    name: 'parseUri, the same',
    min: 2_000_000,
    calls: 400_000,
    call: () => parseUri('kafka://localhost:9092/orders?group=a'),
  },
  {
    name: 'createSource',
    min: 100_000,
    calls: 20_000,
    call: () => createSource('file:///data/orders.csv?format=csv&delimiter=,'),
  },
] as const

/** How many sources can be named in a second. */
export const namingBench: Bench = {
  name: 'naming',
  run(run: BenchRun): boolean {
    let passed = true
    for (const { name, min, calls, call } of floors) {
      const rates = Array.from({ length: ROUNDS }, () => rateOf(call, calls)).sort((a, b) => a - b)
      const low = percentile(rates, 0.2)
      passed &&= low >= min
      process.stdout.write(`${name}: ${Math.round(low)} calls per CPU second (20th percentile), at least ${min}\n`)
    }
    return passed || !run.check
  },
}

function rateOf(call: (i: number) => unknown, calls: number): number {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) call(i)
  const { user, system } = process.cpuUsage(before)
  return (calls * 1e6) / (user + system)
}
