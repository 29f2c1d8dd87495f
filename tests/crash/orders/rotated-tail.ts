import { renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../../src/core/random.ts'
import type { Form, Report } from '../report.ts'
import { Bench, entered, pause, within } from './bench.ts'

const SCRIPT = `-- @name p
SET checkpoint.interval = '100ms';
CREATE STREAM s (id BIGINT) FROM 'file:in.jsonl?watch=true&poll_interval=100ms&rotation_pattern=in.jsonl.*';
INSERT INTO 'out/' SELECT id FROM s;
`
const ROTATIONS = 20
/** Lines are written so often, so many at once: 4,000 a second. */
const EVERY_MS = 5
const LINES = 20

/**
 * The file that is followed is renamed away again and again while lines are written, and the pipeline is killed: every
 * line is in committed files once.
 */
export async function rotatedTail(form: Form, report: Report): Promise<void> {
  await report.test('rotated tail', async () => {
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-rotated`)
    const random = new Random(form.seed)
    const kills = form.full ? 9 : 2
    const rotations = form.full ? ROTATIONS : 6
    await using bench = new Bench(folder, SCRIPT)
    let rotated = 0
    let isOver = false
    // A file that had its other name before the first start is none of those that the path names.
    bench.append(LINES)
    const first = bench.start()
    await entered(first, 'prune')
    first.kill()
    await first.ended
    /** Numbers rise like those of logrotate with dates: a name is never used twice. */
    const writing = (async (): Promise<void> => {
      while (!isOver || rotated < rotations) {
        bench.append(LINES)
        if (rotated < rotations && random.chance(0.02)) {
          renameSync(join(folder, 'in.jsonl'), join(folder, `in.jsonl.${String(++rotated).padStart(3, '0')}`))
        }
        await pause(EVERY_MS)
      }
    })()
    for (let kill = 0; kill < kills; kill++) {
      const run = bench.start()
      await entered(run, 'claim')
      const phase = random.pick(['begin', 'prepare', 'persist', 'commit', 'mark', 'prune'])
      for (let epoch = 1 + random.below(3); epoch > 0; epoch--) await entered(run, phase)
      await pause(random.below(20))
      run.kill()
      await run.ended
    }
    isOver = true
    await within('the last rotation', writing, 60_000)
    const last = bench.start()
    await entered(last, 'claim')
    await bench.all()
    await bench.stop(last)
    const facts = await bench.verdict()
    rmSync(folder, { recursive: true })
    return `rotations ${rotated}, kills ${kills + 1}; ${facts}; seed ${form.seed}`
  })
}
