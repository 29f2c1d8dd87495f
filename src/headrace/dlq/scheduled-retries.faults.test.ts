import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MemoryStore } from '../../checkpoint/memory-store.ts'
import { ManualClock } from '../../core/clock.ts'
import { freshSeed, Random } from '../../core/random.ts'
import type { Digest } from '../run-digest.ts'
import { Crash, Trial } from './testing.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-retries-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const ROWS = 100
const all = Array.from({ length: ROWS }, (_, id) => id)

function trial(more: string, clock: ManualClock): Trial {
  writeFileSync(join(directory, 'in.jsonl'), `${all.map((id) => `{"id":${id}}`).join('\n')}\n`)
  const text = `-- @name p
    SET checkpoint.interval = 'off'; SET dlq.rate_min = 'off'; SET dlq.reprocess_interval = '1s'; ${more}
    CREATE STREAM s (id BIGINT) FROM 'file:in.jsonl'; SELECT id FROM s`
  const one = new Trial({ directory, text, store: new MemoryStore(), clock })
  one.batchRows = 5
  return one
}

/** Gives what sleeps on the clock its turn. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
}

const idOf = ({ text }: { readonly text: string }): number => (JSON.parse(text) as { id: number }).id

test('what a target did not take runs again by itself, until it passes or its retries are used up', async () => {
  const clock = new ManualClock()
  const one = trial('SET dlq.retries = 2; SET dlq.retry_jitter = 0;', clock)
  let items = 0
  const afterItem = async (take: () => Promise<unknown>): Promise<void> => {
    items++
    // The first batch fails three times: when it is read, after one second, and after two more.
    one.collected.away = items === 1 || items === 3
    clock.advance(1000)
    await turns()
    await take()
  }
  one.collected.away = true
  const digest = await one.run({ afterItem })
  const seen = one.entries().map((entry) => [idOf(entry), entry.retryState, entry.attempts])
  const batch = (from: number, ...facts: readonly unknown[]) => all.slice(from, from + 5).map((id) => [id, ...facts])
  expect(seen).toEqual([...batch(0, 'gave_up', 3), ...batch(5, 'resolved', 2), ...batch(15, 'resolved', 2)])
  const delivered = one.collected.rows.map(({ values }) => values[0] as number)
  expect(delivered.toSorted((a, b) => a - b)).toEqual(all.slice(5))
  expect([digest.rowsIn, digest.rowsOut[0]!.rows, [...digest.rejected]]).toEqual([
    ROWS,
    ROWS - 5,
    [['connector_unreachable', 5]],
  ])
})

test('whatever crashes, every row is delivered once or waits as a dead letter', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const seen = { resolved: 0, waiting: 0, crashes: 0 }
  for (let round = 0; round < 25; round++) {
    rmSync(join(directory, 'dlq'), { recursive: true, force: true })
    const clock = new ManualClock()
    const one = trial('SET dlq.retries = 3;', clock)
    let digest: Digest | undefined
    while (digest === undefined) {
      one.collected.away = random.chance(0.5)
      try {
        digest = await one.run({
          afterItem: async (take) => {
            one.collected.away = random.chance(0.4)
            clock.advance(random.between(200, 3000))
            await turns()
            if (random.chance(0.3)) await take()
            if (random.chance(0.08)) throw new Crash()
          },
        })
      } catch (error) {
        if (!(((error as { cause?: unknown }).cause ?? error) instanceof Crash)) throw error
        seen.crashes++
      }
    }
    const entries = one.entries()
    const waiting = entries.filter(({ state }) => state === 'pending').map(idOf)
    const delivered = one.collected.rows.map(({ values }) => values[0] as number)
    const note = `seed ${seed}, round ${round}`
    expect(
      [...delivered, ...waiting].toSorted((a, b) => a - b),
      note,
    ).toEqual(all)
    expect([digest.rowsIn, digest.rowsOut[0]!.rows, digest.rejected.get('connector_unreachable') ?? 0], note).toEqual([
      ROWS,
      delivered.length,
      waiting.length,
    ])
    seen.resolved += entries.length - waiting.length
    seen.waiting += waiting.length
  }
  expect(Math.min(seen.resolved, seen.waiting, seen.crashes), JSON.stringify({ seed, ...seen })).toBeGreaterThan(10)
})
