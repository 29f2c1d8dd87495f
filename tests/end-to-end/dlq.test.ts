import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { headrace, type Outcome } from './cli.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-dlq-'))
  writeFileSync(join(cwd, 'in.jsonl'), records.join('\n'))
  writeFileSync(join(cwd, 'orders.sql'), script)
  const ran = await dlq('run', 'orders.sql')
  expect(ran).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(cwd, { recursive: true }))

const ROWS = 200
/** Every 20th record is bad: broken JSON, a text that is no number, no id, a division by zero, in turn. */
const KINDS = [
  (i: number) => `{"id":${i},"q":`,
  (i: number) => `{"id":${i},"q":"many"}`,
  (i: number) => `{"id":null,"q":${i}}`,
  (i: number) => `{"id":${i},"q":0}`,
]
const records = Array.from({ length: ROWS }, (_, i) =>
  i % 20 === 0 ? KINDS[(i / 20) % 4]!(i) : `{"id":${i},"q":${i}}`,
)
const script = `-- @name orders
CREATE STREAM s (id BIGINT NOT NULL, q BIGINT) FROM 'file:in.jsonl';
INSERT INTO 'out.jsonl' SELECT id, 100 / q AS share FROM s;
`

const dlq = (...args: readonly string[]): Promise<Outcome> => headrace(args, { cwd })
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('list shows every dead letter once, page by page, and by filter', async () => {
  const all = await dlq('dlq', 'list', '--json')
  const found = lines(all.out)
  expect(found.map(({ offset }) => offset)).toEqual(
    expect.arrayContaining(records.flatMap((_, i) => (i % 20 === 0 ? [i] : []))),
  )
  expect(new Set(found.map(({ id }) => id)).size).toBe(10)
  const pages: unknown[] = []
  let cursor: string | undefined
  do {
    const more = cursor === undefined ? [] : ['--cursor', cursor]
    const page = lines((await dlq('dlq', 'list', 'orders', '--json', '-n', '4', ...more)).out)
    cursor = page.at(-1)!['cursor'] as string | undefined
    pages.push(...page.filter((line) => line['cursor'] === undefined))
  } while (cursor !== undefined)
  expect(pages).toEqual(found)
  const codes = async (...args: readonly string[]): Promise<unknown[]> => {
    const { out } = await dlq('dlq', 'list', '--json', ...args)
    return out === '' ? [] : lines(out).map(({ code }) => code)
  }
  expect(await codes('--code', 'row_not_null_violated')).toHaveLength(2)
  expect(await codes('--stage', 'expression')).toEqual(['row_division_by_zero', 'row_division_by_zero'])
  expect(await codes('--category', 'validation', '--since', '1h')).toHaveLength(2)
  expect(await codes('--until', '2020-01-01T00:00:00Z')).toEqual([])
  expect(await codes('--state', 'resolved')).toEqual([])
})

test('show gives all parts, and the bytes as they were', async () => {
  const [entry] = lines((await dlq('dlq', 'list', '--json', '--stage', 'expression', '-n', '1')).out)
  const id = entry!['id'] as string
  const raw = await dlq('dlq', 'show', id, '--raw')
  expect(raw).toMatchObject({ code: 0, out: '{"id":60,"q":0}', err: '' })
  const [shown] = lines((await dlq('dlq', 'show', id.slice(0, 12), '--json')).out)
  expect(shown).toMatchObject({
    id,
    original_message: { value: Buffer.from(raw.out).toString('base64'), offset: 60, encoding: 'raw', bytes: 15 },
    error_details: {
      error_type: 'row_division_by_zero',
      error_category: 'permanent',
      stage: 'expression',
      processor: 'orders.sql:3:36',
      record_at_stage: '{"id":60,"q":0}',
    },
    retry_info: { attempt_count: 1, replay_count: 0, state: 'pending' },
    metadata: { pipeline: 'orders', source_stream: 'file:in.jsonl', epoch: '1' },
  })
  const hex = await dlq('dlq', 'show', id, '--hex')
  expect(hex.out).toBe('00000000  7b 22 69 64 22 3a 36 30 2c 22 71 22 3a 30 7d     {"id":60,"q":0}\n')
  const none = await dlq('dlq', 'show', 'ffff')
  expect(none).toMatchObject({ code: 2, out: '', err: expect.stringContaining('dlq_entry_not_found') })
})

test('stats count by cause', async () => {
  const [stats] = lines((await dlq('dlq', 'stats', '--json')).out)
  expect(stats).toMatchObject({ pipeline: 'orders', entries: 10, resolved: 0, dropped: 0, fill: 10 / 1_000_000 })
  expect((stats!['causes'] as Record<string, unknown>[]).map(({ code, entries }) => [code, entries])).toEqual([
    ['connector_record_invalid', 6],
    ['row_not_null_violated', 2],
    ['row_division_by_zero', 2],
  ])
})

test('purge only counts until it is confirmed', async () => {
  const counted = await dlq('dlq', 'purge', '--code', 'row_not_null_violated')
  expect(counted.out).toBe('orders: 2 would be purged; --confirm removes them\n')
  const purged = await dlq('dlq', 'purge', '--code', 'row_not_null_violated', '--confirm')
  expect(purged.out).toBe('orders: 2 purged\n')
  const [stats] = lines((await dlq('dlq', 'stats', '--json')).out)
  expect(stats).toMatchObject({ entries: 8 })
})

test('a pipeline without a name keeps none', async () => {
  const text = "INSERT INTO 'other.jsonl' SELECT 1 / CAST(q AS BIGINT) AS x FROM 'in.jsonl'"
  const { code, err } = await dlq('run', '-e', text, '--data-dir', 'none')
  expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining('dead letter[') })
  expect(await dlq('dlq', 'stats', '--data-dir', 'none')).toMatchObject({ code: 0, out: '' })
})

test('settings are checked before anything runs', async () => {
  const misspelt = await dlq('validate', '-e', 'SET dlq.max_entrys = 5; SELECT 1 AS a')
  expect(misspelt).toMatchObject({ code: 2, err: expect.stringContaining('did you mean "max_entries"?') })
})

const other = (name: string, text: string): void => writeFileSync(join(cwd, `${name}.sql`), `-- @name ${name}\n${text}`)

test('on_error = fail: back to the last checkpoint, and failed at the same failure for the last time', async () => {
  other(
    'strict',
    `SET failures_max = 2;
     CREATE STREAM s (id BIGINT NOT NULL, q BIGINT) FROM 'file:in.jsonl?on_error=fail';
     INSERT INTO 'strict.jsonl' SELECT id FROM s;`,
  )
  const { code, err } = await dlq('run', 'strict.sql')
  expect(code).toBe(1)
  expect(err.match(/back to the last checkpoint/g)).toHaveLength(1)
  expect(err).toContain('error[connector_record_invalid]')
  expect(existsSync(join(cwd, 'strict.jsonl'))).toBe(false)
})

test('too many bad rows end a bounded run behind a checkpoint; it goes on from there', async () => {
  writeFileSync(join(cwd, 'bad.jsonl'), `${'{"id":"x"}\n'.repeat(300)}${'{"id":1}\n'.repeat(5)}`)
  const text = `CREATE STREAM s (id BIGINT) FROM 'file:bad.jsonl?batch_rows=50';
    INSERT INTO 'few.jsonl' SELECT id FROM s;`
  other('few', text)
  const { code, err } = await dlq('run', 'few.sql')
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('error[dlq_rate_exceeded]: 100 of 100') })
  expect(JSON.parse((await dlq('dlq', 'stats', 'few', '--json')).out)).toMatchObject({ entries: 100 })
  other('few', `SET dlq.rate_min = 'off'; ${text}`)
  expect(await dlq('run', 'few.sql')).toMatchObject({
    code: 0,
    err: expect.stringContaining('resuming from checkpoint'),
  })
  expect(JSON.parse((await dlq('dlq', 'stats', 'few', '--json')).out)).toMatchObject({ entries: 300 })
  expect(readFileSync(join(cwd, 'few.jsonl'), 'utf8')).toBe('{"id":1}\n'.repeat(5))
})

test('replay: mended rows go into new files; a target that was replaced as a whole takes none', async () => {
  const whole = await dlq('dlq', 'replay', 'orders')
  expect(whole).toMatchObject({ code: 2, err: expect.stringContaining('dlq_replay_refused') })
  other(
    'folder',
    `CREATE STREAM s (id BIGINT NOT NULL, q BIGINT) FROM 'file:in.jsonl';
     INSERT INTO 'folder/' SELECT id, 100 / q AS share FROM s;`,
  )
  expect(await dlq('run', 'folder.sql')).toMatchObject({ code: 0 })
  writeFileSync(
    join(cwd, 'mend.ts'),
    `export const map = (bytes: Uint8Array): string | null => {
      const text = Buffer.from(bytes).toString()
      return text.endsWith('"q":') ? text + '1}' : null
    }`,
  )
  const args = ['dlq', 'replay', 'folder', '--map', 'mend.ts', '--json']
  const dry = JSON.parse((await dlq(...args, '--dry-run')).out) as Record<string, unknown>
  const report = { pipeline: 'folder', selected: 10, resolved: 3, failed: {}, left: { '--map left it out': 7 } }
  expect(dry).toMatchObject({ ...report, dry_run: true, samples: expect.arrayContaining(['{"id":0,"share":100}']) })
  expect(JSON.parse((await dlq(...args)).out)).toEqual({ ...report, dry_run: false, samples: [] })
  const [stats] = lines((await dlq('dlq', 'stats', 'folder', '--json')).out)
  expect(stats).toMatchObject({ entries: 7, resolved: 3 })
  const rows = globSync('folder/*.jsonl', { cwd }).flatMap((name) => lines(readFileSync(join(cwd, name), 'utf8')))
  expect(rows.filter(({ id }) => id === 0 || id === 80 || id === 160)).toHaveLength(3)
  expect(rows).toHaveLength(193)
  const bad = await dlq('dlq', 'replay', 'folder', '--map', 'in.jsonl')
  expect(bad).toMatchObject({ code: 2, err: expect.stringContaining('--map') })
}, 60_000)
