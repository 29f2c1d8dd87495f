import { spawnSync } from 'node:child_process'

/** What one whole process cost. */
export interface Cost {
  /** User + system seconds of the process, its threads included. */
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly peakMegabytes: number
}

/** A command line that prints its cost as the last line of standard output: see `costs.ts`. */
export type Command = readonly string[]

export interface PairResult {
  readonly ours: readonly Cost[]
  readonly peer: readonly Cost[]
  /** peer ÷ ours, pair by pair. */
  readonly cpuRatios: readonly number[]
  readonly wallRatios: readonly number[]
}

/** Runs a command pinned to one CPU and reads its cost. */
export function runOnce(command: Command): Cost {
  const pinned = process.platform === 'linux' ? ['taskset', '-c', '0', ...command] : command
  const [file, ...args] = pinned as [string, ...string[]]
  const run = spawnSync(file, args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (run.status !== 0) throw new Error(`${command.join(' ')} failed:\n${run.stderr}`)
  const last = run.stdout.trimEnd().split('\n').at(-1)!
  return JSON.parse(last) as Cost
}

/** Alternates the two in ABBA order after one uncounted run of each. */
export function runPairs(ours: Command, peer: Command, pairs: number): PairResult {
  runOnce(ours)
  runOnce(peer)
  const result = { ours: [] as Cost[], peer: [] as Cost[], cpuRatios: [] as number[], wallRatios: [] as number[] }
  for (let i = 0; i < pairs; i++) {
    const [first, second] = i % 2 === 0 ? [ours, peer] : [peer, ours]
    const a = runOnce(first)
    const b = runOnce(second)
    const [own, other] = i % 2 === 0 ? [a, b] : [b, a]
    result.ours.push(own)
    result.peer.push(other)
    result.cpuRatios.push(other.cpuSeconds / own.cpuSeconds)
    result.wallRatios.push(other.wallSeconds / own.wallSeconds)
  }
  return result
}

/** The value below which `share` of the sorted values lie (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)
