import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../lib/bench.ts'
import { percentile } from '../lib/pairs.ts'

const bin = join(import.meta.dirname, '../../bin/headrace.cjs')
const LINES = 2000
const EVERY_MS = 5

/** From the moment a line is in a file to its row on standard output, beside `tail -F` on the same file: p99 of both. */
export const tailBench: Bench = {
  name: 'tail',
  async run({ check, records = LINES }): Promise<boolean> {
    const folder = mkdtempSync(join(tmpdir(), 'headrace-tail-'))
    const file = join(folder, 'in.jsonl')
    writeFileSync(file, '')
    writeFileSync(
      join(folder, 'p.sql'),
      "CREATE STREAM s (id BIGINT) FROM 'file:in.jsonl?watch=true';\nINSERT INTO 'stdout:' SELECT id FROM s;\n",
    )
    const readers = [
      new Reader(spawn('tail', ['-F', file], { stdio: ['ignore', 'pipe', 'ignore'] })),
      new Reader(spawn(process.execPath, [bin, 'run', 'p.sql'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })),
    ] as const
    const target = openSync(file, 'a')
    try {
      // One line first: both are there.
      writeSync(target, '{"id":-1}\n')
      for (const reader of readers) await reader.seen(-1)
      const sent = new Map<number, number>()
      for (let id = 0; id < records; id++) {
        writeSync(target, `{"id":${id}}\n`)
        sent.set(id, performance.now())
        await sleep(EVERY_MS)
      }
      for (const reader of readers) await reader.seen(records - 1)
      const [tail = 0, ours = 0] = readers.map(({ times }) =>
        percentile(
          [...sent].map(([id, at]) => times.get(id)! - at),
          0.99,
        ),
      )
      process.stdout.write(
        `line to row, ${records} lines, one every ${EVERY_MS} ms: p99 tail -F ${tail.toFixed(1)} ms, ` +
          `headrace ${ours.toFixed(1)} ms, ${(ours - tail).toFixed(1)} ms more (bar 50)\n`,
      )
      return ours - tail <= 50 || !check
    } finally {
      fsyncSync(target)
      closeSync(target)
      for (const reader of readers) await reader.end()
      rmSync(folder, { recursive: true })
    }
  },
}

/** Notes when each id comes out of a process. */
class Reader {
  readonly #child: ChildProcess
  readonly times = new Map<number, number>()
  readonly #waiting = new Map<number, () => void>()

  constructor(child: ChildProcess) {
    this.#child = child
    let rest = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      const now = performance.now()
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const { id } = JSON.parse(line) as { id: number }
        this.times.set(id, now)
        this.#waiting.get(id)?.()
      }
    })
  }

  async seen(id: number): Promise<void> {
    if (this.times.has(id)) return
    await new Promise<void>((resolve) => this.#waiting.set(id, resolve))
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.on('close', resolve))
    this.#child.kill('SIGINT')
    await ended
  }
}
