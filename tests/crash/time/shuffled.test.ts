import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MemoryStore } from '../../../src/checkpoint/memory-store.ts'
import { freshSeed, Random } from '../../../src/core/random.ts'
import { Crash, Trial } from '../../../src/headrace/dlq/testing.ts'

/**
 * R17: what a query gives does not depend on the order of rows within the bound of lateness, on the size of batches, on
 * checkpoints, or on a crash.
 */

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-shuffled-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const ROWS = 1400
const LATENESS_MS = 5000
const START_MS = Date.UTC(2026, 0, 1)
const SHUFFLES = 5
const BATCH_ROWS = [1, 7, 1024]

const INPUT = `CREATE STREAM s (t TIMESTAMP, k STRING, v BIGINT, d DOUBLE,
  WATERMARK FOR t AS t - INTERVAL '5' SECOND) FROM 'file:in.jsonl?read_bytes=8192';\n`
const QUERIES = {
  tumble: `SELECT window_start AS w, k, COUNT(*) AS n, SUM(v) AS s, MIN(v) AS lo, MAX(v) AS hi, AVG(v) AS m, SUM(d) AS d
    FROM s GROUP BY k, TUMBLE(t, INTERVAL '10' SECOND)`,
  distinct: `SELECT window_start AS w, COUNT(DISTINCT k) AS ks, SUM(DISTINCT v) AS vs
    FROM s WHERE v % 3 <> 0 GROUP BY TUMBLE(t, INTERVAL '3' SECOND)`,
  having: `SELECT window_end AS w, k, COUNT(*) FILTER (WHERE d > 60) AS n
    FROM s GROUP BY TUMBLE(t, INTERVAL '15' SECOND), k HAVING MAX(v) > 950`,
  stacked: `SELECT window_start AS w, MAX(n) AS most FROM (
      SELECT window_time AS t, k, COUNT(*) AS n FROM s GROUP BY k, TUMBLE(t, INTERVAL '2' SECOND)
    ) GROUP BY TUMBLE(t, INTERVAL '8' SECOND)`,
} as const

interface InputRow {
  readonly at: number
  readonly text: string
}

/** Rows whose times rise; distinct, so that no result hangs on how equal times are ordered. */
function draw(random: Random): InputRow[] {
  let at = START_MS
  return Array.from({ length: ROWS }, () => {
    at += 1 + random.below(80)
    const row = {
      t: new Date(at).toISOString(),
      k: `k${random.below(7)}`,
      v: random.below(1000),
      d: random.below(1000) / 8,
    }
    return { at, text: JSON.stringify(row) }
  })
}

/** An order in which no row comes later than `LATENESS_MS` behind the newest before it. */
const shuffled = (rows: readonly InputRow[], random: Random): readonly InputRow[] =>
  rows
    .map((row) => ({ row, at: row.at + random.below(LATENESS_MS) }))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row)

interface Variant {
  readonly batchRows: number
  /** Crashes behind so many items, with a checkpoint behind every one; undefined: neither. */
  readonly crashAt: number | undefined
}

async function result(query: string, { batchRows, crashAt }: Variant): Promise<readonly string[]> {
  const trial = new Trial({ directory: folder, text: `${INPUT}${query};`, store: new MemoryStore() })
  trial.batchRows = batchRows
  if (crashAt === undefined) {
    await trial.run()
  } else {
    let items = 0
    const afterItem = async (take: () => Promise<unknown>): Promise<void> => {
      items++
      if (items < crashAt) await take()
      else if (items === crashAt) throw new Crash()
    }
    await expect(trial.run({ afterItem })).rejects.toThrow(Crash)
    expect(items).toBe(crashAt)
    await trial.run()
  }
  const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)
  return trial.collected.rows.map((row) => JSON.stringify(row, text)).sort()
}

for (const [name, query] of Object.entries(QUERIES)) {
  test(`${name}: all variants agree`, async () => {
    const seed = freshSeed()
    const random = new Random(seed)
    const rows = draw(random)
    const variants: Variant[] = BATCH_ROWS.flatMap((batchRows) => [
      { batchRows, crashAt: undefined },
      { batchRows, crashAt: 2 + random.below(5) },
    ])
    const results = new Map<string, string[]>()
    let runs = 0
    for (let shuffle = 0; shuffle < SHUFFLES; shuffle++) {
      const order = shuffle === 0 ? rows : shuffled(rows, random)
      writeFileSync(join(folder, 'in.jsonl'), `${order.map(({ text }) => text).join('\n')}\n`)
      for (const variant of variants) {
        const found = (await result(query, variant)).join('\n')
        results.set(found, [...(results.get(found) ?? []), `${shuffle} ${JSON.stringify(variant)}`])
        runs++
      }
    }
    expect(runs).toBeGreaterThanOrEqual(30)
    expect([...results.keys()][0]!.split('\n').length).toBeGreaterThan(3)
    expect([...results.values()], `seed ${seed}`).toHaveLength(1)
  })
}
