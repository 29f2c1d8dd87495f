import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PipelineProcess } from '../pipeline-process.ts'
import type { Form, Report } from '../report.ts'
import { Bench, entered, pause, scriptOf, until, within } from './bench.ts'

const DISK = '16m'
/** Rows are there again that long after there is room. */
const RESUME_MS = 30_000
/** That the disk is full is told within. */
const TOLD_MS = 10_000

/** A small file system of its own, which this process sees through /proc; gone with its holder. */
async function smallDisk(path: string): Promise<{ holder: ChildProcess; inside: string }> {
  mkdirSync(path, { recursive: true })
  const holder = spawn('unshare', ['-m', 'sh', '-c', `mount -t tmpfs -o size=${DISK} tmpfs ${path} && exec sleep 3600`])
  const inside = `/proc/${holder.pid}/root${path}`
  const TMPFS = 0x01021994
  await until('a small disk is mounted (needs root)', () => {
    if (holder.exitCode !== null) throw new Error('no disk could be mounted: these tests need root')
    return statfsSync(inside).type === TMPFS
  })
  return { holder, inside }
}

/** State and target on a small disk that is filled again and again (R6). */
export async function r6(form: Form, report: Report): Promise<void> {
  const [times, fullMs] = form.full ? [10, 10_000] : [1, 3000]
  await report.test('R6', async () => {
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-r6`)
    const { holder, inside } = await smallDisk(folder)
    const script = scriptOf().replace("'out/'", "'file:out/?min_free=0'")
    await using bench = new Bench(join(inside, 'p'), script)
    // Rows come from elsewhere, also when the disk is full.
    const input = `${folder}.in.jsonl`
    writeFileSync(input, '')
    rmSync(join(inside, 'p/in.jsonl'))
    symlinkSync(input, join(inside, 'p/in.jsonl'))
    const under = ['nsenter', '-t', String(holder.pid), '-m', `--wdns=${folder}/p`]
    const run = bench.start([], { under })
    try {
      await entered(run, 'claim')
      let slowest = 0
      for (let time = 0; time < times; time++) {
        const told = run.err.length
        fill(join(inside, 'p/fill'))
        bench.append(200)
        const filled = Date.now()
        await until('the full disk is told', () => run.err.length > told, TOLD_MS)
        await pause(Math.max(0, fullMs - (Date.now() - filled)))
        rmSync(join(inside, 'p/fill'))
        const emptied = Date.now()
        // It waits for room (rulings 74).
        if (run.hasEnded) throw new Error(`it ended: ${run.err}`)
        await resumed(bench, run, RESUME_MS)
        slowest = Math.max(slowest, Date.now() - emptied)
      }
      process.kill(run.pipelinePid, 'SIGINT')
      const { code, err } = await within('a stop in order', run.ended)
      if (code !== 0) throw new Error(`stopped with ${code}: ${err}`)
      const facts = await bench.verdict()
      return `filled ${times}, resumed ${times}, slowest ${slowest} ms; ${facts}`
    } finally {
      run.kill()
      holder.kill()
      rmSync(folder, { recursive: true, force: true })
      rmSync(input)
    }
  })
}

function fill(path: string): void {
  try {
    writeFileSync(path, '')
    for (let size = 1 << 20; size >= 512; size = size >> 1) {
      for (;;) {
        try {
          writeFileSync(path, Buffer.alloc(size), { flag: 'a' })
        } catch {
          break
        }
      }
    }
  } catch {
    // It is full.
  }
}

async function resumed(bench: Bench, run: PipelineProcess, ms: number): Promise<void> {
  await until(`${bench.rows} rows are there again: ${run.err}`, () => bench.seen() >= bench.rows || run.hasEnded, ms)
  if (run.hasEnded) throw new Error(`it ended: ${run.err}`)
}
