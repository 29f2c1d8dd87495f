import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from '../lib/bench.ts'
import { clickFile } from '../lib/click-files.ts'
import { type Command, median, percentile, runOnce, runPairs } from '../lib/pairs.ts'
import { measuredHeadrace } from '../lib/programs.ts'
import { jsonTumble } from './json-tumble.ts'

const data = join(import.meta.dirname, '../data')
const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** What checkpoints every second leave of the speed of the JSON tumble: without ÷ with, CPU seconds, at least 0.90. */
export const checkpointBench: Bench = {
  name: 'checkpoints',
  run({ check, records = 5_000_000, pairs = 15 }): boolean {
    const input = clickFile('clicks', records, data)
    const outputOf = (name: string): string => join(data, `checkpoints-${name}.jsonl`)
    const command = (name: string, setting: string): Command => {
      const script = join(data, `checkpoints-${name}.sql`)
      const text = jsonTumble.script({ input: `'${input}'`, output: `'${outputOf(name)}'` })
      writeFileSync(script, `-- @name bench_checkpoints_${name}\nSET ${setting};\n${text}\n`)
      return measuredHeadrace('run', '--data-dir', join(data, 'state'), script)
    }
    const ours = command('on', "checkpoint.interval = '1s'")
    const peer = command('off', 'checkpoint.enabled = false')
    runOnce(ours)
    runOnce(peer)
    if (hashOf(outputOf('on')) !== hashOf(outputOf('off'))) throw new Error('the results differ')
    const { cpuRatios, wallRatios, ours: costs } = runPairs(ours, peer, pairs)
    const low = percentile(cpuRatios, 0.2)
    const cpu = median(costs.map((cost) => cost.cpuSeconds))
    process.stdout.write(
      `without ÷ with checkpoints every second, ${records} records: CPU median ${median(cpuRatios).toFixed(3)}, ` +
        `p20 ${low.toFixed(3)} (bar 0.90); wall median ${median(wallRatios).toFixed(3)}; ours ${cpu.toFixed(2)} CPU s\n`,
    )
    return low >= 0.9 || !check
  },
}
