import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../../src/core/random.ts'
import { needsStrace } from '../calls/strace.ts'
import type { Form, Report } from '../report.ts'
import {
  damagedNewest,
  damagedNewestHeld,
  editedSql,
  stateDeleted,
  stateDeletedWhileRunning,
  twoInOneFolder,
} from './refused-starts.ts'
import { type Moment, oldestSnapshot, type StoppedForm, stoppedOwner } from './stopped-owner.ts'

/** Moments of an owner that other instances must survive; each is held open. */
const moments: Readonly<Record<string, Moment>> = {
  'between the temporary snapshot and its link': { call: 'fsync', nth: 3, about: /\.tmp-/ },
  'between the link of a file and the removal of its staged name': { call: 'link', nth: 2, about: /out\/part-/ },
  'inside a prune': { call: 'unlink', nth: 1, path: oldestSnapshot, about: /\.ckpt/ },
  'before a commit': { phase: 'commit' },
  'between commit and mark': { phase: 'mark' },
  'behind a mark': { phase: 'ack' },
}

// Behind a folder's failed sync, see R3; for 10,000 partitions in one epoch, new-files-sink.test.ts.
const orders: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  'a claim against edited SQL': editedSql,
  'state deleted under committed files': stateDeleted,
  'state deleted under a running pipeline': stateDeletedWhileRunning,
  'two pipelines in one folder': twoInOneFolder,
  'a damaged newest checkpoint that no sink holds': damagedNewest,
  'a damaged newest checkpoint that a sink holds': damagedNewestHeld,
}

/** The orders that rulings 4–17 name, one by one. */
export async function namedOrders(form: Form, report: Report): Promise<void> {
  needsStrace()
  const folder = join(tmpdir(), `headrace-crash-${process.pid}-order`)
  const all = {
    ...Object.fromEntries(
      Object.entries(moments).map(([name, moment]) => [
        `an owner stopped ${name}`,
        (at: string) => stoppedOwner(at, { moment }),
      ]),
    ),
    ...orders,
  }
  for (const [name, run] of Object.entries(all)) {
    if (form.only === undefined || name.includes(form.only)) await report.test(`order: ${name}`, () => run(folder))
  }
}

/** Owners that are stopped for a while, and wake (R7). */
export async function r7(form: Form, report: Report): Promise<void> {
  needsStrace()
  const random = new Random(form.seed)
  const all = Object.entries(moments)
  const cycles: [string, StoppedForm][] = form.full
    ? Array.from({ length: 20 }, (_, i) => {
        const [name, moment] = all[i % all.length]!
        const ms = [1000, 5000, 45_000][i < 3 ? i : random.below(2)]!
        return [name, { moment, ms, epochs: 1 + random.below(4), takeover: random.chance(0.5) }]
      })
    : [['behind its last epoch, for four newer ones', { moment: { phase: 'prune' }, epochs: 4, takeover: false }]]
  for (const [i, [name, stopped]] of cycles.entries()) {
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-r7-${i}`)
    await report.test(
      `R7 ${i + 1}, stopped ${name}`,
      async () => `${await stoppedOwner(folder, stopped)}; seed ${form.seed}`,
    )
  }
}
