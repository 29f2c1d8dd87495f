import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Form, Report } from '../report.ts'
import { cases } from './cases.ts'
import { killRounds } from './rounds.ts'
import { isClean } from './verdict.ts'

/** Kills that each phase of a cycle gets at the least in the full form. */
const PER_PHASE = 3

/** Pipelines that are killed again and again while their input grows (R1). */
export async function r1({ full, seed, only }: Form, report: Report): Promise<void> {
  const form = full ? { kills: 30, records: 100_000, perPhase: PER_PHASE } : { kills: 10, records: 30_000, perPhase: 0 }
  for (const [i, one] of cases.entries()) {
    if (only !== undefined && one.name !== only) continue
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-${one.name}`)
    await report.test(`R1 ${one.name}`, async () => {
      const result = await killRounds(one, { folder, seed: seed + i, intervalMs: 200, ...form })
      const phases = [...result.byPhase].map(([phase, kills]) => `${phase} ${kills}`).join(', ')
      const { acked, seen, lost, dup, corrupt, inverted } = result.verdict
      const facts =
        `kills: ${phases}; seed ${result.seed}; ` +
        `acked ${acked}, seen ${seen}, lost ${lost}, dup ${dup}, corrupt ${corrupt}, inverted ${inverted}`
      if (!isClean(result.verdict)) throw new Error(`${facts}; ${folder}`)
      if (full && Math.min(...result.byPhase.values()) < PER_PHASE) throw new Error(`a phase was left out: ${facts}`)
      return facts
    })
  }
}
