import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from '../lib/bench.ts'
import { clickFile } from '../lib/click-files.ts'
import { type Command, median, percentile, runOnce, runPairs } from '../lib/pairs.ts'
import { withCosts } from '../lib/programs.ts'

const root = join(import.meta.dirname, '../..')
const data = join(root, 'bench/data')
const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** What the runtime adds to a loop by hand over the same kernels: ours ÷ by hand, at most 1.10. */
export const copyBench: Bench = {
  name: 'copy',
  run({ check, records = 2_000_000, pairs = 15 }): boolean {
    const input = clickFile('clicks', records, data)
    const command = (script: string): Command =>
      withCosts(join(root, 'bench/copy', script), input, join(data, `copy-${script}.jsonl`))
    const [ours, hand] = [command('run-ours.ts'), command('run-hand.ts')]
    runOnce(ours)
    runOnce(hand)
    if (hashOf(ours.at(-1)!) !== hashOf(hand.at(-1)!)) throw new Error('the copies differ')
    const result = runPairs(ours, hand, pairs)
    const overheads = result.cpuRatios.map((ratio) => 1 / ratio)
    const high = percentile(overheads, 0.8)
    process.stdout.write(
      `copy ÷ loop by hand, CPU seconds: median ${median(overheads).toFixed(3)}, p80 ${high.toFixed(3)} (bar 1.10)\n`,
    )
    return high <= 1.1 || !check
  },
}
