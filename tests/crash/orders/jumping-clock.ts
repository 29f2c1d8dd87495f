import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../../src/core/random.ts'
import type { PipelineProcess } from '../pipeline-process.ts'
import type { Form, Report } from '../report.ts'
import { Bench, entered, scriptOf, within } from './bench.ts'

const library = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'
const JUMPS = ['+0', '+1h', '-1h', '-1d', '+10y'] as const
const INTERVAL_MS = 500
/** Rows are seen so late, and this machine may be busy. */
const SLACK_MS = 1000

/** The wall clock jumps under a pipeline, also while it is down (R19). */
export async function r19(form: Form, report: Report): Promise<void> {
  await report.test('R19', async () => {
    if (!existsSync(library)) throw new Error('libfaketime is not there: apt-get install libfaketime')
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-r19`)
    const random = new Random(form.seed)
    const jumps = form.full ? 20 : 5
    await using bench = new Bench(folder, scriptOf().replace('100ms', `${INTERVAL_MS}ms`))
    const stamp = join(folder, 'now')
    writeFileSync(stamp, '+0\n')
    const start = async (): Promise<PipelineProcess> => {
      const run = bench.start([], {
        env: {
          LD_PRELOAD: library,
          FAKETIME_TIMESTAMP_FILE: stamp,
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
          NO_FAKE_STAT: '1',
        },
      })
      await entered(run, 'claim')
      return run
    }
    let run = await start()
    const ids: string[] = []
    let slowest = 0
    let kills = 0
    for (let jump = 0; jump < jumps; jump++) {
      writeFileSync(stamp, `${random.pick(JUMPS)}\n`)
      if (random.chance(0.3)) {
        run.kill()
        await run.ended
        kills++
        run = await start()
      }
      const [begun, pruned] = [run.reached('begin'), run.reached('prune')]
      const from = Date.now()
      bench.append()
      await within('a checkpoint', begun)
      slowest = Math.max(slowest, Date.now() - from)
      await within('a prune', pruned)
      await bench.all()
      ids.push(...bench.snapshots().filter((name) => !ids.includes(name)))
    }
    if (ids.join() !== ids.toSorted().join()) throw new Error(`ids fall: ${ids.join(' ')}`)
    if (slowest > 2 * INTERVAL_MS + SLACK_MS) throw new Error(`a checkpoint came after ${slowest} ms`)
    await bench.stop(run)
    const facts = await bench.verdict()
    rmSync(folder, { recursive: true })
    return `jumps ${jumps}, kills ${kills}, ids ${ids.length} ascending, slowest begin ${slowest} ms; ${facts}; seed ${form.seed}`
  })
}
