import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, expect, test } from 'vitest'
import { systemFiles } from '../../../core/system-files.ts'
import { DyingFiles } from '../../../testkit/dying-files.ts'
import { epochOf, FileSinks, failure, rowsFrom } from '../../../testkit/file-sinks.ts'

const sinks = new FileSinks()
afterEach(() => sinks.closeAll())
afterAll(() => sinks[Symbol.dispose]())

const text = (path: string): string => readFileSync(path, 'utf8')
const csvOf = (to: number): string =>
  `id,name\n${rowsFrom(0, to)
    .map(([id, name]) => `${id},${name}\n`)
    .join('')}`
const staged = (path: string): string[] =>
  readdirSync(dirname(path)).filter((name) => name.startsWith('.headrace-') && !/\.(ledger|lock)$/.test(name))

function oldFile(path: string): void {
  mkdirSync(dirname(path))
  writeFileSync(path, 'old', { mode: 0o640 })
}

test('the old file stays until the last epoch is committed, then all rows are there, with its rights', async () => {
  const path = sinks.freshPath('csv')
  oldFile(path)
  const driver = await sinks.open(path)
  await driver.settle(undefined)
  await driver.commit(await epochOf(driver, 1n, rowsFrom(0, 2)))
  await driver.commit(await epochOf(driver, 2n, []))
  const last = await epochOf(driver, 3n, rowsFrom(2, 5), true)
  expect(text(path)).toBe('old')
  for (let i = 0; i < 2; i++) await driver.commit(last)
  expect(text(path)).toBe(csvOf(5))
  expect(statSync(path).mode & 0o777).toBe(0o640)
  expect(staged(path)).toEqual([])
  // Settled: a start on the last epoch changes nothing and writes nothing.
  const again = await sinks.open(path, { incarnation: 2 })
  const before = statSync(path).ino
  await again.settle(last)
  expect(statSync(path).ino).toBe(before)
  expect(staged(path)).toEqual([])
})

test('a restarted instance goes on in a file of its own; the stopped one writes where nobody looks', async () => {
  const path = sinks.freshPath('csv')
  const old = await sinks.open(path)
  await old.settle(undefined)
  const first = await epochOf(old, 1n, rowsFrom(0, 2))
  await old.commit(first)
  await old.write(rowsFrom(90, 92))
  const fresh = await sinks.open(path, { incarnation: 2 })
  await fresh.settle(first)
  expect(staged(path)).toHaveLength(2)
  await old.write(rowsFrom(92, 94))
  expect((await failure(old.sink.prepare!(9n, { last: true }))).code).toBe('connector_fenced')
  await fresh.commit(await epochOf(fresh, 2n, rowsFrom(2, 4)))
  expect(staged(path)).toHaveLength(1)
  await fresh.commit(await epochOf(fresh, 3n, [], true))
  expect(text(path)).toBe(csvOf(4))
})

test('no rows still make the file, also a compressed one', async () => {
  const path = sinks.freshPath('jsonl.gz')
  const driver = await sinks.open(path)
  await driver.settle(undefined)
  await driver.commit(await epochOf(driver, 1n, [], true))
  expect(gunzipSync(readFileSync(path))).toHaveLength(0)
})

test('rows are synced before the token, and the folder that has the new name', async () => {
  const path = sinks.freshPath('csv')
  const files = new DyingFiles()
  const driver = await sinks.open(path, { files })
  await driver.settle(undefined)
  files.trace.length = 0
  const temp = '.headrace-orders-rows-0-1-0-1'
  const folder = dirname(path).split('/').at(-1)
  const last = await epochOf(driver, 1n, rowsFrom(0, 2), true)
  expect(files.trace.filter((line) => /^(append|sync|close)/.test(line))).toEqual([
    `append ${temp}`,
    `sync ${temp}`,
    `close ${temp}`,
    `sync ${folder}`,
    `close ${folder}`,
  ])
  files.trace.length = 0
  await driver.commit(last)
  const calls = files.trace.filter((line) => /^(rename|sync)/.test(line))
  expect(calls.map((line) => line.replace(/\S*-ledger \S*/, 'ledger'))).toEqual([
    expect.stringMatching(/^sync .*ledger$|^sync ledger/),
    'rename ledger',
    `sync ${folder}`,
    `rename ${temp} out.csv`,
    `sync ${folder}`,
    expect.stringMatching(/^sync /),
    'rename ledger',
    `sync ${folder}`,
  ])
})

test('an old owner that wakes before its rename cannot hit what came after', async () => {
  const path = sinks.freshPath('csv')
  const files = new DyingFiles()
  const old = await sinks.open(path, { files })
  await old.settle(undefined)
  const last = await epochOf(old, 1n, rowsFrom(0, 3), true)
  let wake = (): void => {}
  files.stops.set(
    /^rename \S* out.csv$/,
    new Promise<void>((resolve) => {
      wake = resolve
    }),
  )
  const settled = failure(old.commit(last))
  while (!files.trace.some((line) => line.endsWith(' out.csv') && line.startsWith('rename'))) {
    await systemFiles.facts(sinks.base)
  }
  const fresh = await sinks.open(path, { incarnation: 2 })
  await fresh.settle(last)
  expect(text(path)).toBe(csvOf(3))
  rmSync(path)
  writeFileSync(path, 'newer')
  wake()
  expect((await settled).code).toBe('connector_fenced')
  expect(text(path)).toBe('newer')
})

test('create refuses a file that is there or comes meanwhile', async () => {
  const path = sinks.freshPath('csv')
  const options = { write_mode: 'create' }
  const driver = await sinks.open(path, { options })
  await driver.settle(undefined)
  const last = await epochOf(driver, 1n, rowsFrom(0, 1), true)
  writeFileSync(path, 'mine')
  expect((await failure(driver.commit(last))).code).toBe('target_exists')
  expect(text(path)).toBe('mine')
  expect(await failure(sinks.open(path, { options, lineage: 'bbbbbbbb' }))).toMatchObject({
    code: 'target_exists',
    exitCode: 2,
  })
})

test('staged rows that are gone stop a restart', async () => {
  const path = sinks.freshPath('csv')
  const driver = await sinks.open(path)
  await driver.settle(undefined)
  const first = await epochOf(driver, 1n, rowsFrom(0, 2))
  await driver.commit(first)
  rmSync(join(dirname(path), staged(path)[0]!))
  const next = await sinks.open(path, { incarnation: 2 })
  expect((await failure(next.settle(first))).code).toBe('connector_commit_ambiguous')
})

test('neither staged nor at its place, and not done: ambiguous', async () => {
  const path = sinks.freshPath('csv')
  const driver = await sinks.open(path)
  await driver.settle(undefined)
  const last = await epochOf(driver, 1n, rowsFrom(0, 2), true)
  rmSync(join(dirname(path), staged(path)[0]!))
  expect((await failure(driver.commit(last))).code).toBe('connector_commit_ambiguous')
  expect(await driver.sink.ledger!(1n)).toMatchObject({ epoch: 0n, begun: 1n })
})

test('abort removes what no committed epoch names; writing can go on from there', async () => {
  const path = sinks.freshPath('csv')
  const driver = await sinks.open(path)
  await driver.settle(undefined)
  await epochOf(driver, 1n, rowsFrom(0, 2))
  await driver.sink.abort!(1n)
  expect(staged(path)).toEqual([])
  await driver.sink.restore!(0n, undefined)
  await driver.commit(await epochOf(driver, 2n, rowsFrom(0, 2)))
  await driver.commit(await epochOf(driver, 3n, rowsFrom(2, 3), true))
  expect(text(path)).toBe(csvOf(3))
})
