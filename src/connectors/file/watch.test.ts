import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { field, schema, types } from '../../core/types.ts'
import { Harness } from '../../testkit/harness.ts'
import { SourceRun, type SourceSnapshot } from '../../testkit/source-run.ts'

let cwd: string
let clock: ManualClock
let runs: SourceRun[]
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-watch-'))
  clock = new ManualClock()
  runs = []
})
afterEach(async () => {
  for (const run of runs) await run.stop()
  rmSync(cwd, { recursive: true })
})

const at = (name: string): string => join(cwd, name)
const numbers = schema([field('a', types.bigint)])
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `{"a":${from + i}}\n`).join('')
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

async function watch(
  uri: string,
  form: { readonly from?: SourceSnapshot; readonly schema?: typeof numbers; readonly systemColumns?: string[] } = {},
): Promise<SourceRun> {
  const harness = new Harness({ baseDirectory: cwd, batchRows: 10, clock })
  const run = await SourceRun.start(harness, {
    uri: `file:${uri}${uri.includes('?') ? '&' : '?'}watch=true${uri.includes('watch_strategy') ? '' : '&watch_strategy=polling'}`,
    schema: numbers,
    clock,
    ...form,
  })
  runs.push(run)
  return run
}

/** Stops a run and goes on where it was. */
async function restart(run: SourceRun, uri: string): Promise<SourceRun> {
  const from = run.snapshot()
  await run.stop()
  return await watch(uri, { from })
}

const issuesOf = async (run: SourceRun): Promise<string[]> => (await run.source.health()).issues.map(({ code }) => code)

test('a file is followed; emptiness is told once after every growth', async () => {
  writeFileSync(at('a.jsonl'), lines(0, 25))
  const run = await watch('a.jsonl')
  expect(run.values).toEqual(range(0, 25))
  await run.advance(1000)
  await run.advance(1000)
  expect(run.events).toEqual([`added ${at('a.jsonl')}`, `idle ${at('a.jsonl')}`])
  appendFileSync(at('a.jsonl'), lines(25, 30))
  await run.advance(500)
  expect(run.values).toEqual(range(0, 25))
  await run.advance(500)
  expect(run.values).toEqual(range(0, 30))
  expect(run.events.slice(2)).toEqual([`idle ${at('a.jsonl')}`])
})

test('a last line is held back until its end comes', async () => {
  writeFileSync(at('a.jsonl'), '{"a":1}\n{"a"')
  const run = await watch('a.jsonl')
  await run.advance(1000)
  expect(run.values).toEqual([1])
  appendFileSync(at('a.jsonl'), ':2}')
  await run.advance(1000)
  expect(run.values).toEqual([1])
  appendFileSync(at('a.jsonl'), '\n{"a":3}\n')
  await run.advance(1000)
  expect(run.values).toEqual([1, 2, 3])
  expect(run.rejects).toEqual([])
})

test('line_timeout gives an unfinished last line; its end, when it comes, is no line of its own', async () => {
  const text = schema([field('line', types.string)])
  writeFileSync(at('a.txt'), 'one\ntwo')
  let run = await watch('a.txt?line_timeout=3s', { schema: text })
  await run.advance(2000)
  expect(run.values).toEqual(['one'])
  await run.advance(1000)
  expect(run.values).toEqual(['one', 'two'])
  const from = run.snapshot()
  appendFileSync(at('a.txt'), '\nthree\n')
  await run.advance(1000)
  expect(run.values).toEqual(['one', 'two', 'three'])
  await run.stop()
  run = await watch('a.txt?line_timeout=3s', { schema: text, from })
  expect(run.values).toEqual(['three'])
})

test('files that appear are added, deleted ones are read to their end and removed', async () => {
  mkdirSync(at('in'))
  writeFileSync(at('in/1.jsonl'), lines(0, 5))
  const run = await watch('in/*.jsonl?rotate_wait=2s')
  writeFileSync(at('in/2.jsonl'), lines(5, 10))
  writeFileSync(at('in/.headrace-x.jsonl'), lines(90, 91))
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 10))
  appendFileSync(at('in/1.jsonl'), lines(10, 12))
  rmSync(at('in/1.jsonl'))
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 12))
  await run.advance(1000)
  expect(run.events).not.toContain(`removed ${at('in/1.jsonl')}`)
  await run.advance(2000)
  expect(run.events).toContain(`removed ${at('in/1.jsonl')}`)
  expect(await issuesOf(run)).toEqual([])
})

test('a file that is deleted while it is read is read to its end', async () => {
  writeFileSync(at('a.jsonl'), lines(0, 1000))
  const harness = new Harness({ baseDirectory: cwd, batchRows: 10, clock })
  await using source = await harness.openSource(
    'file:a.jsonl?watch=true&watch_strategy=polling&read_bytes=4096',
    numbers,
  )
  const stop = new AbortController()
  const added = await source.splits(stop.signal)[Symbol.asyncIterator]().next()
  expect(added.value).toMatchObject({ kind: 'added' })
  await using reader = source.open(at('a.jsonl'))
  let rows = 0
  for await (const item of reader.read(undefined, stop.signal)) {
    if (item.kind === 'idle') break
    rows += item.batch!.rows
    if (rows === 10) rmSync(at('a.jsonl'))
  }
  expect(rows).toBe(1000)
})

test('an abort ends a reader and the splits that wait', async () => {
  writeFileSync(at('a.jsonl'), lines(0, 3))
  const run = await watch('a.jsonl')
  // The clock stands still: only the signal can end them.
  await run.stop()
  expect(run.events).toEqual([`added ${at('a.jsonl')}`, `idle ${at('a.jsonl')}`])
})

test('a file that has the path of an earlier one is another split', async () => {
  writeFileSync(at('a.jsonl'), lines(0, 5))
  const run = await watch('a.jsonl?rotate_wait=1s')
  rmSync(at('a.jsonl'))
  await run.until(() => run.events.some((event) => event.startsWith('removed')))
  writeFileSync(at('a.jsonl'), lines(5, 10))
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 10))
  const [first, second] = [...new Set(run.rows.map(({ split }) => split))]
  expect(first).toBe(at('a.jsonl'))
  expect(second).toMatch(/a\.jsonl#\d+\.[0-9a-f]{8}$/)
  const again = await restart(run, 'a.jsonl?rotate_wait=1s')
  expect(again.events).toEqual([`added ${second}`, `idle ${second}`])
  expect(again.values).toEqual([])
})

test('a file that is renamed is read to its end before the one that takes its place', async () => {
  writeFileSync(at('app.log'), lines(0, 5))
  const run = await watch('app.log?format=jsonl&rotation_pattern=app.log.*')
  appendFileSync(at('app.log'), lines(5, 7))
  renameSync(at('app.log'), at('app.log.1'))
  writeFileSync(at('app.log'), lines(20, 25))
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 7))
  await run.advance(3000)
  appendFileSync(at('app.log.1'), lines(7, 8))
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 8))
  await run.advance(4000)
  expect(run.values).toEqual(range(0, 8))
  await run.advance(1000)
  expect(run.values).toEqual([...range(0, 8), ...range(20, 25)])
  // A late writer of the old file loses nothing.
  appendFileSync(at('app.log.1'), lines(8, 9))
  await run.advance(1000)
  expect(run.values).toEqual([...range(0, 8), ...range(20, 25), 8])
})

test('what was renamed before watching began is not read; what was renamed while the process was down is', async () => {
  const uri = 'app.log?format=jsonl&rotation_pattern=app.log.*&rotate_wait=1s'
  writeFileSync(at('app.log.1'), lines(90, 95))
  writeFileSync(at('app.log'), lines(0, 5))
  let run = await watch(uri)
  expect(run.values).toEqual(range(0, 5))
  const from = run.snapshot()
  await run.stop()
  appendFileSync(at('app.log'), lines(5, 7))
  for (const [from, to] of [
    [7, 10],
    [10, 12],
  ] as const) {
    for (const n of [2, 1, 0]) {
      const name = n === 0 ? 'app.log' : `app.log.${n}`
      try {
        renameSync(at(name), at(`app.log.${n + 1}`))
      } catch {
        // Not there yet.
      }
    }
    writeFileSync(at('app.log'), lines(from, to))
    clock.advance(10)
  }
  run = await watch(uri, { from })
  await run.until(() => run.rows.length >= 7)
  await run.advance(5000)
  expect(run.values).toEqual(range(5, 12))
  run = await restart(run, uri)
  await run.advance(5000)
  expect(run.values).toEqual([])
})

test('names of one file count as one file: links, and a rename inside a glob', async () => {
  writeFileSync(at('b.jsonl'), lines(0, 5))
  symlinkSync('b.jsonl', at('c.jsonl'))
  linkSync(at('b.jsonl'), at('d.jsonl'))
  let run = await watch('*.jsonl')
  expect(run.values).toEqual(range(0, 5))
  renameSync(at('b.jsonl'), at('e.jsonl'))
  rmSync(at('d.jsonl'))
  appendFileSync(at('e.jsonl'), lines(5, 6))
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 6))
  run = await restart(run, '*.jsonl')
  await run.advance(10_000)
  expect(run.values).toEqual([])
})

test('a link that is turned to another file: the old one first, then the new one', async () => {
  writeFileSync(at('1'), lines(0, 5))
  writeFileSync(at('2'), lines(5, 9))
  symlinkSync('1', at('current.jsonl'))
  const run = await watch('current.jsonl?rotate_wait=1s')
  rmSync(at('current.jsonl'))
  symlinkSync('2', at('current.jsonl'))
  await run.until(() => run.rows.length === 9)
  expect(run.values).toEqual(range(0, 9))
})

test('a file that was cut is read from its start, as another split, and that is told', async () => {
  writeFileSync(at('a.jsonl'), lines(0, 50))
  let run = await watch('a.jsonl')
  truncateSync(at('a.jsonl'), 0)
  await run.advance(1000)
  appendFileSync(at('a.jsonl'), lines(50, 55))
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 55))
  expect(await issuesOf(run)).toEqual(['file_truncated'])
  // Grown beyond where it was, but it begins otherwise.
  writeFileSync(at('a.jsonl'), lines(100, 200))
  await run.advance(1000)
  expect(run.values).toEqual([...range(0, 55), ...range(100, 200)])
  const from = run.snapshot()
  await run.stop()
  writeFileSync(at('a.jsonl'), lines(100, 103))
  run = await watch('a.jsonl', { from })
  await run.advance(1000)
  expect(run.values).toEqual(range(100, 103))
  expect(await issuesOf(run)).toEqual(['file_truncated'])
})

test('a file that is written anew with the same beginning, and no shorter, goes on', async () => {
  writeFileSync(at('a.jsonl'), lines(0, 200))
  const run = await watch('a.jsonl')
  writeFileSync(at('new'), lines(0, 210))
  renameSync(at('new'), at('a.jsonl'))
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 210))
  expect(new Set(run.rows.map(({ split }) => split)).size).toBe(1)
  // A shorter one does not.
  writeFileSync(at('new'), lines(0, 190))
  renameSync(at('new'), at('a.jsonl'))
  await run.until(() => run.rows.length > 210)
  expect(run.values.slice(210)).toEqual(range(0, 190))
})

test('start = latest begins behind the last whole line; files that appear later begin at their start', async () => {
  writeFileSync(at('a.csv'), 'a,b\n1,x\n2,y\n3')
  const pair = schema([field('a', types.bigint), field('b', types.string)])
  const run = await watch('*.csv?start=latest', { schema: pair })
  expect(run.values).toEqual([])
  appendFileSync(at('a.csv'), ',z\n')
  writeFileSync(at('b.csv'), 'b,a\nw,4\n')
  await run.advance(1000)
  expect(run.rows.map(({ values }) => values)).toEqual([
    [3, 'z'],
    [4, 'w'],
  ])
})

test('CSV goes on behind a restart with its header; columns of the system go on, too', async () => {
  const system = ['_offset', '_row_number', '_filename']
  const all = schema([
    field('b', types.string),
    field('a', types.bigint),
    field('_offset', types.bigint),
    field('_row_number', types.bigint),
    field('_filename', types.string),
  ])
  writeFileSync(at('a.csv'), 'a,b\n1,"x\ny"\n')
  let run = await watch('a.csv?rotation_pattern=a.csv.*', { schema: all, systemColumns: system })
  const from = run.snapshot()
  await run.stop()
  appendFileSync(at('a.csv'), '2,z\n')
  renameSync(at('a.csv'), at('a.csv.1'))
  run = await watch('a.csv?rotation_pattern=a.csv.*', { schema: all, systemColumns: system, from })
  expect(run.rows.map(({ values }) => values)).toEqual([['z', 2, 1, 2, at('a.csv')]])
})

test('a packed file is read whole, once, when it stands still', async () => {
  mkdirSync(at('in'))
  const run = await watch('in')
  const packed = gzipSync(lines(0, 50))
  writeFileSync(at('in/a.jsonl.gz'), packed.subarray(0, 40))
  await run.advance(1000)
  appendFileSync(at('in/a.jsonl.gz'), packed.subarray(40))
  await run.until(() => run.rows.length === 50, 1000)
  await run.until(() => run.events.some((event) => event.startsWith('removed')))
  const again = await restart(run, 'in')
  await again.advance(5000)
  expect(again.values).toEqual([])
})

test('min_age leaves a young file for later', async () => {
  writeFileSync(at('a.jsonl'), lines(0, 3))
  const seconds = clock.nowMicros() / 1e6
  utimesSync(at('a.jsonl'), seconds, seconds)
  const run = await watch('*.jsonl?min_age=10s')
  await run.advance(9000)
  expect(run.events).toEqual([])
  await run.advance(1000)
  expect(run.values).toEqual(range(0, 3))
})

test('a path that does not exist yet is waited for, or refused', async () => {
  await expect(watch('none.jsonl')).rejects.toMatchObject({ code: 'connector_not_found' })
  const run = await watch('late.jsonl?wait=1m&retry_interval=2s')
  await run.advance(2000)
  writeFileSync(at('late.jsonl'), lines(0, 3))
  await run.advance(2000)
  expect(run.values).toEqual(range(0, 3))
})

test('names that look like globs', async () => {
  writeFileSync(at('w [1].jsonl'), lines(0, 3))
  writeFileSync(at('w 1.jsonl'), lines(90, 93))
  let run = await watch('w%20%5B1%5D.jsonl?rotate_wait=1s')
  expect(run.values).toEqual(range(0, 3))
  run = await restart(run, 'w%20%5B1%5D.jsonl?rotate_wait=1s')
  renameSync(at('w [1].jsonl'), at('old'))
  writeFileSync(at('w [1].jsonl'), lines(3, 5))
  await run.until(() => run.rows.length === 2)
  expect(run.values).toEqual(range(3, 5))
})

test.runIf(process.platform === 'linux')('no more files are open than read_files_max; none after the end', async () => {
  const open = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(cwd)
      } catch {
        return false
      }
    }).length
  for (let i = 0; i < 8; i++) writeFileSync(at(`${i}.jsonl`), lines(10 * i, 10 * i + 5))
  const run = await watch('*.jsonl?read_files_max=3')
  for (let i = 0; i < 8; i++) {
    appendFileSync(at(`${i}.jsonl`), lines(10 * i + 5, 10 * i + 10))
    await run.advance(1000)
    expect(open()).toBeLessThanOrEqual(3)
  }
  expect([...run.values].sort((a, b) => Number(a) - Number(b))).toEqual(range(0, 80))
  await run.stop()
  expect(open()).toBe(0)
})

test('a file that cannot be read is an error that names it', async () => {
  mkdirSync(at('in'))
  writeFileSync(at('in/a.jsonl'), lines(0, 1))
  const run = await watch('in')
  // Recognised only by what is in it.
  writeFileSync(at('in/odd'), 'neither\u0000nor\n')
  await expect(run.advance(1000)).rejects.toMatchObject({
    code: 'connector_option_missing',
    message: expect.stringContaining(at('in/odd')),
  })
})

test('hybrid: the word of the system is a hint to look; events alone are not built', async () => {
  await expect(watch('a.jsonl?watch_strategy=events')).rejects.toMatchObject({ code: 'not_implemented' })
  writeFileSync(at('a.jsonl'), lines(0, 5))
  const run = await watch('a.jsonl?watch_strategy=hybrid&poll_fallback=60s')
  appendFileSync(at('a.jsonl'), lines(5, 6))
  // Far below the interval: without the hint nothing would be seen.
  for (let turns = 0; run.rows.length < 6 && turns < 400; turns++) await run.advance(100)
  expect(run.values).toEqual(range(0, 6))
  expect(clock.elapsedMs()).toBeLessThan(40_001)
})

test('an option of watching without watch is refused', async () => {
  const harness = new Harness({ baseDirectory: cwd })
  await expect(harness.openSource('file:a.jsonl?rotate_wait=1s', numbers)).rejects.toMatchObject({
    code: 'connector_option_conflict',
  })
})
