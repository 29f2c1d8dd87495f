import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freshSeed } from '../../src/core/random.ts'
import { cases } from './r1/cases.ts'
import { killRounds } from './r1/rounds.ts'
import { isClean } from './r1/verdict.ts'

// Breaks pipelines on purpose. Arguments: --full, --seed N, --only CASE, names of tests (R1); all quick ones by default.

const args = process.argv.slice(2)
const option = (name: string): string | undefined => {
  const at = args.indexOf(name)
  return at < 0 ? undefined : args[at + 1]
}
const full = args.includes('--full')
const seed = Number(option('--seed') ?? freshSeed())
const only = option('--only')
const wanted = args.filter((arg) => /^R\d+$/.test(arg))
let passed = 0
let failed = 0

async function r1(): Promise<void> {
  const form = full ? { kills: 30, records: 100_000 } : { kills: 10, records: 30_000 }
  for (const [i, one] of cases.entries()) {
    if (only !== undefined && one.name !== only) continue
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-${one.name}`)
    try {
      const result = await killRounds(one, { folder, seed: seed + i, intervalMs: 200, ...form })
      const phases = [...result.byPhase].map(([phase, kills]) => `${phase} ${kills}`).join(', ')
      const { acked, seen, lost, dup, corrupt, inverted } = result.verdict
      const counts = `acked ${acked}, seen ${seen}, lost ${lost}, dup ${dup}, corrupt ${corrupt}, inverted ${inverted}`
      const clean = isClean(result.verdict)
      if (clean) passed++
      else failed++
      process.stdout.write(
        `R1 ${one.name}: ${clean ? 'passed' : `FAILED in ${folder}`}; kills: ${phases}; seed ${result.seed}; ${counts}\n`,
      )
    } catch (error) {
      failed++
      process.stdout.write(`R1 ${one.name}: FAILED in ${folder}; seed ${seed + i}; ${String(error)}\n`)
    }
  }
}

const tests: Readonly<Record<string, () => Promise<void>>> = { R1: r1 }
for (const [name, run] of Object.entries(tests)) if (wanted.length === 0 || wanted.includes(name)) await run()
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
