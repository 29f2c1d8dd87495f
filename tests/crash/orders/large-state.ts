import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Form, Report } from '../report.ts'
import { Bench, entered, until } from './bench.ts'

const KEYS = 1_200_000
const STATE_BYTES = 100 * 1024 * 1024
/** From the start behind a kill to the first new row (delivery.md §5). */
const FIRST_MS = 10_000
const LOAD_MS = 240_000

const script = `-- @name p
SET checkpoint.interval = '1s';
CREATE STREAM big (k STRING, ts TIMESTAMP) FROM 'file:big.jsonl?watch=true&poll_interval=100ms&event_time=ts&watermark_delay=0ms';
CREATE STREAM s (id BIGINT) FROM 'file:in.jsonl?watch=true&poll_interval=100ms';
INSERT INTO 'windows/' SELECT window_start, k, COUNT(*) AS n FROM TUMBLE(big, ts, INTERVAL 1 DAY) GROUP BY window_start, k;
INSERT INTO 'out/' SELECT id FROM s;
`

/** Keys of 80 bytes, all in one window that stays open. */
function writeKeys(path: string): void {
  const file = openSync(path, 'w')
  for (let key = 0; key < KEYS; ) {
    let text = ''
    for (const end = key + 10_000; key < end; key++)
      text += `{"k":"${String(key).padStart(80, 'k')}","ts":1700000000000}\n`
    writeSync(file, text)
  }
  closeSync(file)
}

/** A kill with 100 MB of state: the first new row is out in time (R31). */
export async function r31(form: Form, report: Report): Promise<void> {
  // The quick form has no room for it.
  if (!form.full) return
  await report.test('R31', async () => {
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-r31`)
    await using bench = new Bench(folder, script)
    writeKeys(join(folder, 'big.jsonl'))
    const isLarge = (): boolean => {
      try {
        return statSync(join(bench.checkpoints, bench.snapshots().at(-1)!)).size >= STATE_BYTES
      } catch {
        return false
      }
    }
    let run = bench.start()
    await entered(run, 'claim')
    await until('the state is large', () => isLarge(), LOAD_MS)
    const times: number[] = []
    for (let kill = 0; kill < 20; kill++) {
      run.kill()
      await run.ended
      bench.append(10)
      const from = Date.now()
      run = bench.start()
      await bench.all()
      times.push(Date.now() - from)
    }
    await bench.stop(run)
    const facts = await bench.verdict()
    rmSync(folder, { recursive: true })
    const p95 = times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1]!
    if (p95 > FIRST_MS) throw new Error(`p95 ${p95} ms of ${times.join(', ')}`)
    return `kills ${times.length}, first row p95 ${p95} ms, most ${Math.max(...times)} ms; ${facts}`
  })
}
