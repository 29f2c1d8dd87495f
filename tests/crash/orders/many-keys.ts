import { appendFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { Random } from '../../../src/core/random.ts'
import type { Form, Report } from '../report.ts'
import { Bench, entered, pause, until } from './bench.ts'

const KEYS = 20_000
const ROWS_PER_ROUND = 50_000
const ROUNDS = 3
const LAST_MS = 60_000

/** One window holds everything until the last row. */
const SCRIPT = `-- @name p
SET checkpoint.interval = '100ms';
CREATE STREAM s (id BIGINT, k STRING, v BIGINT, t TIMESTAMP, WATERMARK FOR t AS t)
  FROM 'file:in.jsonl?watch=true&poll_interval=100ms';
INSERT INTO 'out/' SELECT k, MIN(v) AS lo, MAX(v) AS hi, SUM(v) AS s, COUNT(*) AS n, AVG(v) AS m
  FROM s GROUP BY k, TUMBLE(t, INTERVAL '1' DAY);
`
const DAY_MS = 86_400_000
const START_MS = 19_700 * DAY_MS

/** Five aggregates over 20,000 keys whose state is killed three times: all values equal those of the whole input (R13). */
export async function r13(form: Form, report: Report): Promise<void> {
  await report.test('R13', async () => {
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-r13`)
    const random = new Random(form.seed)
    await using bench = new Bench(folder, SCRIPT)
    const input = join(folder, 'in.jsonl')
    const put = (rows: number, key: () => number): void => {
      const lines = Array.from({ length: rows }, () => {
        const id = bench.rows++
        return `{"id":${id},"k":"key ${key()}","v":${random.between(-1_000_000, 1_000_000)},"t":${START_MS + (id % 1000)}}\n`
      })
      appendFileSync(input, lines.join(''))
    }
    let next = 0
    for (let round = 0; round < ROUNDS; round++) {
      const run = bench.start()
      await entered(run, 'claim')
      const phase = random.pick(['align', 'prepare', 'persist', 'commit', 'mark', 'prune'])
      // Every key has a row; the rest fall where they may.
      for (let part = 0; part < 5; part++) {
        const hit = run.reached(phase)
        put(ROWS_PER_ROUND / 5, () => (next < KEYS ? next++ : random.below(KEYS)))
        if (part > random.below(5)) await hit
      }
      await pause(random.below(30))
      run.kill()
      await run.ended
    }
    appendFileSync(input, `{"id":-1,"k":"after","v":0,"t":${START_MS + 2 * DAY_MS}}\n`)
    const last = bench.start()
    await entered(last, 'claim')
    await until('the window is out', () => bench.seen() >= KEYS || last.hasEnded, LAST_MS)
    await bench.stop(last)
    const facts = await compare(folder)
    rmSync(folder, { recursive: true })
    return `kills ${ROUNDS}, rows ${bench.rows}; ${facts}; seed ${form.seed}`
  })
}

async function compare(folder: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const columns = "{k: 'VARCHAR', lo: 'BIGINT', hi: 'BIGINT', s: 'BIGINT', n: 'BIGINT', m: 'DOUBLE'}"
    const sql = `WITH input AS (
        SELECT k, min(v) AS lo, max(v) AS hi, sum(v)::BIGINT AS s, count(*) AS n, avg(v) AS m
        FROM read_json('${folder}/in.jsonl', format='newline_delimited', columns={id: 'BIGINT', k: 'VARCHAR', v: 'BIGINT'})
        WHERE id >= 0 GROUP BY k),
      output AS (SELECT * FROM read_json('${folder}/out/*.jsonl', format='newline_delimited', columns=${columns}))
      SELECT (SELECT count(*) FROM output), count(*) FILTER (
        o.lo IS NOT DISTINCT FROM i.lo AND o.hi = i.hi AND o.s = i.s AND o.n = i.n AND abs(o.m - i.m) <= 1e-9 * abs(i.m))
      FROM input i FULL JOIN output o USING (k)`
    const [written, equal] = (await connection.runAndReadAll(sql)).getRows()[0]!.map(Number) as [number, number]
    const facts = `values ${5 * written}, keys equal ${equal} of ${KEYS}`
    if (written !== KEYS || equal !== KEYS) throw new Error(`${facts} (${folder})`)
    return facts
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
