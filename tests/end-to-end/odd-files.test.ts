import { execFileSync, spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { field, types } from '../../src/core/types.ts'
import { Harness } from '../../src/testkit/harness.ts'
import { headrace, main } from './cli.ts'

let cwd: string
const TWO = '{"a":1}\n{"a":2}\n'
const put = (name: string, data = TWO): void => writeFileSync(join(cwd, name), data)
const read = (name: string): string => readFileSync(join(cwd, name), 'utf8')
const run = (...args: readonly string[]) => headrace(args, { cwd })

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-odd-files-'))
  put('two.jsonl')
})
afterEach(() => rmSync(cwd, { recursive: true }))

test('a link to a directory above gives no file twice', async () => {
  mkdirSync(join(cwd, 'sub'))
  put('sub/x.jsonl')
  symlinkSync('.', join(cwd, 'sub/loop'))
  expect((await run('sql', "SELECT COUNT(*) AS n FROM 'sub/**/*.jsonl'")).out).toBe('{"n":2}\n')
})

test('a pipe in a directory is no file of it', async () => {
  mkdirSync(join(cwd, 'sub'))
  put('sub/x.jsonl')
  execFileSync('mkfifo', [join(cwd, 'sub/y.jsonl')])
  expect((await run('sql', "SELECT COUNT(*) AS n FROM 'sub/'")).out).toBe('{"n":2}\n')
})

test('names that look like globs, hold signs of URIs or are long', async () => {
  const long = `${'x'.repeat(240)}.jsonl`
  for (const name of ['w [1].jsonl', 'p%20#q?.jsonl', 'n\nl.jsonl', long]) {
    put(name)
    expect((await run('copy', name, 'out.jsonl')).code).toBe(0)
    expect(read('out.jsonl')).toBe(TWO)
  }
  expect((await run('copy', 'two.jsonl', long)).code).toBe(0)
})

test('no rows in a compressed file are one empty member', async () => {
  await run('sql', "INSERT INTO 'none.jsonl.gz' SELECT a FROM 'two.jsonl' WHERE a > 5")
  expect(gunzipSync(readFileSync(join(cwd, 'none.jsonl.gz'))).length).toBe(0)
})

test('two statements into one file: it holds the rows of both', async () => {
  const insert = (a: number): string => `INSERT INTO 'out.jsonl' SELECT a FROM 'two.jsonl' WHERE a = ${a};`
  expect((await run('sql', `${insert(1)} ${insert(2)}`)).code).toBe(0)
  expect(read('out.jsonl').split('\n').sort().join('\n')).toBe('\n{"a":1}\n{"a":2}')
})

test('two outputs that cannot share one file are refused; nothing is left behind', async () => {
  const script =
    "INSERT INTO 'out.jsonl' SELECT a FROM 'two.jsonl'; INSERT INTO './out.jsonl' SELECT a AS b FROM 'two.jsonl';"
  const { code, err } = await run('sql', script)
  expect({ code, said: err.includes('target_exists') }).toEqual({ code: 2, said: true })
  expect(readdirSync(cwd)).toEqual(['two.jsonl'])
})

test('the target is the source', async () => {
  expect((await run('copy', 'two.jsonl', 'two.jsonl')).code).toBe(0)
  expect(read('two.jsonl')).toBe(TWO)
})

test('a link as target stays a link', async () => {
  put('real.jsonl', '')
  symlinkSync('real.jsonl', join(cwd, 'link.jsonl'))
  expect((await run('copy', 'two.jsonl', 'link.jsonl')).code).toBe(0)
  expect(lstatSync(join(cwd, 'link.jsonl')).isSymbolicLink()).toBe(true)
  expect(read('real.jsonl')).toBe(TWO)
})

test('a pipe as target is written, not replaced', async () => {
  const path = join(cwd, 'pipe')
  execFileSync('mkfifo', [path])
  const cat = spawn('cat', [path])
  let out = ''
  cat.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  const closed = new Promise((resolve) => cat.on('close', resolve))
  expect((await run('copy', 'two.jsonl', 'pipe')).code).toBe(0)
  await closed
  expect(out).toBe(TWO)
  expect(lstatSync(path).isFIFO()).toBe(true)
})

test.runIf(process.platform === 'linux').each(['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', 'link'])(
  '%s as target is written like standard output, also when that is a file',
  async (target) => {
    symlinkSync('/dev/stdout', join(cwd, 'link'))
    put('log.jsonl', '{"a":0}\n')
    const log = openSync(join(cwd, 'log.jsonl'), 'a')
    const before = statSync(join(cwd, 'log.jsonl')).ino
    const child = spawn(process.execPath, [main, 'copy', 'two.jsonl', target], {
      cwd,
      stdio: ['ignore', log, 'ignore'],
    })
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
    closeSync(log)
    expect(read('log.jsonl')).toBe(`{"a":0}\n${TWO}`)
    expect(statSync(join(cwd, 'log.jsonl')).ino).toBe(before)
    expect(readdirSync(cwd).sort()).toEqual(['link', 'log.jsonl', 'two.jsonl'])
  },
)

test('a pipe as source is refused with the way out', async () => {
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  const writer = spawn('sh', ['-c', 'cat two.jsonl > pipe'], { cwd })
  const closed = new Promise((resolve) => writer.on('close', resolve))
  const { code, err } = await run('copy', 'pipe', 'out.jsonl')
  await closed
  expect({ code, said: err.includes('FROM stdin') }).toEqual({ code: 2, said: true })
})

test.each([
  ['moving.jsonl', Buffer.from(TWO)],
  ['moving.jsonl.gz', gzipSync(TWO)],
  ['moving.jsonl.zst', zstdCompressSync(TWO)],
] as const)('what is added to %s after it was found is not read; what is missing is an error', async (name, data) => {
  const schema = { fields: [field('a', types.bigint)] }
  const rows = async (change: () => void): Promise<number> => {
    writeFileSync(join(cwd, name), data)
    const harness = new Harness({ baseDirectory: cwd })
    await using source = await harness.openSource(`file:${name}`, schema)
    const { signal } = new AbortController()
    let count = 0
    for await (const event of source.splits(signal)) {
      if (event.kind !== 'added') continue
      change()
      await using reader = source.open(event.split.id)
      for await (const item of reader.read(undefined, signal)) if (item.kind === 'batch') count += item.batch?.rows ?? 0
    }
    return count
  }
  expect(await rows(() => appendFileSync(join(cwd, name), data))).toBe(2)
  await expect(rows(() => truncateSync(join(cwd, name), 8))).rejects.toThrow('became shorter')
})

test.runIf(process.platform === 'linux')('a target where no directory can be made is refused at once', async () => {
  const { code, err } = await run('copy', 'two.jsonl', '/proc/none/out.jsonl')
  expect({ code, said: err.includes('cannot write') }).toEqual({ code: 3, said: true })
})

test('a dead letter has the bytes of its record, whatever failed before it', async () => {
  const records = [
    '{"k":"g","v":50,"t":"2026-01-01T00:00:01Z"}',
    '{"k":"d","v":2, "unread":[1]}',
    '{"k":"b", "v":0,"t":"2026-01-01T00:00:12Z"}',
  ]
  put('s.jsonl', `${records.join('\n')}\n`)
  const { err } = await run(
    'sql',
    `CREATE STREAM s (k STRING, v BIGINT, t TIMESTAMP, CHECK (v < 40), WATERMARK FOR t AS t) FROM 's.jsonl';
     SELECT k, SUM(10 / v) AS q FROM s GROUP BY k, TUMBLE(t, 10s)`,
  )
  for (const [i, record] of records.entries()) {
    expect(err).toContain(`s.jsonl:${i + 1}`)
    expect(err).toContain(record)
  }
})

test('a file that is replaced keeps its rights', async () => {
  put('kept.jsonl', 'old\n')
  chmodSync(join(cwd, 'kept.jsonl'), 0o640)
  await run('copy', 'two.jsonl', 'kept.jsonl')
  expect({ text: read('kept.jsonl'), mode: statSync(join(cwd, 'kept.jsonl')).mode & 0o777 }).toEqual({
    text: TWO,
    mode: 0o640,
  })
})

test('options behind a bare path say that a URI has them; a file is no directory', async () => {
  expect((await run('cat', 'two.jsonl?format=csv')).err).toContain('hint: in a bare path')
  const { code, err } = await run('copy', 'two.jsonl', 'two.jsonl/x.jsonl')
  expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('connector_not_found') })
})

test('a codec that is not built is named, with those that are', async () => {
  const lz4 = Buffer.from([4, 0x22, 0x4d, 0x18, 1, 2, 3])
  const snappy = Buffer.concat([Buffer.from([0xff, 6, 0, 0]), Buffer.from('sNaPpYxyz')])
  for (const [name, bytes] of [
    ['lz4', lz4],
    ['snappy', snappy],
  ] as const) {
    writeFileSync(join(cwd, 'packed.jsonl'), bytes)
    const said = {
      code: 2,
      err: expect.stringMatching(new RegExp(`not_implemented.*compression ${name} (.|\n)*gzip, zstd`)),
    }
    expect(await run('cat', 'packed.jsonl')).toMatchObject(said)
    expect(await run('copy', 'two.jsonl', `out.jsonl.${name}`)).toMatchObject(said)
    const asOption = { code: 2, err: expect.stringContaining('one of: auto, none, gzip, zstd') }
    expect(await run('cat', `file:two.jsonl?compression=${name}`)).toMatchObject(asOption)
    expect(await run('copy', 'two.jsonl', `file:out.jsonl?compression=${name}`)).toMatchObject(asOption)
  }
  expect(readdirSync(cwd).sort()).toEqual(['packed.jsonl', 'two.jsonl'])
})
