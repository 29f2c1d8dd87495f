import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from '../lib/bench.ts'
import { clickFile } from '../lib/click-files.ts'
import { median } from '../lib/pairs.ts'

const root = join(import.meta.dirname, '../..')
const data = join(root, 'bench/data')
const RUNS = 20

const wallMs = (args: readonly string[]): number => {
  const before = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  if (status !== 0) throw new Error(`${args.join(' ')} failed`)
  return performance.now() - before
}

/** From a cold process to the end of a small run: at most 200 ms more than `node -e 0`; `--version` within 60 ms. */
export const startBench: Bench = {
  name: 'start',
  run({ check }): boolean {
    const input = clickFile('clicks', 1000, data)
    const script = join(data, 'start.sql')
    writeFileSync(script, `SELECT user_id, amount FROM '${input}' LIMIT 1;`)
    const bin = join(root, 'bin/headrace.cjs')
    const runs: number[] = []
    const bare: number[] = []
    const versions: number[] = []
    for (let i = -2; i < RUNS; i++) {
      const [run, empty, version] = [wallMs([bin, 'run', script]), wallMs(['-e', '0']), wallMs([bin, '--version'])]
      if (i < 0) continue
      runs.push(run)
      bare.push(empty)
      versions.push(version)
    }
    const difference = median(runs.map((run, i) => run - bare[i]!))
    const version = median(versions)
    process.stdout.write(
      `first row: ${difference.toFixed(0)} ms more than node -e 0 (bar 200); --version ${version.toFixed(0)} ms (bar 60)\n`,
    )
    return (difference <= 200 && version <= 60) || !check
  },
}
