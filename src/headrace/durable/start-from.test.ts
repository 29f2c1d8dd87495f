import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { DeadLetters } from '../dead-letters.ts'
import { Engine } from '../engine.ts'
import { keptPipeline } from '../operate/kept-pipelines.ts'
import { createSavepoint } from '../operate/savepoint.ts'
import type { Digest } from '../pipeline.ts'
import { compileScript } from '../script.ts'
import { runPipeline } from '../supervise.ts'
import type { DurableOptions } from './start.ts'

let folder: string
let dataDir: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-from-'))
  dataDir = join(folder, 'state')
})
afterEach(() => rmSync(folder, { recursive: true }))

const said: string[] = []

/** Runs the script until so many items were read and committed, or to its end. */
async function run(text: string, items: number, options: Partial<DurableOptions> = {}): Promise<Digest> {
  const engine = new Engine({ baseDirectory: folder, batchRows: 2 })
  const script = { file: 'p.sql', text, baseDirectory: folder, name: 'p', parameters: new Map() }
  const { plan } = await compileScript(engine, script)
  const stop = new AbortController()
  let left = items
  said.length = 0
  const durable: DurableOptions = {
    at: { dataDir, script: undefined },
    allowDroppedState: false,
    takeover: true,
    afterItem: async (take) => {
      if (--left > 0) return
      if (left === 0) await take()
      stop.abort()
    },
    ...options,
  }
  const client = (): never => {
    throw new Error('nothing goes to the client')
  }
  const onStart = (notes: readonly string[]): void => void said.push(...notes)
  const onWarning = (error: Error): void => void said.push(error.message)
  const letters = new DeadLetters(() => undefined)
  const input = { plan, baseDirectory: folder, deadLetters: letters, client, durable, onStart, onWarning }
  return await runPipeline(engine, input, stop.signal)
}

function written(): unknown[] {
  const out = join(folder, 'out')
  const names = existsSync(out) ? readdirSync(out).filter((name) => !name.startsWith('.')) : []
  const lines = names.flatMap((name) => readFileSync(join(out, name), 'utf8').trim().split('\n'))
  return lines.map((line) => JSON.parse(line)).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

const put = (ids: readonly number[]): void => {
  const at = (id: number): string => `2026-01-01T00:00:${String(id).padStart(2, '0')}Z`
  writeFileSync(join(folder, 'new'), ids.map((id) => `{"id":${id},"t":"${at(id)}"}\n`).join(''))
  renameSync(join(folder, 'new'), join(folder, 'in.jsonl'))
}
const ids = Array.from({ length: 12 }, (_, i) => i)
const INPUT = "CREATE STREAM s (id BIGINT, t TIMESTAMP, WATERMARK FOR t AS t) FROM 'in.jsonl';"
const WINDOWS = `${INPUT} INSERT INTO 'file:out/?format=jsonl' SELECT window_start AS w, COUNT(*) AS n FROM s GROUP BY TUMBLE(t, 10s);`
const ROWS = `${INPUT} INSERT INTO 'file:out/?format=jsonl' SELECT id FROM s;`

test('state and offsets come from the savepoint, what sinks hold from the newest checkpoint', async () => {
  put(ids)
  await run(WINDOWS, 2)
  const kept = keptPipeline(dataDir, 's')
  await createSavepoint(kept, 'four', systemClock)
  await run(WINDOWS, 4)
  const windows = [
    { w: '2026-01-01T00:00:00Z', n: 10 },
    { w: '2026-01-01T00:00:10Z', n: 2 },
  ]
  expect(written()).toEqual(windows.slice(0, 1))
  // From four rows on the window comes once more, and is whole: its state was in the savepoint.
  const digest = await run(WINDOWS, 100, { from: 'four' })
  expect(said[0]).toMatch(
    /^starting from savepoint "four" \(epoch 2\): rows read between it and epoch \d are given again/,
  )
  expect([digest.complete, digest.rowsIn]).toEqual([true, 12])
  expect(written()).toEqual([windows[0], ...windows])
})

test('a start that crashed behind --from goes on from there', async () => {
  put(ids)
  await run(ROWS, 1)
  await createSavepoint(keptPipeline(dataDir, 's'), 'two', systemClock)
  await run(ROWS, 3)
  const crash = { from: 'two', afterItem: () => Promise.reject(new Error('crash')) }
  await expect(run(ROWS, 1, crash)).rejects.toThrow('crash')
  await run(ROWS, 100)
  const seen = written().map((row) => (row as { id: number }).id)
  expect(seen.filter((id) => id < 2)).toEqual([0, 1])
  expect(new Set(seen)).toEqual(new Set(ids))
  expect(seen.length).toBeGreaterThan(12)
})

test('a savepoint of another query is refused before anything is written', async () => {
  put(ids)
  await run(ROWS, 1)
  await createSavepoint(keptPipeline(dataDir, 's'), 'rows', systemClock)
  await expect(run(WINDOWS, 1, { from: 'rows' })).rejects.toMatchObject({ code: 'pipeline_plan_changed' })
  await expect(run(ROWS, 1, { from: 'row' })).rejects.toMatchObject({ code: 'checkpoint_no_checkpoint' })
})

test('--reset-source starts a replaced file anew, and leaves one that is the same', async () => {
  put(ids)
  await run(ROWS, 2)
  put([20, 21, 22])
  await expect(run(ROWS, 100)).rejects.toMatchObject({ code: 'connector_incarnation_changed' })
  const reset = { resetSources: { names: ['s'], now: false } }
  await run(ROWS, 1, reset)
  expect(said).toContain("source 's' is not the one in the checkpoint: it starts anew")
  await run(ROWS, 100, reset)
  expect(said).not.toContain("source 's' is not the one in the checkpoint: it starts anew")
  const seen = written().map((row) => (row as { id: number }).id)
  expect(seen.filter((id) => id >= 20)).toEqual([20, 21, 22])
  await expect(run(ROWS, 1, { resetSources: { names: ['t'], now: false } })).rejects.toMatchObject({
    code: 'cli_usage',
  })
})

test('--continue of a complete run is not built', async () => {
  put(ids)
  await run(ROWS, 100, { continues: true })
  await expect(run(ROWS, 100, { continues: true })).rejects.toMatchObject({ code: 'not_implemented' })
})
