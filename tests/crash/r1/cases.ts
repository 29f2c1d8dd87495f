import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** One pipeline of R1 and how a foreign reader judges what it wrote. */
export interface Case {
  readonly name: string
  readonly inputs: readonly string[]
  readonly sql: string
  /** A DuckDB relation over the output with the columns of the verdict. */
  readonly verdict: 'records' | 'windows'
  /** Globs below the folder of the run. */
  readonly outputs: readonly string[]
}

const columns = '(id BIGINT, key STRING, seq BIGINT, ts TIMESTAMP, amount DOUBLE, "check" BIGINT)'
const source = (name: string, path: string): string =>
  `CREATE STREAM ${name} ${columns} FROM 'file:${path}?watch=true&poll_interval=100ms&event_time=ts&watermark_delay=0ms';`
const all = `id, key, seq, ts, amount, "check"`

export const cases: readonly Case[] = [
  {
    name: 'new-files',
    inputs: ['in.jsonl'],
    sql: `${source('s', 'in.jsonl')}\nINSERT INTO 'out/' SELECT ${all} FROM s;`,
    verdict: 'records',
    outputs: ['out/*.jsonl'],
  },
  {
    name: 'appended',
    inputs: ['in.jsonl'],
    sql: `${source('s', 'in.jsonl')}\nINSERT INTO 'out.jsonl' SELECT ${all} FROM s;`,
    verdict: 'records',
    outputs: ['out.jsonl'],
  },
  {
    name: 'windowed-partitioned',
    inputs: ['in.jsonl'],
    sql:
      `${source('s', 'in.jsonl')}\n` +
      `INSERT INTO 'file:out/?partition_by=key' SELECT window_start, key, COUNT(*) AS n, SUM(amount) AS amount\n` +
      'FROM TUMBLE(s, ts, INTERVAL 1 SECOND) GROUP BY window_start, key;',
    verdict: 'windows',
    outputs: ['out/**/*.jsonl'],
  },
  {
    name: 'union-two-sinks',
    inputs: ['a.jsonl', 'b.jsonl'],
    sql:
      `${source('a', 'a.jsonl')}\n${source('b', 'b.jsonl')}\n` +
      `CREATE STREAM u AS SELECT ${all} FROM a UNION ALL SELECT ${all} FROM b;\n` +
      `INSERT INTO 'even/' SELECT ${all} FROM u WHERE id % 2 = 0;\n` +
      `INSERT INTO 'odd/' SELECT ${all} FROM u WHERE id % 2 = 1;`,
    verdict: 'records',
    outputs: ['even/*.jsonl', 'odd/*.jsonl'],
  },
]

export function prepare(folder: string): void {
  mkdirSync(join(folder), { recursive: true })
}
