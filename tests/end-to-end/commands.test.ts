import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { headrace, type Outcome } from './cli.ts'
import { Running } from './running.ts'

let cwd: string
let pipeline: Running | undefined
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-commands-'))
})
afterEach(async () => {
  pipeline?.kill('SIGKILL')
  await pipeline?.ended
  pipeline = undefined
  rmSync(cwd, { recursive: true })
})

const call = (...args: string[]): Promise<Outcome> => headrace(args, { cwd })
const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { out, err } = await call(...args, '--json')
  if (out === '') throw new Error(err)
  return JSON.parse(out)
}

const TICKS = `SET checkpoint.interval = '100ms';
INSERT INTO 'file:out/?format=jsonl' SELECT n FROM 'datagen://t?rate=100&field.n=seq(0,1)';
`

/** An endless pipeline that has committed something. */
async function ticking(...more: string[]): Promise<Running> {
  writeFileSync(join(cwd, 'ticks.sql'), TICKS)
  pipeline = new Running(['run', 'ticks.sql', ...more], { cwd })
  await pipeline.reached('prune')
  return pipeline
}

const TIMEOUT = 60_000

test('a pipeline that runs is listed, explained, paused, resumed and stopped', { timeout: TIMEOUT }, async () => {
  const running = await ticking()
  expect(await json('pipelines', 'list')).toMatchObject({
    name: 'ticks',
    state: 'running',
    script: join(cwd, 'ticks.sql'),
    checkpoint: { epoch: expect.any(String) },
  })
  expect((await call('pipelines', 'pause', 'ticks')).out).toBe('ticks: paused\n')
  expect((await call('status')).out).toMatch(/^NAME .*\nticks +paused \(process \d+\) /)
  expect(await json('why', 'ticks')).toMatchObject({ state: 'paused', waits: [{ cause: 'paused' }] })
  expect((await call('jobs', 'resume', 'ticks')).out).toBe('ticks: running\n')
  expect(await json('status', 'ticks')).toMatchObject({ run: { guarantees: [{ level: 'exactly_once' }] } })
  expect((await call('pipelines', 'stop', 'ticks')).out).toMatch(/^ticks: stopped at epoch \d+\n$/)
  expect((await running.ended).code).toBe(0)
  expect((await call('why', 'ticks')).out).toContain('start it: headrace run')
  expect(await json('status', 'ticks')).toMatchObject({ state: 'stopped', run: null })
  expect((await call('pipelines', 'stop', 'ticks')).code).toBe(0)
  const refused = await call('pipelines', 'pause', 'ticks')
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('pipeline_not_running')])
})

test('an unknown name is answered with the nearest; a killed pipeline says so', { timeout: TIMEOUT }, async () => {
  const running = await ticking()
  running.kill('SIGKILL')
  await running.ended
  const { code, err } = await call('pipelines', 'show', 'tick')
  expect([code, err]).toEqual([2, expect.stringContaining('did you mean "ticks"?')])
  expect((await call('pipelines', 'show', 'ticks')).out).toMatch(/^state +interrupted$/m)
  expect(await json('why', 'ticks')).toMatchObject({ waits: [{ cause: 'not_running' }] })
})

test('checkpoints are listed, shown, taken, verified and pruned', { timeout: TIMEOUT }, async () => {
  const running = await ticking()
  expect((await call('checkpoint', 'trigger', 'ticks')).out).toMatch(
    /^ticks: checkpoint \d+, epoch \d+, is committed\n$/,
  )
  expect((await call('checkpoint', 'prune', 'ticks', '--keep', '1')).code).toBe(3)
  await call('pipelines', 'stop', 'ticks')
  await running.ended
  const lines = (await call('checkpoint', 'list', 'ticks')).out.trim().split('\n')
  expect(lines[0]).toMatch(/^ID +EPOCH +CREATED/)
  expect(lines.at(-1)).toMatch(/ yes +stop$/)
  const facts = await json('checkpoint', 'show', 'ticks')
  expect(facts).toMatchObject({ reason: 'stop', sources: [{ splits: [{ offset: expect.any(String) }] }] })
  expect((await call('checkpoint', 'show', 'ticks', String(facts['id']))).out).toMatch(/^sink file_\w+ +\d+ rows/m)
  expect((await call('checkpoint', 'show', 'ticks', '1000000')).code).toBe(2)
  expect(await json('checkpoint', 'verify', './.headrace/pipelines/ticks')).toMatchObject({ rejected: [] })
  expect((await call('checkpoint', 'prune', 'ticks', '--keep', '1')).out).toMatch(/^ticks: removed \d+/)
  const left = (await call('checkpoint', 'list', 'ticks')).out.trim().split('\n')
  expect(left).toEqual([expect.any(String), expect.stringMatching(/ stop$/)])
  const file = join(cwd, '.headrace/pipelines/ticks/checkpoints', `${String(facts['id']).padStart(20, '0')}.ckpt`)
  writeFileSync(file, 'no checkpoint')
  const { code, out } = await call('checkpoint', 'verify', 'ticks')
  expect([code, out]).toEqual([1, expect.stringContaining('unsupported checkpoint version')])
  expect((await call('pipelines', 'list')).out).toMatch(/^ticks +damaged/m)
})

/** Counts the lines with a number of files in a folder. */
function counts(folder: string): Map<number, number> {
  const seen = new Map<number, number>()
  for (const name of readdirSync(join(cwd, folder))) {
    if (name.startsWith('.')) continue
    for (const line of readFileSync(join(cwd, folder, name), 'utf8').split('\n')) {
      if (line === '') continue
      const { n } = JSON.parse(line) as { n: number }
      seen.set(n, (seen.get(n) ?? 0) + 1)
    }
  }
  return seen
}

test('a savepoint is taken, exported, imported and started from', { timeout: TIMEOUT }, async () => {
  const running = await ticking()
  expect((await call('savepoint', 'create', 'ticks', 'first')).out).toMatch(/^ticks: savepoint first holds checkpoint/)
  const again = await call('savepoint', 'create', 'ticks', 'first')
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('the savepoint "first" exists')])
  await running.reached('prune')
  await running.reached('prune')
  await call('pipelines', 'stop', 'ticks')
  await running.ended
  expect((await call('savepoint', 'create', 'ticks', 'last')).code).toBe(0)
  expect((await call('savepoint', 'list', 'ticks')).out).toMatch(/^NAME .*\nfirst .*\nlast /)
  const first = await json('savepoint', 'show', 'ticks', 'first')
  const last = await json('savepoint', 'show', 'ticks', 'last')
  expect([first['reason'], last['reason']]).toEqual(['savepoint', 'savepoint'])
  const rowsOf = (facts: Record<string, unknown>): number =>
    Number((facts['sources'] as readonly { readonly rows: string }[])[0]!.rows)
  expect(rowsOf(first)).toBeLessThan(rowsOf(last))

  pipeline = new Running(['run', 'ticks.sql', '--from', 'first'], { cwd })
  await pipeline.reached('prune')
  pipeline.kill('SIGKILL')
  const { err } = await pipeline.ended
  expect(err).toMatch(
    /starting from savepoint "first" \(epoch \d+\): rows read between it and epoch \d+ are given again/,
  )
  pipeline = new Running(['run', 'ticks.sql'], { cwd })
  await pipeline.reached('prune')
  pipeline.kill('SIGTERM')
  await pipeline.ended
  const seen = counts('out')
  // The first run gave all up to `last`, those from the savepoint all from `first` on.
  const end = rowsOf(await json('checkpoint', 'show', 'ticks'))
  const most = Math.max(rowsOf(last), end)
  const wrong = Array.from({ length: most }, (_, n) => n).filter(
    (n) => seen.get(n) !== Number(n < rowsOf(last)) + Number(n >= rowsOf(first) && n < end),
  )
  expect(end).toBeGreaterThan(rowsOf(first))
  expect(wrong).toEqual([])

  expect((await call('savepoint', 'export', 'ticks', 'first', 'first.ckpt')).code).toBe(0)
  expect((await call('savepoint', 'export', 'ticks', 'first', 'first.ckpt')).code).toBe(2)
  expect((await call('savepoint', 'delete', 'ticks', 'first')).code).toBe(0)
  const gone = await call('savepoint', 'show', 'ticks', 'first')
  expect([gone.code, gone.err]).toEqual([2, expect.stringContaining('there is no savepoint "first"')])
  expect((await call('savepoint', 'import', 'other', 'first.ckpt')).err).toContain("belongs to the pipeline 'ticks'")
  expect((await call('savepoint', 'import', 'ticks', 'first.ckpt', '--data-dir', 'elsewhere')).code).toBe(0)
  const unknown = await call('run', 'ticks.sql', '--from', 'firts')
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('savepoints: last')])
})

test('clean shows what it would delete, and leaves what runs', { timeout: TIMEOUT }, async () => {
  const running = await ticking()
  expect((await call('clean', 'ticks', '--yes')).code).toBe(3)
  expect((await call('clean', '--yes')).err).toMatch(/^ticks is run by process \d+ on .*: it stays\n/)
  running.kill('SIGKILL')
  await running.ended
  // Whatever was staged at that moment, or this.
  const staged = join(cwd, 'out', `.headrace-ticks-${String(await sinkPart())}-0-1-1000-1`)
  writeFileSync(staged, 'rows')
  const folder = join(cwd, '.headrace/pipelines/ticks')
  const shown = await call('clean', 'ticks')
  expect(shown.out).toContain(`  ${folder} `)
  expect(shown.out).toMatch(/-0-1-1000-1 +staged file +4 B\n/)
  expect([existsSync(folder), existsSync(staged)]).toEqual([true, true])
  expect((await call('clean', 'ticks', '--yes')).code).toBe(0)
  expect([existsSync(folder), existsSync(staged)]).toEqual([false, false])
  expect((await call('pipelines', 'list')).err).toMatch(/^no pipeline is kept in/)
  expect(counts('out').size).toBeGreaterThan(0)
})

const sinkPart = async (): Promise<unknown> =>
  ((await json('checkpoint', 'show', 'ticks'))['sinks'] as readonly { readonly name: string }[]).find(
    ({ name }) => name !== 'dlq',
  )?.name

test('a split is moved; what is not blocked is not resolved', { timeout: TIMEOUT }, async () => {
  const running = await ticking()
  const seek = ['pipelines', 'seek', 'ticks', '--source', 'datagen://t?rate=100&field.n=seq(0,1)', '--split']
  expect((await call(...seek, '0', '--to', 'earliest')).code).toBe(3)
  await call('pipelines', 'stop', 'ticks')
  await running.ended
  const { sources } = (await json('checkpoint', 'show', 'ticks')) as unknown as {
    readonly sources: readonly { readonly splits: readonly { readonly split: string }[] }[]
  }
  const { split } = sources[0]!.splits[0]!
  const moved = await call(...seek, split, '--to', 'earliest')
  expect([moved.code, moved.out]).toEqual([0, expect.stringMatching(/ → earliest \(checkpoint \d+\)\n$/)])
  pipeline = new Running(['run', 'ticks.sql'], { cwd })
  await pipeline.reached('prune')
  pipeline.kill('SIGTERM')
  await pipeline.ended
  expect(counts('out').get(0)).toBe(2)
  const { code, err } = await call('pipelines', 'resolve', 'ticks', '--epoch', '3', '--as', 'absent')
  expect([code, err]).toEqual([2, expect.stringContaining('was not blocked')])
})

test('the digest adds up, and tells the epoch', { timeout: TIMEOUT }, async () => {
  writeFileSync(join(cwd, 'in.jsonl'), '{"n":1}\n{"n":2}\n{"n":}\n')
  writeFileSync(join(cwd, 'p.sql'), "INSERT INTO 'out.jsonl' SELECT n FROM 'in.jsonl' WHERE n > 1;\n")
  const { err } = await call('run', 'p.sql')
  expect(err).toMatch(/^done: in 3 · out 1 → out\.jsonl · filtered 1 · dead letters 1 \(connector_record_invalid 1\)/m)
  const text = (await call('run', 'p.sql', '--json')).err
  const digest = JSON.parse(text.trim().split('\n').at(-1)!)
  expect(digest).toMatchObject({ balance: { in: 3, out: 1, filtered: 1, dlq: 1, late: 0, skipped: 0 } })
  expect(digest.epoch).toMatch(/^\d+$/)
})
