import { DuckDBInstance } from '@duckdb/node-api'
import type { Case } from './cases.ts'

/** What a reader that knows nothing of Headrace finds; all but `acked` and `seen` must be 0. */
export interface Verdict {
  readonly acked: number
  readonly seen: number
  readonly lost: number
  readonly dup: number
  readonly corrupt: number
  /** Records of one key whose order in a file is not that of their sequence. */
  readonly inverted: number
}

const record = "{id: 'BIGINT', key: 'VARCHAR', seq: 'BIGINT', ts: 'VARCHAR', amount: 'DOUBLE', \"check\": 'BIGINT'}"
const input = record.replace("ts: 'VARCHAR'", "ts: 'BIGINT'")

const list = (folder: string, globs: readonly string[]): string =>
  `[${globs.map((glob) => `'${folder}/${glob}'`).join(', ')}]`

/** Compares what is in the inputs with what is in the outputs. */
export async function judge(folder: string, { inputs, outputs, verdict }: Case): Promise<Verdict> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const numbers = async (sql: string): Promise<number[]> => {
    const rows = (await connection.runAndReadAll(sql)).getRows()
    return rows[0]!.map(Number)
  }
  const read = (globs: readonly string[], columns: string): string =>
    `read_json(${list(folder, globs)}, format='newline_delimited', columns=${columns}, filename=true)`
  try {
    await connection.run(`CREATE TABLE sent AS SELECT * FROM ${read(inputs, input)}`)
    if (verdict === 'records') {
      await connection.run(`CREATE TABLE got AS SELECT *, row_number() OVER () AS place FROM ${read(outputs, record)}`)
      const [acked = 0, seen = 0, lost = 0, dup = 0, corrupt = 0, inverted = 0] = await numbers(`SELECT
        (SELECT count(*) FROM sent), (SELECT count(*) FROM got),
        (SELECT count(*) FROM sent WHERE id NOT IN (SELECT id FROM got)),
        (SELECT count(*) - count(DISTINCT id) FROM got),
        (SELECT count(*) FROM got LEFT JOIN sent USING (id) WHERE sent.id IS NULL OR got.key <> sent.key
          OR got.seq <> sent.seq OR got.amount <> sent.amount OR got."check" <> sent."check"
          OR epoch_ms(got.ts::TIMESTAMP) <> sent.ts),
        (SELECT count(*) FROM (SELECT seq, lag(seq) OVER (PARTITION BY filename, key ORDER BY place) AS before FROM got)
          WHERE seq < before)`)
      return { acked, seen, lost, dup, corrupt, inverted }
    }
    const row = "{window_start: 'TIMESTAMP', key: 'VARCHAR', n: 'BIGINT', amount: 'DOUBLE'}"
    await connection.run(`CREATE TABLE got AS SELECT * FROM ${read(outputs, row)}`)
    // The last windows are open: their end is beyond the last event time.
    await connection.run(`CREATE TABLE want AS SELECT make_timestamp((ts // 1000) * 1000000) AS window_start, key,
      count(*) AS n, sum(amount) AS amount FROM sent
      WHERE (ts // 1000 + 1) * 1000 <= (SELECT max(ts) FROM sent) GROUP BY 1, 2`)
    const [acked = 0, seen = 0, lost = 0, dup = 0, corrupt = 0] = await numbers(`SELECT
      (SELECT count(*) FROM want), (SELECT count(*) FROM got),
      (SELECT count(*) FROM want ANTI JOIN got USING (window_start, key)),
      (SELECT count(*) - count(DISTINCT (window_start, key)) FROM got),
      (SELECT count(*) FROM got LEFT JOIN want USING (window_start, key) WHERE want.n IS NULL OR want.n <> got.n
        OR abs(want.amount - got.amount) > 1e-6)`)
    return { acked, seen, lost, dup, corrupt, inverted: 0 }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

export const isClean = ({ lost, dup, corrupt, inverted, seen }: Verdict): boolean =>
  seen > 0 && lost + dup + corrupt + inverted === 0
