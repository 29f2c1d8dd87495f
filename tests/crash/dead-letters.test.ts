import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshSeed, Random } from '../../src/core/random.ts'
import { commandChecksum, queueState } from '../../src/headrace/dlq/commands.ts'
import { queueFolder } from '../../src/headrace/dlq/queue-folder.ts'
import { wholeEntry } from '../../src/headrace/dlq/whole-entry.ts'
import { main } from '../end-to-end/cli.ts'

/**
 * A pipeline with bad rows of five kinds, and the replay of them, are killed from outside at moments of chance: at the
 * n-th phase of a checkpoint, told by the process itself. In the end everything is delivered or a dead letter, each once.
 */

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-dlq-kill-'))
})
afterAll(() => rmSync(cwd, { recursive: true }))

const ROWS = 80_000
const KILLS = 5
const POISON = [
  (id: number) => `{"id":${id},"v":1,"d`,
  (id: number) => `{"id":${id},"v":"many","d":1}`,
  (id: number) => `{"id":null,"v":${id},"d":1}`,
  (id: number) => `{"id":${id},"v":-1,"d":1}`,
  (id: number) => `{"id":${id},"v":1,"d":0}`,
]
const SQL = `-- @name orders
SET checkpoint.interval = 10ms;
CREATE STREAM s (id BIGINT NOT NULL, v BIGINT CHECK (v >= 0), d BIGINT) FROM 'file:in.jsonl?batch_rows=25';
INSERT INTO 'out/' SELECT id, v / d AS x FROM s;
`
/** Every bad record is kept with its row, so that it can be mended. */
const FIX = `import { readFileSync } from 'node:fs'
const rows = new Map(JSON.parse(readFileSync(new URL('bad.json', import.meta.url), 'utf8')) as [string, number][])
export function map(bytes: Uint8Array): Uint8Array {
  return Buffer.from(JSON.stringify({ id: rows.get(Buffer.from(bytes).toString()), v: 1, d: 1 }))
}
`

/** Runs a command to its end, or kills it when it has entered so many phases. Gives its exit code, if it has one. */
function runOrKill(args: readonly string[], killAt: number): Promise<{ code: number | null; err: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', HEADRACE_PHASE_FD: '3' },
  })
  let err = ''
  let phases = 0
  child.stderr!.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  ;(child.stdio[3] as Readable).on('data', (chunk: Buffer) => {
    phases += chunk.toString().split('\n').length - 1
    if (phases >= killAt) child.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, err }))
  })
}

const delivered = (): number[] =>
  globSync('out/*.jsonl', { cwd })
    .flatMap((name) => readFileSync(join(cwd, name), 'utf8').trimEnd().split('\n'))
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { id: number }).id)
    .sort((a, b) => a - b)

function letters(): { readonly offset: number; readonly text: string; readonly state: string }[] {
  const state = queueState(queueFolder(join(cwd, '.headrace'), 'orders'))
  return [...state.entries.values()]
    .map((entry) => {
      const { parts, bytes } = wholeEntry(state, entry, commandChecksum)
      return { offset: parts.original_message.offset!, text: Buffer.from(bytes).toString(), state: entry.state }
    })
    .sort((a, b) => a.offset - b.offset)
}

test('killed at any moment: in = out + dead letters, each once, byte for byte; so is their replay', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const bad = new Map<number, string>()
  const lines = Array.from({ length: ROWS }, (_, id) => {
    if (!random.chance(0.01)) return `{"id":${id},"v":${id},"d":1}`
    bad.set(id, random.pick(POISON)(id))
    return bad.get(id)!
  })
  writeFileSync(join(cwd, 'in.jsonl'), `${lines.join('\n')}\n`)
  writeFileSync(join(cwd, 'orders.sql'), SQL)
  writeFileSync(join(cwd, 'bad.json'), JSON.stringify([...bad].map(([id, text]) => [text, id])))
  writeFileSync(join(cwd, 'fix.ts'), FIX)
  let kills = 0
  for (let round = 0; ; round++) {
    const killAt = round < KILLS ? random.between(1, 8) : Number.POSITIVE_INFINITY
    const { code, err } = await runOrKill(['run', 'orders.sql'], killAt)
    // Killed behind its last mark it was complete, and a new lineage is refused the folder (rulings 7).
    if (code === 0 || (kills > 0 && err.includes('target_exists'))) break
    expect({ code, err }, `seed ${seed}: ${err}`).toMatchObject({ code: null })
    kills++
  }
  const note = `seed ${seed}, ${kills} kills`
  expect(kills, note).toBeGreaterThan(0)
  const good = lines.flatMap((_, id) => (bad.has(id) ? [] : [id]))
  expect(delivered(), note).toEqual(good)
  const expected = [...bad].map(([offset, text]) => ({ offset, text, state: 'pending' }))
  expect(letters(), note).toEqual(expected)
  let replayKills = 0
  const args = ['dlq', 'replay', 'orders', '--map', 'fix.ts', '--batch-size', '25']
  for (let round = 0; ; round++) {
    const killAt = round < KILLS ? random.between(1, 30) : Number.POSITIVE_INFINITY
    const { code, err } = await runOrKill(args, killAt)
    if (code === 0) break
    expect({ code, err }, `seed ${seed}: ${err}`).toMatchObject({ code: null })
    replayKills++
  }
  const after = `${note}, ${replayKills} kills of the replay`
  expect(delivered(), after).toEqual(lines.map((_, id) => id))
  expect(letters(), after).toEqual(expected.map((letter) => ({ ...letter, state: 'resolved' })))
  console.info(after)
}, 180_000)
