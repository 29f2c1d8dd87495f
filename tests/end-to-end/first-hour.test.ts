import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { headrace, type Outcome } from './cli.ts'

let cwd: string
const put = (name: string, data: string | Uint8Array): void => writeFileSync(join(cwd, name), data)
const lines = (n: number): string => Array.from({ length: n }, (_, i) => `{"id":${i},"city":"c${i % 3}"}\n`).join('')

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-first-hour-'))
  put('people.jsonl', lines(10))
  put('broken.jsonl', `${lines(3)}{"id":\n`)
  put('big.jsonl', lines(200_000))
  put('quoted.csv', '\ufeff"id","full\nname","a,b"\r\n1,"Ada ""L""\nLovelace",x\r\n2,Bob,"y,z"\r\n')
  put('people.jsonl.gz', gzipSync(lines(10)))
  put('people.jsonl.zst', zstdCompressSync(Buffer.from(lines(10))))
  put('cut.jsonl.gz', gzipSync(lines(50_000)).subarray(0, 60_000))
  put('ids.jsonl', '{"id":3791411052119578828,"huge":327267367867168100000}\n{"id":990000000262240065,"huge":1}\n')
  put('pipeline.sql', "INSERT INTO 'out.jsonl' SELECT city, COUNT(*) AS n FROM 'people.jsonl' GROUP BY city;\n")
  put('misspelt.sql', "SELECT cty FROM 'people.jsonl';\n")
})
afterAll(() => rmSync(cwd, { recursive: true }))

interface Case {
  readonly name: string
  readonly args: readonly string[]
  readonly input?: string
  readonly code: number
  /** Standard error must contain each. */
  readonly err?: readonly string[]
  /** Standard output must be this. */
  readonly out?: string
}

const cases: readonly Case[] = [
  {
    name: 'a misspelt column',
    args: ['run', 'misspelt.sql'],
    code: 2,
    err: ['sql_column_not_found', 'misspelt.sql:1:8', 'did you mean "city"?'],
  },
  {
    name: 'a misspelt scheme',
    args: ['sql', "SELECT * FROM 'flie:people.jsonl'"],
    code: 2,
    err: ['connector_scheme_unknown', 'did you mean "file"?', ':1:'],
  },
  {
    name: 'a misspelt option',
    args: ['sql', "SELECT * FROM 'file:people.jsonl?formt=jsonl'"],
    code: 2,
    err: ['connector_option_unknown', 'did you mean "format"?'],
  },
  {
    name: 'a misspelt function',
    args: ['sql', "SELECT UPER(city) FROM 'people.jsonl'"],
    code: 2,
    err: ['sql_function_not_found', 'did you mean "UPPER"?'],
  },
  { name: 'a misspelt command', args: ['rnu', 'pipeline.sql'], code: 2, err: ['cli_usage', "unknown command 'rnu'"] },
  { name: 'a misspelt flag', args: ['run', '--jsn', 'pipeline.sql'], code: 2, err: ['cli_usage'] },
  { name: 'no script', args: ['run', 'missing.sql'], code: 3, err: ['connector_not_found', 'missing.sql'] },
  {
    name: 'no file',
    args: ['sql', "SELECT * FROM 'missing.jsonl'"],
    code: 3,
    err: ['connector_not_found', 'missing.jsonl'],
  },
  {
    name: 'two faults at once',
    args: ['validate', '-e', "SELECT cty, UPER(city) FROM 'people.jsonl'"],
    code: 2,
    err: ['sql_column_not_found', 'sql_function_not_found'],
  },
  { name: 'a script that is fine', args: ['validate', 'pipeline.sql'], code: 0, out: 'pipeline.sql: valid\n' },
  {
    name: 'an endless pipeline that is to replace a plain file',
    args: ['sql', "INSERT INTO 'file:x.jsonl?write_mode=overwrite' SELECT * FROM 'datagen://d?field.id=seq(1,1)'"],
    code: 2,
    err: ['connector_option_conflict', 'hint: '],
  },
  { name: 'a count', args: ['sql', "SELECT COUNT(*) AS n FROM 'people.jsonl'"], code: 0, out: '{"n":10}\n' },
  { name: 'gzip', args: ['sql', "SELECT COUNT(*) AS n FROM 'people.jsonl.gz'"], code: 0, out: '{"n":10}\n' },
  { name: 'zstd', args: ['sql', "SELECT COUNT(*) AS n FROM 'people.jsonl.zst'"], code: 0, out: '{"n":10}\n' },
  {
    name: 'standard input',
    args: ['sql', 'SELECT id FROM stdin WHERE id > 7'],
    input: lines(10),
    code: 0,
    out: '{"id":8}\n{"id":9}\n',
  },
  {
    name: 'a broken last line',
    args: ['sql', "SELECT id FROM 'broken.jsonl'"],
    code: 0,
    err: ['dead letter[connector_record_invalid]', 'broken.jsonl:4', '{"id":', 'dead letters 1'],
    out: '{"id":0}\n{"id":1}\n{"id":2}\n',
  },
  {
    name: 'CSV with BOM, CRLF, quoted newlines',
    args: ['cat', 'quoted.csv'],
    code: 0,
    out: '{"id":1,"full\\nname":"Ada \\"L\\"\\nLovelace","a,b":"x"}\n{"id":2,"full\\nname":"Bob","a,b":"y,z"}\n',
  },
  {
    name: '64-bit ids, and an unread number of 21 digits',
    args: ['sql', "CREATE STREAM s (id BIGINT) FROM 'ids.jsonl'; SELECT id FROM s"],
    code: 0,
    out: '{"id":3791411052119578828}\n{"id":990000000262240065}\n',
  },
  {
    name: 'a number of 21 digits read as DECIMAL',
    args: ['sql', "CREATE STREAM s (huge DECIMAL(38,0)) FROM 'ids.jsonl'; SELECT huge FROM s"],
    code: 0,
    out: '{"huge":327267367867168100000}\n{"huge":1}\n',
  },
  {
    name: 'a table',
    args: [
      'sql',
      '-o',
      'markdown',
      "SELECT city, COUNT(*) AS n FROM 'people.jsonl' GROUP BY city ORDER BY n DESC LIMIT 1",
    ],
    code: 0,
    out: '| city |   n |\n| ---- | --: |\n| c0   |   4 |\n',
  },
  { name: 'the columns of a file', args: ['describe', 'people.jsonl', '--json'], code: 0 },
  { name: 'an error code', args: ['explain-code', 'sql_column_not_found'], code: 0 },
  {
    name: 'an unknown error code',
    args: ['explain-code', 'sql_colum_not_found'],
    code: 2,
    err: ['did you mean "sql_column_not_found"'],
  },
  { name: 'the connectors', args: ['connectors'], code: 0 },
  { name: 'nothing off a terminal', args: [], code: 2, err: ['Usage: headrace'] },
]

test.concurrent.each(cases)('$name', async ({ args, input, code, err, out }: Case) => {
  const outcome: Outcome = await headrace(args, { cwd, input })
  expect({ code: outcome.code, err: outcome.err }).toMatchObject({ code })
  for (const text of err ?? []) expect(outcome.err).toContain(text)
  if (out !== undefined) expect(outcome.out).toBe(out)
})

test('a pipeline writes its file and says what it did', async () => {
  const { code, err } = await headrace(['run', 'pipeline.sql'], { cwd })
  expect(code).toBe(0)
  const [place, start, promise, end] = err.split('\n')
  expect(place).toBe(`pipeline: state is kept in ${join(cwd, '.headrace')}`)
  expect(start).toMatch(/^pipeline: starting from the beginning, lineage [0-9a-f]{8}$/)
  expect(promise).toMatch(/^people\.jsonl → out\.jsonl {3}exactly_once {5}/)
  expect(end).toMatch(/^done: in 10 · out 3 → out\.jsonl · \d+\.\d\d s$/)
  expect(readFileSync(join(cwd, 'out.jsonl'), 'utf8').trimEnd().split('\n').sort()).toEqual([
    '{"city":"c0","n":4}',
    '{"city":"c1","n":3}',
    '{"city":"c2","n":3}',
  ])
})

test('values behind the sample that do not fit: the last line says how to declare them', async () => {
  const ids = Array.from({ length: 1500 }, (_, i) => `${i}`)
  put('late.csv', `zip\n${ids.join('\n')}\nE17\n`)
  const hint = "  hint: the columns of 'late.csv' come from a sample that ended before its end; declare them"
  const guessed = await headrace(['sql', "SELECT COUNT(*) AS n FROM 'late.csv' WHERE zip >= 0"], { cwd })
  expect(guessed.err.split('\n').at(-2)).toContain(hint)
  const json = await headrace(['run', '--json', '-e', "SELECT COUNT(*) AS n FROM 'late.csv' WHERE zip >= 0"], { cwd })
  expect(JSON.parse(json.err.trimEnd().split('\n').at(-1)!).hints).toEqual([expect.stringContaining("FROM 'late.csv'")])
  const declared = "CREATE STREAM s (zip BIGINT) FROM 'late.csv'; SELECT COUNT(*) AS n FROM s WHERE zip >= 0"
  expect((await headrace(['sql', declared], { cwd })).err).not.toContain('hint')
})

test('a truncated gzip gives the rows before the cut and exits 1', async () => {
  const { code, out, err } = await headrace(['sql', "SELECT id FROM 'cut.jsonl.gz'"], { cwd })
  expect(code).toBe(1)
  expect(err).toContain('connector_data_corrupt')
  const rows = out.trimEnd().split('\n')
  expect(rows.length).toBeGreaterThan(1000)
  expect(rows).toEqual(rows.map((_, i) => `{"id":${i}}`))
})

test('a failed run leaves the old file', async () => {
  put('kept.jsonl', 'old\n')
  const { code } = await headrace(['sql', "INSERT INTO 'kept.jsonl' SELECT id FROM 'cut.jsonl.gz'"], { cwd })
  expect(code).toBe(1)
  expect(readFileSync(join(cwd, 'kept.jsonl'), 'utf8')).toBe('old\n')
})

test('a closed pipe is success', async () => {
  const { code, err } = await headrace(['sql', "SELECT id FROM 'big.jsonl'"], {
    cwd,
    watch: (child) => child.stdout.destroy(),
  })
  expect({ code, err }).toEqual({ code: 0, err: '' })
})

test('Ctrl-C stops gracefully', async () => {
  let sent = false
  const { code, err } = await headrace(['run', '-e', "SELECT id FROM 'datagen://d?field.id=seq(1,1)&rate=1000'"], {
    cwd,
    watch: (child, out) => {
      if (!sent && out.includes('\n')) sent = child.kill('SIGINT')
    },
  })
  const [promise, end] = err.split('\n')
  expect(code).toBe(0)
  expect(promise).toMatch(/→ stdout: {3}none .*a text without a name keeps no state; raise by put it in a file/)
  expect(end).toMatch(/^stopped: in \d+/)
})
