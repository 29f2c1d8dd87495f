import { spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../../core/clock.ts'
import { DyingFiles } from '../../../testkit/dying-files.ts'
import { runEpochs, type SnapshotBox } from '../../../testkit/epoch-driver.ts'
import { epochOf, type FileSinkForm, FileSinks, failure, rowsFrom } from '../../../testkit/file-sinks.ts'
import { lockTarget } from './target-lock.ts'

const sinks = new FileSinks()
afterEach(() => sinks.closeAll())
afterAll(() => sinks[Symbol.dispose]())

const endless: FileSinkForm = { bounded: false }
const text = (path: string): string => readFileSync(path, 'utf8')
const lines = (from: number, to: number): string =>
  rowsFrom(from, to)
    .map(([id, name]) => `${id},${name}\n`)
    .join('')
const csvOf = (to: number): string => `id,name\n${lines(0, to)}`

/** A clock whose sleepers wake at once, in its own time. */
function quickClock(): Clock & { readonly slept: () => number } {
  let ms = 0
  return {
    nowMicros: () => ms * 1000,
    elapsedMs: () => ms,
    sleep: async (span) => {
      ms += span
    },
    slept: () => ms,
  }
}

test('rows stand behind what was there, the header once; a restart cuts what no epoch holds', async () => {
  const path = sinks.freshPath('csv')
  const first = await sinks.open(path, endless)
  await first.settle(undefined)
  const one = await epochOf(first, 1n, rowsFrom(0, 2))
  await first.commit(one)
  const two = await epochOf(first, 2n, rowsFrom(2, 3))
  await first.commit(two)
  await first.write(rowsFrom(90, 99))
  await first[Symbol.asyncDispose]()
  expect(text(path)).toBe(csvOf(3) + lines(90, 99))
  const second = await sinks.open(path, { ...endless, incarnation: 2 })
  await second.settle(two)
  expect(text(path)).toBe(csvOf(3))
  await second.commit(await epochOf(second, 3n, rowsFrom(3, 5)))
  expect(text(path)).toBe(csvOf(5))
  await second[Symbol.asyncDispose]()
  // An older snapshot cuts more.
  const third = await sinks.open(path, { ...endless, incarnation: 3 })
  await third.settle(one)
  expect(text(path)).toBe(csvOf(2))
})

test('what others appended behind a sink that was closed in order is not cut', async () => {
  const path = sinks.freshPath('csv')
  const first = await sinks.open(path, endless)
  await first.settle(undefined)
  const one = await epochOf(first, 1n, rowsFrom(0, 2))
  await first.commit(one)
  await first[Symbol.asyncDispose]()
  appendFileSync(path, 'somebody else\n')
  const second = await sinks.open(path, { ...endless, incarnation: 2 })
  expect((await failure(second.settle(one))).code).toBe('connector_commit_ambiguous')
  expect(text(path)).toBe(`${csvOf(2)}somebody else\n`)
  await second[Symbol.asyncDispose]()
  // Put right, it goes on, and is not taken for closed any more.
  truncateSync(path, csvOf(2).length)
  const third = await sinks.open(path, { ...endless, incarnation: 3 })
  await third.settle(one)
  await third.write(rowsFrom(2, 3))
  await third[Symbol.asyncDispose]()
  const fourth = await sinks.open(path, { ...endless, incarnation: 4 })
  await fourth.settle(one)
  expect(text(path)).toBe(csvOf(2))
})

test('rows of a first epoch that was never committed are cut, what was there before stays', async () => {
  const path = sinks.freshPath('csv')
  mkdirSync(dirname(path))
  writeFileSync(path, 'id,name\n-1,before\n')
  const first = await sinks.open(path, endless)
  await first.settle(undefined)
  await first.write(rowsFrom(0, 5))
  await first[Symbol.asyncDispose]()
  const second = await sinks.open(path, { ...endless, incarnation: 2 })
  await second.settle(undefined)
  expect(text(path)).toBe('id,name\n-1,before\n')
  await second.commit(await epochOf(second, 1n, rowsFrom(0, 1)))
  expect(text(path)).toBe('id,name\n-1,before\n0,row 0\n')
  await second[Symbol.asyncDispose]()
  // Another lineage adds to it, and cuts nothing.
  const third = await sinks.open(path, { ...endless, lineage: 'bbbbbbbb' })
  await third.settle(undefined)
  await third.commit(await epochOf(third, 1n, rowsFrom(1, 2)))
  expect(text(path)).toBe('id,name\n-1,before\n0,row 0\n1,row 1\n')
})

test('a ledger that an instance died over is removed by the next one', async () => {
  const path = sinks.freshPath('csv')
  const folder = dirname(path)
  const first = await sinks.open(path, endless)
  await first.settle(undefined)
  await first[Symbol.asyncDispose]()
  const ledger = readdirSync(folder).find((name) => name.endsWith('.ledger'))!
  const left = join(folder, `${ledger.slice(0, -'.ledger'.length)}-0-1-0-ledger`)
  writeFileSync(left, '{')
  const second = await sinks.open(path, { ...endless, incarnation: 2 })
  await second.settle(undefined)
  expect(existsSync(left)).toBe(false)
})

test('rows are synced before the token, what is cut before rows follow', async () => {
  const path = sinks.freshPath('csv')
  const files = new DyingFiles()
  const driver = await sinks.open(path, { ...endless, files })
  await driver.settle(undefined)
  await driver.write(rowsFrom(0, 2))
  files.trace.length = 0
  const one = await epochOf(driver, 1n, [])
  expect(files.trace[0]).toBe('sync out.csv')
  await driver.write(rowsFrom(2, 3))
  files.trace.length = 0
  await driver.sink.restore!(1n, one.token)
  await driver.write(rowsFrom(4, 5))
  const calls = files.trace.filter((line) => /^(truncate|sync|append)/.test(line))
  expect(calls).toEqual(['truncate out.csv', 'sync out.csv', 'append out.csv'])
})

describe('a process that dies at any system call', () => {
  for (const when of ['before', 'after'] as const) {
    test(`${when} its effect: every row of a committed epoch once`, async () => {
      const run = { rows: rowsFrom(0, 6), perEpoch: 2, ends: false }
      let deaths = 0
      for (let n = 1; ; n++) {
        const path = sinks.freshPath('csv')
        const box: SnapshotBox = { snapshot: undefined, begun: 0n }
        const files = new DyingFiles({ at: n, when })
        const died = await sinks
          .open(path, { ...endless, files })
          .then((driver) => runEpochs(driver, box, run))
          .then(
            () => false,
            () => files.dead,
          )
        await files.bury()
        await sinks.closeAll()
        const label = `call ${n}: ${files.trace.at(-1)}`
        await runEpochs(await sinks.open(path, { ...endless, incarnation: 2 }), box, run)
        expect(text(path), label).toBe(csvOf(6))
        await sinks.closeAll()
        if (!died) break
        deaths++
      }
      expect(deaths).toBeGreaterThan(30)
    }, 60_000)
  }
})

describe('a file that is not what it was', () => {
  const written = async (path: string) => {
    const first = await sinks.open(path, endless)
    await first.settle(undefined)
    const one = await epochOf(first, 1n, rowsFrom(0, 3))
    await first.commit(one)
    await first[Symbol.asyncDispose]()
    return one
  }

  for (const [what, harm] of [
    ['shorter', (path: string) => truncateSync(path, 10)],
    ['gone', (path: string) => rmSync(path)],
    [
      'another one',
      (path: string) => {
        renameSync(path, `${path}.1`)
        writeFileSync(path, 'x'.repeat(1000))
      },
    ],
  ] as const) {
    test(`${what}: nothing is cut, nothing filled up`, async () => {
      const path = sinks.freshPath('csv')
      const one = await written(path)
      harm(path)
      const before = existsSync(path) ? text(path) : undefined
      const next = await sinks.open(path, { ...endless, incarnation: 2 })
      expect((await failure(next.settle(one))).code).toBe('connector_commit_ambiguous')
      expect(existsSync(path) ? text(path) : undefined).toBe(before)
    })
  }

  test('written by somebody else meanwhile: the barrier fails', async () => {
    const path = sinks.freshPath('csv')
    const driver = await sinks.open(path, endless)
    await driver.settle(undefined)
    await driver.commit(await epochOf(driver, 1n, rowsFrom(0, 3)))
    appendFileSync(path, 'foreign\n')
    await driver.write(rowsFrom(3, 4))
    expect((await failure(driver.sink.prepare!(2n, { last: false }))).code).toBe('connector_commit_ambiguous')
  })
})

describe('the lock', () => {
  test('a second writer waits 6 s, then it is told who holds it', async () => {
    const path = sinks.freshPath('csv')
    const first = await sinks.open(path, endless)
    await first.settle(undefined)
    await first.write(rowsFrom(0, 2))
    const clock = quickClock()
    const error = await failure(sinks.open(path, { ...endless, incarnation: 2, clock }))
    expect(error).toMatchObject({ code: 'sink_locked', exitCode: 3, details: { pid: process.pid } })
    expect(error.message).toContain(`process ${process.pid}`)
    expect(clock.slept()).toBe(6000)
    expect(text(path)).toBe(csvOf(2))
    await first[Symbol.asyncDispose]()
    await (await sinks.open(path, { ...endless, incarnation: 2 })).settle(undefined)
    expect(text(path)).toBe('id,name\n')
  })

  test('is held against other processes, and freed by their death', async () => {
    const path = sinks.freshPath('csv')
    mkdirSync(dirname(path))
    const lock = join(dirname(path), '.headrace-out.csv.lock')
    const code = `const { DatabaseSync } = require('node:sqlite')
      new DatabaseSync(process.argv[1]).exec('BEGIN EXCLUSIVE'); console.log('held'); process.stdin.resume()`
    const child = spawn(process.execPath, ['-e', code, lock], { stdio: ['pipe', 'pipe', 'inherit'] })
    const exited = new Promise((resolve) => child.once('exit', resolve))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    expect((await failure(sinks.open(path, { ...endless, clock: quickClock() }))).code).toBe('sink_locked')
    child.kill('SIGKILL')
    await exited
    await (await sinks.open(path, endless)).settle(undefined)
    expect(text(path)).toBe('id,name\n')
  })

  test('one whose file was removed by its holder is on nothing: the next takes the new file', async () => {
    const path = join(sinks.base, 'l.lock')
    const first = await lockTarget(path, { clock: quickClock() })
    const waiting = lockTarget(path, {
      clock: {
        ...quickClock(),
        sleep: async () => {
          first.release(true)
        },
      },
    })
    const second = await waiting
    expect((await failure(lockTarget(path, { clock: quickClock() }))).code).toBe('sink_locked')
    second.release()
    second.release()
    ;(await lockTarget(path, { clock: quickClock() })).release(true)
    expect(existsSync(path)).toBe(false)
  })

  test('what cannot be a lock is refused', async () => {
    const path = join(sinks.base, 'no.lock')
    writeFileSync(path, 'text that is no database, and long enough to be looked at'.repeat(50))
    expect((await failure(lockTarget(path, { clock: quickClock() }))).code).toBe('connector_forbidden')
    expect((await failure(lockTarget(join(sinks.base, 'no/where.lock'), { clock: quickClock() }))).code).toBe(
      'connector_forbidden',
    )
  })
})

test('compressed rows are members, one behind the other, also over a restart', async () => {
  for (const [extension, open] of [
    ['csv.gz', gunzipSync],
    ['csv.zst', zstdDecompressSync],
  ] as const) {
    const path = sinks.freshPath(extension)
    const first = await sinks.open(path, endless)
    await first.settle(undefined)
    const one = await epochOf(first, 1n, rowsFrom(0, 2))
    await first.commit(one)
    await first.write(rowsFrom(90, 99))
    await first[Symbol.asyncDispose]()
    const second = await sinks.open(path, { ...endless, incarnation: 2 })
    await second.settle(one)
    await second.commit(await epochOf(second, 2n, rowsFrom(2, 4)))
    if (extension === 'csv.gz') expect(open(readFileSync(path)).toString()).toBe(csvOf(4))
    else expect(readFileSync(path).length).toBeGreaterThan(50)
  }
})

describe('without checkpoints', () => {
  const none: FileSinkForm = { lineage: 'none', options: { write_mode: 'append' } }

  test('rows are added, the header once, and no lock is left', async () => {
    const path = sinks.freshPath('csv')
    for (const [from, to] of [
      [0, 2],
      [2, 3],
    ] as const) {
      const driver = await sinks.open(path, none)
      await driver.write(rowsFrom(from, to))
      await driver.sink.flush()
      await driver.sink.seal!()
      expect(await driver.sink.finish!(true)).toBe(true)
      await driver[Symbol.asyncDispose]()
    }
    expect(text(path)).toBe(csvOf(3))
    expect(readdirSync(dirname(path))).toEqual(['out.csv'])
  })

  test('a query that ends and does not finish takes its rows back, an endless one keeps them', async () => {
    const path = sinks.freshPath('csv')
    mkdirSync(dirname(path))
    writeFileSync(path, csvOf(1))
    const failed = await sinks.open(path, none)
    await failed.write(rowsFrom(1, 3))
    await failed[Symbol.asyncDispose]()
    expect(text(path)).toBe(csvOf(1))
    const stopped = await sinks.open(path, { ...none, bounded: false, options: {} })
    await stopped.write(rowsFrom(1, 3))
    expect(await stopped.sink.finish!(false)).toBe(true)
    await stopped[Symbol.asyncDispose]()
    expect(text(path)).toBe(csvOf(3))
  })

  test('what an endless query cannot do is refused', async () => {
    const path = sinks.freshPath('csv')
    for (const mode of ['overwrite', 'create']) {
      const error = await failure(sinks.open(path, { ...endless, options: { write_mode: mode } }))
      expect(error.code).toBe('connector_option_conflict')
    }
  })
})
