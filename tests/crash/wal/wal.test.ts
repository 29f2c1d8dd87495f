import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { StreamCheckpointConfig } from '../../../src/checkpoint/config.ts'
import { StreamCheckpointManager } from '../../../src/checkpoint/manager.ts'
import { SequenceCounter, WatermarkCell } from '../../../src/core/counters.ts'
import { needsStrace } from '../calls/strace.ts'

const GROUPS = 4
/** Calls on the files of the log; each kills the process at the n-th of them. */
const CALLS = ['openat', 'write', 'fdatasync', 'fsync', 'close'] as const
const program = join(import.meta.dirname, 'push-process.ts')

interface Died {
  readonly folder: string
  readonly acknowledged: bigint
  /** It was killed, and did not end by itself. */
  readonly killed: boolean
}

/** Runs the program in a fresh folder and kills it at the n-th call of that name on the log's folder or a segment. */
function runTo(call: string, nth: number): Died {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-wal-kill-'))
  const wal = join(folder, 'wal')
  const segments = Array.from({ length: 6 }, (_, i) => join(wal, `wal-${String(i + 1).padStart(20, '0')}.log`))
  const paths = [wal, ...segments].flatMap((path) => ['-P', path])
  const args = ['-f', '-qq', '-o', '/dev/null', ...paths, '-e', `inject=${call}:signal=KILL:when=${nth}`]
  const run = spawnSync('strace', [...args, process.execPath, program, folder, String(GROUPS)], {
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  })
  const last = run.stdout.trim().split('\n').at(-1)
  return { folder, acknowledged: BigInt(last === '' ? 0 : last!), killed: run.status !== 0 }
}

async function replayed(folder: string): Promise<bigint> {
  const manager = new StreamCheckpointManager(new StreamCheckpointConfig({ dataDir: folder, walMode: 'sync' }))
  const sequence = new SequenceCounter()
  manager.registerSource('src', sequence, new WatermarkCell())
  await manager.open()
  await manager.close()
  return sequence.value
}

test.each(CALLS)(
  'killed at every %s of the log, no acknowledged push is lost',
  async (call) => {
    needsStrace()
    let points = 0
    for (let nth = 1; nth < 60; nth++) {
      const { folder, acknowledged, killed } = runTo(call, nth)
      try {
        const sequence = await replayed(folder)
        expect(sequence >= acknowledged, `${call} ${nth}: ${acknowledged} acknowledged, ${sequence} replayed`).toBe(
          true,
        )
        if (!killed) {
          expect(acknowledged).toBe(BigInt(GROUPS * 3))
          break
        }
        points++
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
    console.info(`${call}: ${points} points`)
    expect(points).toBeGreaterThan(0)
  },
  300_000,
)
