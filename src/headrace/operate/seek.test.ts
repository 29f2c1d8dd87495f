import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { resolveBlocked } from '../durable/resolution.ts'
import { TestPlace } from '../durable/testing.ts'
import { type KeptPipeline, keptPipeline } from './kept-pipelines.ts'
import { overviewOf } from './overview.ts'
import { type Seek, type Sought, seek } from './seek.ts'
import { snapshotFacts } from './snapshot-facts.ts'
import { storedSnapshots } from './stored-snapshots.ts'

let place: TestPlace
let kept: KeptPipeline
beforeEach(() => {
  place = new TestPlace()
  place.put(Array.from({ length: 12 }, (_, i) => i))
})
afterEach(() => place[Symbol.dispose]())

const INPUT = "CREATE STREAM s (id BIGINT, t TIMESTAMP, WATERMARK FOR t AS t) FROM 'in.jsonl';"
const WINDOWS = `${INPUT} INSERT INTO 'file:out/?format=jsonl' SELECT window_start AS w, COUNT(*) AS n FROM s GROUP BY TUMBLE(t, 10s);`
const ROWS = `CREATE STREAM s (id BIGINT) FROM 'in.jsonl'; INSERT INTO 'file:out/?format=jsonl' SELECT id FROM s;`

async function run(text: string, items: number): Promise<void> {
  await place.run(text, items)
  kept = keptPipeline(place.dataDir, 's')
}

const written = (): number[] =>
  place
    .written()
    .map((row) => (row as { id: number }).id)
    .sort((a, b) => a - b)

/** The offset of the one split in every snapshot that has one. */
async function offsets(): Promise<string[]> {
  const found: string[] = []
  for await (const stored of storedSnapshots(kept.store, 's')) {
    const offset = snapshotFacts(stored).sources[0]?.splits[0]?.offset
    if (typeof offset === 'string') found.push(offset)
  }
  return found
}

async function move(to: string, state?: Seek['state'], more: Partial<Seek> = {}): Promise<Sought> {
  const { split } = (await lastFacts()).sources[0]!.splits[0]!
  return await seek(kept, { source: 's', split, to, state, ...more }, systemClock)
}

async function lastFacts(): Promise<ReturnType<typeof snapshotFacts>> {
  let last: ReturnType<typeof snapshotFacts> | undefined
  for await (const stored of storedSnapshots(kept.store, 's')) {
    if (stored.meta?.reason !== 'claim') last = snapshotFacts(stored)
  }
  return last!
}

test('a split goes on at an older offset, or at its beginning; sinks keep what they have', async () => {
  await run(ROWS, 2)
  const [four] = await offsets()
  await run(ROWS, 1)
  expect(written()).toEqual([0, 1, 2, 3, 4, 5])
  expect(await move(four!)).toMatchObject({ source: 's', state: 'none', to: four })
  expect((await overviewOf(kept, systemClock)).state).toBe('stopped')
  await run(ROWS, 1)
  expect(written()).toEqual([0, 1, 2, 3, 4, 4, 5, 5])
  expect(await move('earliest')).toMatchObject({ to: 'earliest' })
  await run(ROWS, 1)
  expect(written()).toEqual([0, 0, 1, 1, 2, 3, 4, 4, 5, 5])
})

test('the state of operators is kept or dropped as is said', async () => {
  await run(WINDOWS, 2)
  await expect(move('earliest')).rejects.toMatchObject({
    code: 'cli_usage',
    hint: expect.stringContaining('--drop-state'),
  })
  expect((await move('earliest', 'drop')).state).toBe('dropped')
  await run(WINDOWS, 100)
  expect(place.written()).toEqual([
    { w: '2026-01-01T00:00:00Z', n: 10 },
    { w: '2026-01-01T00:00:10Z', n: 2 },
  ])
})

test('state that is kept counts rows that come again once more', async () => {
  await run(WINDOWS, 2)
  await move('earliest', 'keep')
  await run(WINDOWS, 100)
  expect(place.written()[0]).toEqual({ w: '2026-01-01T00:00:00Z', n: 14 })
})

test('what does not fit is refused with what would', async () => {
  await run(ROWS, 2)
  await expect(move('earliest', undefined, { source: 'u' })).rejects.toMatchObject({ hint: 'did you mean "s"?' })
  await expect(move('earliest', undefined, { split: 'other' })).rejects.toMatchObject({
    hint: expect.stringContaining('in.jsonl'),
  })
  await run(ROWS, 100)
  await expect(move('earliest')).rejects.toMatchObject({ code: 'pipeline_refused' })
})

/** Removes the snapshots above the claim of the last start: the sink holds more than is left. */
function loseNewest(count: number): void {
  const folder = join(kept.folder, 'checkpoints')
  const names = readdirSync(folder).filter((name) => /^\d+\.ckpt$/.test(name))
  for (const name of names.sort().slice(-count)) {
    rmSync(join(folder, name))
    rmSync(join(folder, name.replace('ckpt', 'done')), { force: true })
  }
  rmSync(join(folder, 'LATEST'))
}

test('a start that is blocked goes on once a user has said what the sink holds', async () => {
  await run(ROWS, 1)
  await run(ROWS, 1)
  loseNewest(2)
  await expect(run(ROWS, 1)).rejects.toMatchObject({
    code: 'connector_commit_ambiguous',
    hint: expect.stringMatching(/headrace pipelines resolve s --epoch \d+ --as committed/),
  })
  const { state, blocked } = await overviewOf(kept, systemClock)
  expect([state, blocked]).toEqual(['blocked', expect.objectContaining({ held: expect.any(String) })])
  const held = BigInt(blocked!.held)
  const say = (epoch: bigint) => resolveBlocked(kept.folder, { pipeline: 's', epoch, as: 'absent' })
  await expect(say(held + 1n)).rejects.toMatchObject({ code: 'cli_usage' })
  await say(held)
  await expect(say(held)).rejects.toMatchObject({ code: 'cli_usage' })
  const before = written()
  await run(ROWS, 1)
  expect(place.said.join()).toMatch(/the rows of epochs? \d.* are given again/)
  // Epochs go on above the one that the sink has heard of: what is read again is written, not taken for done.
  expect(BigInt((await lastFacts()).epoch!)).toBeGreaterThan(held)
  expect(written().length).toBe(before.length + 2)
  await run(ROWS, 100)
  expect(new Set(written()).size).toBe(12)
})
