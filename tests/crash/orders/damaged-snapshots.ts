import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../../src/core/random.ts'
import type { Form, Report } from '../report.ts'
import { Bench, entered, within } from './bench.ts'

/** Growth of a process over one with whole snapshots (R5). */
const GROWTH_BYTES = 64 * 1024 * 1024

type Damage = (bytes: Buffer, random: Random, other: Buffer) => Buffer

const kinds: Readonly<Record<string, Damage>> = {
  'cut off': (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'one bit turned': (bytes, random) => {
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
    return bytes
  },
  'a block of zeros': (bytes, random) => bytes.fill(0, random.below(bytes.length - 1)),
  'bytes behind its end': (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random.below(5000), 7)]),
  'another one in its place': (_, __, other) => other,
  'an absurd length': (bytes, random) => {
    // The counts of its four sections and the lengths behind them begin at byte 25.
    bytes.writeUInt32LE(
      random.chance(0.5) ? 0x7fffffff : 0xffffffff,
      25 + random.below(Math.min(40, bytes.length - 29)),
    )
    return bytes
  },
  'another version': (bytes, random) => {
    bytes[0] = 3 + random.below(250)
    return bytes
  },
}

/** The newest snapshot is damaged before a restart (R5): it is found and told, and the one before it is gone on from. */
export async function r5(form: Form, report: Report): Promise<void> {
  await report.test('R5', async () => {
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-r5`)
    const random = new Random(form.seed)
    const trials = form.full ? 50 : 4
    await using bench = new Bench(folder)
    bench.append(20)
    const first = bench.start()
    await entered(first, 'claim')
    await bench.all()
    const most = peakBytes(first.pid) + GROWTH_BYTES
    await bench.stop(first)
    for (let trial = 0; trial < trials; trial++) {
      const kind = Object.keys(kinds)[trial % Object.keys(kinds).length]!
      await once(bench, random, kind, most)
    }
    const facts = await bench.verdict()
    rmSync(folder, { recursive: true })
    return `damaged ${trials}, found ${trials}; ${facts}; seed ${form.seed}`
  })
}

async function once(bench: Bench, random: Random, kind: string, most: number): Promise<void> {
  // No sink holds its epoch.
  const run = bench.start([], { hold: { phase: 'commit', ms: 1000 } })
  const committing = run.reached('commit')
  bench.append(20)
  await within('a commit', committing)
  run.kill()
  await run.ended
  const [older, newest] = bench.snapshots().slice(-2) as [string, string]
  const path = join(bench.checkpoints, newest)
  const before = readFileSync(path)
  const bytes = kinds[kind]!(Buffer.from(before), random, readFileSync(join(bench.checkpoints, older)))
  if (bytes.equals(before)) throw new Error(`${kind}: nothing is damaged`)
  writeFileSync(path, bytes)
  const next = bench.start()
  await entered(next, 'claim')
  await bench.all()
  const peak = peakBytes(next.pid)
  const { err } = await bench.stop(next)
  if (!err.includes(`checkpoint ${Number(newest.slice(0, 20))} cannot be used`))
    throw new Error(`${kind}: not told: ${err}`)
  if (!existsSync(path.replace(/ckpt$/, 'damaged'))) {
    const kept = bench.snapshots().includes(newest)
    if (kept) throw new Error(`${kind}: it is still there`)
  }
  if (peak > most) throw new Error(`${kind}: the process had ${peak} bytes, more than ${most}`)
}

function peakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}
