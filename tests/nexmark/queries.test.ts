import { expect, test } from 'vitest'
import type { Sink } from '../../src/connectors/contract.ts'
import { type Row, rowAt } from '../../src/core/row-batch.ts'
import { DeadLetters } from '../../src/headrace/dead-letters.ts'
import { Engine, type EngineOptions } from '../../src/headrace/engine.ts'
import { Pipeline } from '../../src/headrace/pipeline.ts'
import { compileScript } from '../../src/headrace/script.ts'

const prelude = (uri: string): string => `
CREATE STREAM events (event_type INT,
  person STRUCT<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, dateTime TIMESTAMP, extra STRING>,
  auction STRUCT<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, dateTime TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra STRING>,
  bid STRUCT<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime TIMESTAMP, extra STRING>,
  row_time AS COALESCE(person.dateTime, auction.dateTime, bid.dateTime), WATERMARK FOR row_time AS row_time - INTERVAL '4' SECOND
) FROM '${uri}';
CREATE VIEW bid AS SELECT bid.* REPLACE (row_time AS dateTime) FROM events WHERE event_type = 2;
`

async function run(sql: string, uri: string, options: EngineOptions = {}): Promise<readonly Row[]> {
  const engine = new Engine(options)
  const text = prelude(uri) + sql
  const script = { file: 'q.sql', text, baseDirectory: '.', name: undefined, parameters: new Map() }
  const { plan } = await compileScript(engine, script)
  const rows: Row[] = []
  const sink: Sink = {
    write: async (batch) => {
      for (let row = 0; row < batch.rows; row++) rows.push(rowAt(batch, row))
      return []
    },
    flush: async () => [],
    health: async () => ({ state: 'healthy', issues: [] }),
    [Symbol.asyncDispose]: async () => undefined,
  }
  const deadLetters = new DeadLetters((letter) => {
    throw new Error(letter.detail)
  })
  const pipeline = new Pipeline(engine, { plan, baseDirectory: '.', deadLetters, client: () => sink })
  await pipeline.run(new AbortController().signal)
  return rows
}

const CHANNEL = `REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2)`

/** The query inside its checks: rows, then sums, in the units of nexmark.md §6 (decimals scaled to integers). */
const checks: readonly { readonly query: string; readonly sql: string; readonly expected: readonly unknown[] }[] = [
  {
    query: 'q0',
    sql: 'SELECT COUNT(*), SUM(price) FROM (SELECT auction, bidder, price, dateTime, extra FROM bid)',
    expected: [92_000, 676_614_808_144],
  },
  {
    query: 'q1',
    sql: 'SELECT COUNT(*), SUM(price) FROM (SELECT auction, bidder, 0.908 * price AS price, dateTime, extra FROM bid)',
    expected: [92_000, 614_366_245_794_752],
  },
  {
    query: 'q2',
    sql: 'SELECT COUNT(*), SUM(price) FROM (SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0)',
    expected: [376, 2_969_502_662],
  },
  {
    query: 'q14',
    sql: `SELECT COUNT(*), SUM(price), SUM(c_counts), MIN(bidTimeType), MAX(bidTimeType) FROM (
      SELECT auction, bidder, 0.908 * price AS price, CASE WHEN HOUR(dateTime) >= 8 AND HOUR(dateTime) <= 18 THEN 'dayTime'
        WHEN HOUR(dateTime) <= 6 OR HOUR(dateTime) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS bidTimeType, dateTime, extra,
        LENGTH(extra) - LENGTH(REPLACE(extra, 'c', '')) AS c_counts FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000)`,
    expected: [26_251, 331_337_027_171_564, 67_499, 'nightTime', 'nightTime'],
  },
  {
    query: 'q21',
    sql: `SELECT COUNT(*), SUM(CAST(channel_id AS BIGINT)) FROM (SELECT auction, bidder, price, channel, CASE LOWER(channel) WHEN 'apple' THEN '0'
      WHEN 'google' THEN '1' WHEN 'facebook' THEN '2' WHEN 'baidu' THEN '3' ELSE ${CHANNEL} END AS channel_id FROM bid
      WHERE ${CHANNEL} IS NOT NULL OR LOWER(channel) IN ('apple', 'google', 'facebook', 'baidu'))`,
    expected: [87_474, 44_471_142_125_096],
  },
  {
    query: 'q22',
    sql: `SELECT COUNT(*) FROM (SELECT DISTINCT SPLIT_INDEX(url, '/', 3) AS dir1, SPLIT_INDEX(url, '/', 4) AS dir2, SPLIT_INDEX(url, '/', 5) AS dir3 FROM bid)`,
    expected: [9_919],
  },
]

const G1 = 'nexmark://events?events=100000&rate=1000'

for (const { query, sql, expected } of checks) {
  test(`${query} on the golden run`, async () => {
    expect((await run(sql, G1)).map((row) => row.values)).toEqual([expected])
  })
  test(`${query} out of order, over four splits, in batches of 500`, async () => {
    const rows = await run(sql, `${G1}&out_of_order=100&partitions=4`, { batchRows: 500 })
    expect(rows.map((row) => row.values)).toEqual([expected])
  })
}

test('q2 begins with (1107, 2240)', async () => {
  const rows = await run('SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0 LIMIT 1', G1)
  expect(rows.map((row) => row.values)).toEqual([[1107, 2240]])
})
