import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { StreamCheckpointConfig } from '../../../src/checkpoint/config.ts'
import { StreamCheckpointManager } from '../../../src/checkpoint/manager.ts'
import { SequenceCounter, WatermarkCell } from '../../../src/core/counters.ts'
import { needsStrace } from '../calls/strace.ts'

/** Groups of pushes that share a flush; they fill two segments. */
const GROUPS = 4
/** The calls by which anything of the log can be seen outside the process. */
const CALLS = ['mkdir', 'openat', 'write', 'pwrite64', 'fdatasync', 'fsync', 'close', 'ftruncate', 'rename', 'unlink']
const program = join(import.meta.dirname, 'push-process.ts')

interface Run {
  readonly folder: string
  readonly acknowledged: bigint
  /** It was killed, and did not end by itself. */
  readonly killed: boolean
}

/** One call on the folder of the log or on a segment: the `nth` of its name. */
interface Point {
  readonly call: string
  readonly nth: number
}

/** Runs the program in a fresh folder, its calls on the log under strace. */
function run(...strace: readonly string[]): Run {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-wal-kill-'))
  const wal = join(folder, 'wal')
  const segments = Array.from({ length: 6 }, (_, i) => join(wal, `wal-${String(i + 1).padStart(20, '0')}.log`))
  const paths = [wal, ...segments].flatMap((path) => ['-P', path])
  const args = ['-f', '-qq', ...paths, ...strace, process.execPath, program, folder, String(GROUPS)]
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
  const { stdout, status } = spawnSync('strace', args, { encoding: 'utf8', env })
  const last = stdout.trim().split('\n').at(-1)
  return { folder, acknowledged: BigInt(last === '' ? 0 : last!), killed: status !== 0 }
}

/** All calls of a run that nothing disturbs, and a line for each that is the same in every run. */
function trace(): { readonly points: readonly Point[]; readonly lines: readonly string[] } {
  const out = join(mkdtempSync(join(tmpdir(), 'headrace-wal-trace-')), 'calls')
  const { folder } = run('-y', '-o', out, '-e', `trace=${CALLS.join(',')}`)
  const calls = readFileSync(out, 'utf8').trim().split('\n')
  const counts = new Map<string, number>()
  const points: Point[] = []
  const lines: string[] = []
  const main = calls[0]!.split(' ')[0]
  for (const text of calls) {
    const match = /^(\d+)\s+(\w+)\((.*)/.exec(text)
    if (match === null) continue
    const [, thread, call = '', rest = ''] = match
    const nth = (counts.get(call) ?? 0) + 1
    counts.set(call, nth)
    points.push({ call, nth })
    const path = rest.slice(rest.indexOf(folder) + folder.length + 1).split(/[">]/)[0]!
    const creates = rest.includes('O_CREAT') ? ' O_CREAT' : ''
    lines.push(`${thread === main ? 'main' : 'pool'} ${call} ${path.replace(/0{19}(\d)/, '<$1>')}${creates}`)
  }
  rmSync(folder, { recursive: true })
  return { points, lines }
}

async function replayed(folder: string): Promise<bigint> {
  const manager = new StreamCheckpointManager(new StreamCheckpointConfig({ dataDir: folder, walMode: 'sync' }))
  const sequence = new SequenceCounter()
  manager.registerSource('src', sequence, new WatermarkCell())
  await manager.open()
  await manager.close()
  return sequence.value
}

test('the calls of group flushes are those of the list', async () => {
  needsStrace()
  const head = '# System calls of four group flushes on two segments. Written by: vitest run -u tests/crash/wal\n'
  await expect(`${head}${trace().lines.join('\n')}\n`).toMatchFileSnapshot('points.txt')
}, 60_000)

test('killed at each of them, no acknowledged push is lost', async () => {
  needsStrace()
  const { points } = trace()
  const reached = new Map<bigint, number>()
  for (const { call, nth } of points) {
    const { folder, acknowledged, killed } = run('-o', '/dev/null', '-e', `inject=${call}:signal=KILL:when=${nth}`)
    try {
      const sequence = await replayed(folder)
      const at = `${call} ${nth}: ${acknowledged} acknowledged, ${sequence} replayed`
      expect(killed, at).toBe(true)
      expect(sequence >= acknowledged && sequence <= BigInt(GROUPS * 3), at).toBe(true)
      reached.set(acknowledged, (reached.get(acknowledged) ?? 0) + 1)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  console.info(
    `${points.length} points; acknowledged when killed → points: ${JSON.stringify([...reached].map(String))}`,
  )
  // Kills before the first acknowledgement, between any two, and behind the last.
  expect(reached.size).toBe(GROUPS + 1)
}, 300_000)
