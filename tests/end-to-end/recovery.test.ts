import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { headrace, type Outcome } from './cli.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-recovery-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const put = (name: string, text: string): void => writeFileSync(join(cwd, name), text)
const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `{"id":${from + i},"city":"c${(from + i) % 3}"}\n`).join('')

/** Everything that is in the files of a folder, by line. */
const linesBelow = (folder: string): string[] =>
  readdirSync(join(cwd, folder))
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      readFileSync(join(cwd, folder, name), 'utf8')
        .trimEnd()
        .split('\n'),
    )

const ids = (lines: readonly string[]): number[] =>
  lines.map((line) => (JSON.parse(line) as { id: number }).id).sort((a, b) => a - b)
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

const endless = `-- @name live
SET checkpoint.interval = '50ms';
CREATE STREAM s (id BIGINT, city STRING) FROM 'file:in.jsonl?watch=true&poll_interval=100ms';
INSERT INTO 'out/' SELECT id, city FROM s;
SELECT id FROM s;
`

/** Runs until `count` rows were printed, then sends a signal. */
async function runUntil(count: number, signal: NodeJS.Signals, script = 'p.sql'): Promise<Outcome> {
  let sent = false
  return await headrace(['run', script], {
    cwd,
    watch: (child, out) => {
      if (sent || out.split('\n').length <= count) return
      sent = true
      child.kill(signal)
    },
  })
}

test('Ctrl-C and run again: every row once, and it says where it goes on', async () => {
  put('p.sql', endless)
  put('in.jsonl', rows(0, 100))
  const first = await runUntil(100, 'SIGINT')
  expect(first.code).toBe(0)
  expect(first.err).toContain('starting from the beginning')
  expect(ids(linesBelow('out'))).toEqual(upTo(100))
  appendFileSync(join(cwd, 'in.jsonl'), rows(100, 150))
  const second = await runUntil(50, 'SIGINT')
  expect(second.code).toBe(0)
  expect(second.err).toMatch(/live: resuming from checkpoint \d+ \(epoch \d+\), lineage [0-9a-f]{8}/)
  expect(second.err).toContain('in 150')
  expect(ids(linesBelow('out'))).toEqual(upTo(150))
})

test('kill -9 and run again: what was not committed comes again, nothing twice', async () => {
  put('p.sql', endless)
  put('in.jsonl', rows(0, 100))
  expect((await runUntil(100, 'SIGKILL')).code).toBeUndefined()
  appendFileSync(join(cwd, 'in.jsonl'), rows(100, 150))
  expect((await runUntil(50, 'SIGINT')).code).toBe(0)
  expect(ids(linesBelow('out'))).toEqual(upTo(150))
})

test('another script under the same name is refused', async () => {
  put('p.sql', endless)
  put('in.jsonl', rows(0, 3))
  await runUntil(3, 'SIGINT')
  put('q.sql', endless)
  const { code, err } = await headrace(['run', 'q.sql'], { cwd })
  expect([code, err]).toEqual([2, expect.stringContaining('error[pipeline_name_taken]')])
  expect(err).toContain(`belongs to "${join(cwd, 'p.sql')}"`)
  expect(err).toMatch(/hint: give this one a name of its own: -- @name other/)
})

test('a changed query is refused with what is kept and dropped; the flag starts it', async () => {
  put('p.sql', endless)
  put('in.jsonl', rows(0, 3))
  await runUntil(3, 'SIGINT')
  put('p.sql', endless.replace('SELECT id, city FROM s', 'SELECT id, UPPER(city) AS city FROM s'))
  const { code, err } = await headrace(['run', 'p.sql'], { cwd })
  expect([code, err]).toEqual([2, expect.stringContaining('error[pipeline_plan_changed]')])
  expect(err).toMatch(/operators kept: project-[0-9a-f]{8}; new: project-[0-9a-f]{8}/)
  expect(err).toContain('--allow-dropped-state')
  appendFileSync(join(cwd, 'in.jsonl'), rows(3, 5))
  let sent = false
  const allowed = await headrace(['run', '--allow-dropped-state', 'p.sql'], {
    cwd,
    watch: (child, out) => {
      if (sent || out.split('\n').length <= 2) return
      sent = true
      child.kill('SIGINT')
    },
  })
  expect(allowed.code).toBe(0)
  expect(ids(linesBelow('out'))).toEqual(upTo(5))
})

const bounded = (target: string): string =>
  `-- @name b\nCREATE STREAM s (id BIGINT, city STRING) FROM 'in.jsonl';\nINSERT INTO '${target}' SELECT id, city FROM s;\n`

test('a deleted input is an error of the environment, and nothing is lost', async () => {
  put('p.sql', bounded('out/'))
  const { code, err } = await headrace(['run', 'p.sql'], { cwd })
  expect([code, err]).toEqual([3, expect.stringContaining('error[connector_not_found]')])
  put('in.jsonl', rows(0, 7))
  expect((await headrace(['run', 'p.sql'], { cwd })).code).toBe(0)
  expect(ids(linesBelow('out'))).toEqual(upTo(7))
})

const checkpoints = (): string => join(cwd, '.headrace/pipelines/live/checkpoints')

function damageNewest(): void {
  const newest = readdirSync(checkpoints())
    .filter((name) => name.endsWith('.ckpt'))
    .sort()
    .at(-1)!
  const path = join(checkpoints(), newest)
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1]! ^= 0xff
  writeFileSync(path, bytes)
}

test('a damaged newest checkpoint whose rows are out blocks the start, and says so', async () => {
  // At the stop only: one by the clock may come between the rows and the stop, and the newest one would hold nothing.
  put('p.sql', endless.replace("'50ms'", "'off'"))
  put('in.jsonl', rows(0, 50))
  await runUntil(50, 'SIGINT')
  appendFileSync(join(cwd, 'in.jsonl'), rows(50, 60))
  await runUntil(10, 'SIGINT')
  damageNewest()
  const { code, err } = await headrace(['run', 'p.sql'], { cwd })
  expect([code, err]).toEqual([1, expect.stringContaining('error[connector_commit_ambiguous]')])
  expect(err).toMatch(
    /sink 'out_[0-9a-f]{8}' has begun to hold epoch \d+, and the newest usable checkpoint is of epoch \d+/,
  )
  expect(ids(linesBelow('out'))).toEqual(upTo(60))
})

test('only unusable checkpoints are an error, never an empty start', async () => {
  put('p.sql', endless)
  put('in.jsonl', rows(0, 50))
  await runUntil(50, 'SIGINT')
  for (const name of readdirSync(checkpoints())) {
    if (name.endsWith('.ckpt')) writeFileSync(join(checkpoints(), name), 'x')
  }
  const { code, err } = await headrace(['run', 'p.sql'], { cwd })
  expect([code, err]).toEqual([1, expect.stringContaining('no usable checkpoint in')])
  expect(err).toContain('unsupported checkpoint version: 120')
})

test('a state folder that cannot be made is an error of the environment', async () => {
  put('p.sql', bounded('out/'))
  put('in.jsonl', rows(0, 3))
  put('file', '')
  const { code, err } = await headrace(['run', '--data-dir', 'file/x', 'p.sql'], { cwd })
  expect([code, err]).toEqual([3, expect.stringContaining('error[connector_forbidden]')])
  expect(err).toContain('hint: give another place: --data-dir DIR')
})

test('a second run while one runs is refused with its pid', async () => {
  put('p.sql', endless)
  put('in.jsonl', rows(0, 3))
  let second: Promise<Outcome> | undefined
  let pid: number | undefined
  const first = await headrace(['run', 'p.sql'], {
    cwd,
    watch: (child, out) => {
      if (second !== undefined || out.split('\n').length <= 3) return
      pid = child.pid
      second = headrace(['run', 'p.sql'], { cwd })
      second.finally(() => child.kill('SIGINT'))
    },
  })
  const { code, err } = await second!
  expect([code, err]).toEqual([3, expect.stringContaining(`is run by process ${pid} on`)])
  expect(err).toContain('error[pipeline_running]')
  expect(first.code).toBe(0)
  expect(ids(linesBelow('out'))).toEqual(upTo(3))
}, 20_000)

test('a completed pipeline again: into a folder it is refused with both ways out', async () => {
  put('p.sql', bounded('out/'))
  put('in.jsonl', rows(0, 3))
  expect((await headrace(['run', 'p.sql'], { cwd })).code).toBe(0)
  const { code, err } = await headrace(['run', 'p.sql'], { cwd })
  expect([code, err]).toEqual([2, expect.stringContaining('error[target_exists]')])
  expect(err).toMatch(/append.*overwrite/)
  expect(ids(linesBelow('out'))).toEqual(upTo(3))
})

test('a completed pipeline again: one path is replaced', async () => {
  put('p.sql', bounded('out.jsonl'))
  put('in.jsonl', rows(0, 3))
  expect((await headrace(['run', 'p.sql'], { cwd })).code).toBe(0)
  put('in.jsonl', rows(0, 2))
  const again = await headrace(['run', 'p.sql'], { cwd })
  expect(again.code).toBe(0)
  expect(again.err).toContain('the last run is complete: starting over')
  expect(ids(readFileSync(join(cwd, 'out.jsonl'), 'utf8').trimEnd().split('\n'))).toEqual(upTo(2))
})

test('the state keeps itself out of version control', async () => {
  put('p.sql', bounded('out/'))
  put('in.jsonl', rows(0, 1))
  mkdirSync(join(cwd, 'out'))
  await headrace(['run', 'p.sql'], { cwd })
  expect(readFileSync(join(cwd, '.headrace/.gitignore'), 'utf8')).toBe('*\n')
})

test('a file that stays as it is does not hold the windows of the others for ever', async () => {
  put(
    'p.sql',
    `-- @name w
CREATE STREAM s (k STRING, ts TIMESTAMP) FROM 'file:logs/*.jsonl?watch=true&poll_interval=100ms&event_time=ts&watermark_delay=0ms&idle_timeout=300ms';
SELECT window_start, COUNT(*) AS n FROM TUMBLE(s, ts, INTERVAL 1 SECOND) GROUP BY window_start;
SELECT k FROM s;
`,
  )
  mkdirSync(join(cwd, 'logs'))
  const at = (seconds: number): string => `{"k":"a","ts":"2026-01-01T00:00:0${seconds}Z"}\n`
  put('logs/old.jsonl', at(0))
  put('logs/new.jsonl', at(0) + at(1) + at(5))
  let sent = false
  const { code, out } = await headrace(['run', '-o', 'jsonl', 'p.sql'], {
    cwd,
    watch: (child, text) => {
      // One of them goes on: a row for every row that comes out.
      if (text.split('\n').length > 4) appendFileSync(join(cwd, 'logs/new.jsonl'), at(5))
      if (sent || !text.includes('00:00:01Z')) return
      sent = true
      child.kill('SIGINT')
    },
  })
  expect(code).toBe(0)
  expect(out.split('\n').filter((line) => line.includes('window_start'))).toEqual([
    '{"window_start":"2026-01-01T00:00:00Z","n":2}',
    '{"window_start":"2026-01-01T00:00:01Z","n":1}',
  ])
})

test('a folder that was taken away behind a complete run is in nobody’s way: what was added goes into a new one', async () => {
  put('a.jsonl', rows(0, 10))
  put(
    'p.sql',
    "CREATE STREAM s (id BIGINT, city STRING) FROM 'file:*.jsonl'; INSERT INTO 'file:out/' SELECT id FROM s;",
  )
  expect((await headrace(['run', 'p.sql'], { cwd })).code).toBe(0)
  renameSync(join(cwd, 'out'), join(cwd, 'away'))
  put('b.jsonl', rows(10, 15))
  const added = await headrace(['run', 'p.sql', '--continue'], { cwd })
  expect([added.code, ids(linesBelow('out'))], added.err).toEqual([0, [10, 11, 12, 13, 14]])
  expect(ids(linesBelow('away'))).toEqual(upTo(10))
})
