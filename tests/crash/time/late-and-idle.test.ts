import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MemoryStore } from '../../../src/checkpoint/memory-store.ts'
import { freshSeed, Random } from '../../../src/core/random.ts'
import { Crash, Trial } from '../../../src/headrace/dlq/testing.ts'

/**
 * R18: two files that grow, one of which falls silent; rows out of order within the bound and beyond it, and stamps of
 * the far future. Every row that went in is on time, late or quarantined, and the table is exact; also behind a crash.
 */

const SQL = `
SET checkpoint.interval = '50ms';
SET late_data = 'dlq';
CREATE STREAM s (id BIGINT, t TIMESTAMP, WATERMARK FOR t AS t - INTERVAL '5' SECOND)
  FROM 'file:part-*.jsonl?watch=true&poll_interval=100ms&idle_timeout=300ms';
SELECT window_start AS w, COUNT(*) AS n, SUM(id) AS ids FROM s GROUP BY TUMBLE(t, INTERVAL '10' SECOND)`

const WINDOW_MS = 10_000
const DAY_MS = 86_400_000

test('rows on time, late and of the future add up while a split is idle', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const folder = mkdtempSync(join(tmpdir(), 'headrace-idle-'))
  const trial = new Trial({ directory: folder, text: SQL, store: new MemoryStore() })
  const start = Math.floor((Date.now() - 3_600_000) / WINDOW_MS) * WINDOW_MS
  const table = new Map<number, { n: number; ids: number }>()
  const late: number[] = []
  const future: number[] = []
  let id = 0

  const line = (at: number): string => `{"id":${id},"t":"${new Date(at).toISOString()}"}\n`
  const put = (part: string, lines: readonly string[]): void => appendFileSync(join(folder, part), lines.join(''))
  const onTime = (at: number): string => {
    const w = Math.floor(at / WINDOW_MS) * WINDOW_MS
    const group = table.get(w) ?? { n: 0, ids: 0 }
    const text = line(at)
    table.set(w, { n: group.n + 1, ids: group.ids + id++ })
    return text
  }
  /** `count` rows from `from` on that rise by up to 100 ms and stray by less than the bound. */
  const rising = (from: number, count: number): { readonly lines: string[]; readonly end: number } => {
    let at = from
    const lines = Array.from({ length: count }, () => {
      at += random.below(100)
      return onTime(Math.max(from, at - random.below(5000)))
    })
    return { lines, end: at }
  }

  // Both have rows; then b falls silent, and what a has must come all the same.
  writeFileSync(join(folder, 'part-b.jsonl'), rising(start, 50).lines.join(''))
  const first = rising(start, 2000)
  writeFileSync(join(folder, 'part-a.jsonl'), first.lines.join(''))
  const isClosed = (ms: number): boolean => {
    const before = Math.floor(ms / WINDOW_MS) * WINDOW_MS - WINDOW_MS
    return trial.collected.rows.some(({ values: [w] }) => Number(w) / 1000 >= before)
  }
  let steps = [
    {
      until: () => isClosed(first.end - 20_000),
      put: () => {
        // Windows that are closed by now.
        const lines = Array.from({ length: 40 }, () => {
          late.push(id)
          const text = line(start + random.below(20_000))
          id++
          return text
        })
        for (let i = 0; i < 10; i++) {
          future.push(id)
          lines.splice(random.below(lines.length), 0, line(Date.now() + DAY_MS))
          id++
        }
        put('part-a.jsonl', lines)
      },
    },
    {
      until: () => trial.entries().length === late.length + future.length,
      put: () => put('part-a.jsonl', rising(first.end, 500).lines),
    },
    {
      until: () => isClosed(first.end),
      // Moves the watermark past everything; its own window stays open.
      put: () => put('part-a.jsonl', [line(first.end + 3 * WINDOW_MS + 60_000)]),
    },
    { until: () => trial.collected.rows.length === table.size, put: () => undefined },
  ]

  const run = async (crashes: boolean): Promise<number> => {
    const stop = new AbortController()
    const { rowsIn } = await trial.run(
      {
        onPhase: (phase) => {
          if (phase !== 'prune' || steps.length === 0) return
          if (!steps[0]!.until()) {
            // Were all splits idle, the watermark would stay (idle_policy = hold).
            if (steps.length === 4) put('part-a.jsonl', [onTime(first.end)])
            return
          }
          steps[0]!.put()
          steps = steps.slice(1)
          if (steps.length === 0) stop.abort()
        },
        ...(crashes ? { afterItem: () => (steps.length < 3 ? Promise.reject(new Crash()) : Promise.resolve()) } : {}),
      },
      stop.signal,
    )
    return rowsIn
  }
  try {
    await expect(run(true)).rejects.toThrow(Crash)
    const rowsIn = await run(false)
    const byWindow = ([a]: readonly number[], [b]: readonly number[]): number => a! - b!
    const found = trial.collected.rows.map(({ values: [w, n, ids] }) => [Number(w) / 1000, Number(n), Number(ids)])
    const wanted = [...table].map(([w, { n, ids }]) => [w, n, ids]).sort(byWindow)
    expect(found.sort(byWindow), `seed ${seed}`).toEqual(wanted)
    const byCode = Map.groupBy(trial.entries(), ({ code }) => code)
    const idsOf = (code: string): number[] =>
      byCode
        .get(code)!
        .map(({ text }) => Number(/"id":"?(\d+)/.exec(text)![1]!))
        .sort((a, b) => a - b)
    expect(idsOf('row_future_timestamp')).toEqual(future.sort((a, b) => a - b))
    expect(idsOf('row_late')).toEqual(late)
    const timely = wanted.reduce((sum, [, n]) => sum + n!, 0)
    expect(rowsIn).toBe(timely + late.length + future.length + 1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
