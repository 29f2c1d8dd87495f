import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { keptPipeline } from '../operate/kept-pipelines.ts'
import { createSavepoint } from '../operate/savepoint.ts'
import type { DurableOptions } from './start.ts'
import { TestPlace } from './testing.ts'

let place: TestPlace
beforeEach(() => {
  place = new TestPlace()
})
afterEach(() => place[Symbol.dispose]())

const run = (text: string, items: number, options?: Partial<DurableOptions>) => place.run(text, items, options)
const ids = Array.from({ length: 12 }, (_, i) => i)
const INPUT = "CREATE STREAM s (id BIGINT, t TIMESTAMP, WATERMARK FOR t AS t) FROM 'in.jsonl';"
const WINDOWS = `${INPUT} INSERT INTO 'file:out/?format=jsonl' SELECT window_start AS w, COUNT(*) AS n FROM s GROUP BY TUMBLE(t, 10s);`
const ROWS = `${INPUT} INSERT INTO 'file:out/?format=jsonl' SELECT id FROM s;`

test('state and offsets come from the savepoint, what sinks hold from the newest checkpoint', async () => {
  place.put(ids)
  await run(WINDOWS, 2)
  const kept = keptPipeline(place.dataDir, 's')
  await createSavepoint(kept, 'four', systemClock)
  await run(WINDOWS, 4)
  const windows = [
    { w: '2026-01-01T00:00:00Z', n: 10 },
    { w: '2026-01-01T00:00:10Z', n: 2 },
  ]
  expect(place.written()).toEqual(windows.slice(0, 1))
  // From four rows on the window comes once more, and is whole: its state was in the savepoint.
  const digest = await run(WINDOWS, 100, { from: 'four' })
  expect(place.said[0]).toMatch(
    /^starting from savepoint "four" \(epoch 2\): rows read between it and epoch \d are given again/,
  )
  expect([digest.complete, digest.rowsIn]).toEqual([true, 12])
  expect(place.written()).toEqual([windows[0], ...windows])
})

test('a start that crashed behind --from goes on from there', async () => {
  place.put(ids)
  await run(ROWS, 1)
  await createSavepoint(keptPipeline(place.dataDir, 's'), 'two', systemClock)
  await run(ROWS, 3)
  const crash = { from: 'two', afterItem: () => Promise.reject(new Error('crash')) }
  await expect(run(ROWS, 1, crash)).rejects.toThrow('crash')
  await run(ROWS, 100)
  const seen = place.written().map((row) => (row as { id: number }).id)
  expect(seen.filter((id) => id < 2)).toEqual([0, 1])
  expect(new Set(seen)).toEqual(new Set(ids))
  expect(seen.length).toBeGreaterThan(12)
})

test('a savepoint of another query is refused before anything is written', async () => {
  place.put(ids)
  await run(ROWS, 1)
  await createSavepoint(keptPipeline(place.dataDir, 's'), 'rows', systemClock)
  await expect(run(WINDOWS, 1, { from: 'rows' })).rejects.toMatchObject({ code: 'pipeline_plan_changed' })
  await expect(run(ROWS, 1, { from: 'row' })).rejects.toMatchObject({ code: 'checkpoint_no_checkpoint' })
})

test('--reset-source starts a replaced file anew, and leaves one that is the same', async () => {
  place.put(ids)
  await run(ROWS, 2)
  place.put([20, 21, 22])
  await expect(run(ROWS, 100)).rejects.toMatchObject({ code: 'connector_incarnation_changed' })
  const reset = { resetSources: { names: ['s'], now: false } }
  await run(ROWS, 1, reset)
  expect(place.said).toContain("source 's' is not the one in the checkpoint: it starts anew")
  await run(ROWS, 100, reset)
  expect(place.said).not.toContain("source 's' is not the one in the checkpoint: it starts anew")
  const seen = place.written().map((row) => (row as { id: number }).id)
  expect(seen.filter((id) => id >= 20)).toEqual([20, 21, 22])
  await expect(run(ROWS, 1, { resetSources: { names: ['t'], now: false } })).rejects.toMatchObject({
    code: 'cli_usage',
  })
})

test('where a first start begins is kept at once: a second one does not find the end of a file anew', async () => {
  const text = `SET checkpoint.interval = '1h'; CREATE STREAM s (id BIGINT)
    FROM 'file:in.jsonl?watch=true&start=latest&poll_interval=100ms'; INSERT INTO 'file:out/?format=jsonl' SELECT id FROM s;`
  place.put([0, 1])
  const crash = {
    onPhase: (phase: string) => (phase === 'prune' ? place.append('in.jsonl', [2]) : undefined),
    afterItem: () => Promise.reject(new Error('crash')),
  }
  await expect(run(text, 1, crash)).rejects.toThrow('crash')
  place.append('in.jsonl', [3])
  await run(text, 1)
  expect(idsWritten()).toEqual([2, 3])
})

const idsWritten = (): number[] => place.written().map((row) => (row as { id: number }).id)
const numerically = (a: number, b: number): number => a - b

test('--continue reads what was added to a file and files that are new, and nothing twice, also behind a crash', async () => {
  const text = ROWS.replace("'in.jsonl'", "'in*.jsonl'")
  place.put([0, 1, 2, 3])
  const first = await run(text, 100, { continues: true })
  expect([first.complete, first.rowsIn]).toEqual([true, 4])
  const nothing = await run(text, 100, { continues: true })
  expect([nothing.complete, nothing.rowsIn]).toEqual([true, 0])
  place.append('in.jsonl', [4, 5, 6])
  place.append('in-2.jsonl', [7, 8, 9, 10])
  await run(text, 1, { continues: true })
  const crash = { continues: true, afterItem: () => Promise.reject(new Error('crash')) }
  await expect(run(text, 1, crash)).rejects.toThrow('crash')
  const last = await run(text, 100, { continues: true })
  expect([last.complete, place.said[0]]).toEqual([true, expect.stringMatching(/^resuming from checkpoint/)])
  expect(idsWritten().sort(numerically)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  await run(text, 100, { continues: true })
  expect(place.said[0]).toMatch(/^reading what was added since checkpoint \d+ \(epoch \d+\), lineage/)
  expect(idsWritten()).toHaveLength(11)
})

test('--continue goes on in the lineage of the complete run, though another start was refused its target', async () => {
  place.put([0, 1])
  await run(ROWS, 100)
  await expect(run(ROWS, 100)).rejects.toMatchObject({ code: 'target_exists' })
  place.append('in.jsonl', [2])
  await run(ROWS, 100, { continues: true })
  expect(idsWritten()).toEqual([0, 1, 2])
})

test('--continue begins windows anew, for what was added', async () => {
  place.put([0, 1, 2])
  await run(WINDOWS, 100)
  place.append('in.jsonl', [3, 12])
  await run(WINDOWS, 100, { continues: true })
  expect(place.written()).toEqual([
    { w: '2026-01-01T00:00:00Z', n: 1 },
    { w: '2026-01-01T00:00:00Z', n: 3 },
    { w: '2026-01-01T00:00:10Z', n: 1 },
  ])
})

test('--continue refuses a last line that was not whole, another file, and a target that is replaced', async () => {
  place.put([0, 1])
  place.appendText('in.jsonl', '{"id":2,"t":"2026-01-01T00:00:02Z"}')
  await run(ROWS, 100)
  expect(idsWritten()).toEqual([0, 1, 2])
  place.append('in.jsonl', [3])
  await expect(run(ROWS, 100, { continues: true })).rejects.toMatchObject({
    code: 'connector_incarnation_changed',
    message: expect.stringMatching(/its last line was not whole at byte \d+/),
  })
  place.put([5, 6, 7, 8])
  await expect(run(ROWS, 100, { continues: true })).rejects.toMatchObject({ code: 'connector_incarnation_changed' })
  const one = ROWS.replace('file:out/?format=jsonl', 'out.jsonl')
  await run(one, 100, { at: { dataDir: place.dataDir + 2, script: undefined } })
  expect(place.names().filter((name) => name.startsWith('.'))).toEqual([])
  await expect(
    run(one, 100, { continues: true, at: { dataDir: place.dataDir + 2, script: undefined } }),
  ).rejects.toMatchObject({ code: 'cli_usage', message: expect.stringContaining('--continue: ') })
})
