import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { prelude, queries } from './queries.ts'

// npm run nexmark:oracle [events]: the queries over generated events equal DuckDB over the JSON of the same events.
const root = join(import.meta.dirname, '../..')
const data = join(root, 'bench/data')
const events = Number(process.argv[2] ?? 1_000_000)
const SEED = 7

const headrace = (args: readonly string[]): void => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

mkdirSync(data, { recursive: true })
const file = join(data, `nexmark-${events}.jsonl`)
if (!existsSync(file)) headrace(['nexmark', '--events', String(events), '--seed', String(SEED), '--out', file])
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
const bidType =
  'STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, dateTime TIMESTAMP, extra VARCHAR)'
await connection.run(
  `CREATE TABLE bid AS SELECT bid.* FROM read_json('${file}', format='newline_delimited', columns={event_type: 'INT', bid: '${bidType}'}) WHERE event_type = 2`,
)
let failed = 0
for (const { name, ours, duckdb, columns } of queries) {
  const output = join(data, `nexmark-${name}.jsonl`)
  headrace([
    'run',
    '-e',
    `${prelude(`nexmark://events?events=${events}&seed=${SEED}`)} INSERT INTO '${output}' ${ours};`,
  ])
  await connection.run(
    `CREATE OR REPLACE TABLE ours AS SELECT * FROM read_json('${output}', format='newline_delimited', columns=${columns})`,
  )
  await connection.run(`CREATE OR REPLACE TABLE theirs AS ${duckdb}`)
  const reader = await connection.runAndReadAll(
    'SELECT (SELECT count(*) FROM ours), (SELECT count(*) FROM (FROM ours EXCEPT ALL FROM theirs)), (SELECT count(*) FROM (FROM theirs EXCEPT ALL FROM ours))',
  )
  const [rows, onlyOurs, onlyTheirs] = reader.getRows()[0]!.map(Number) as [number, number, number]
  const equal = onlyOurs === 0 && onlyTheirs === 0 && rows > 0
  if (!equal) failed++
  process.stdout.write(
    `${name}: ${rows} rows, ${equal ? 'equal to DuckDB' : `${onlyOurs} only ours, ${onlyTheirs} only DuckDB's`}\n`,
  )
}
process.exit(failed === 0 ? 0 : 1)
