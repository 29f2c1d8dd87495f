import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Value } from '../../../core/values.ts'
import { DyingFiles } from '../../../testkit/dying-files.ts'
import { runEpochs, type SnapshotBox } from '../../../testkit/epoch-driver.ts'
import { epochOf, failure } from '../../../testkit/file-sinks.ts'
import { FolderSinks, numbers, placesUpTo, timeOf } from '../../../testkit/folder-sinks.ts'

const t = new FolderSinks()
const { open, listed, staged, ids } = t
beforeEach(() => t.freshRoot())
afterEach(() => t.closeAll())
afterAll(() => t[Symbol.dispose]())

describe('a process that dies at any system call', () => {
  for (const when of ['before', 'after'] as const) {
    for (const path of ['', '/city={date}/'] as const) {
      test(`${when} its effect${path === '' ? '' : ', with folders of partitions'}: every row once`, async () => {
        const run = { rows: placesUpTo(4), perEpoch: 2, ends: true }
        let deaths = 0
        for (let n = 1; ; n++) {
          t.freshRoot()
          const form = { path: `${t.root}${path === '' ? '/' : path}` }
          const box: SnapshotBox = { snapshot: undefined, begun: 0n }
          const files = new DyingFiles({ at: n, when })
          const first = await open({ ...form, files })
          const died = await runEpochs(first, box, run).then(
            () => false,
            () => files.dead,
          )
          await files.bury()
          await first[Symbol.asyncDispose]()
          if (!died) {
            expect(ids(), 'nothing died').toEqual(numbers(4))
            break
          }
          deaths++
          const label = `call ${n}: ${files.trace.at(-1)}`
          const second = await open({ ...form, incarnation: 2 })
          await runEpochs(second, box, run)
          await second[Symbol.asyncDispose]()
          expect(ids(), label).toEqual(numbers(4))
          expect(staged(), label).toEqual([])
        }
        expect(deaths).toBeGreaterThan(60)
      }, 60_000)
    }
  }
})

describe('failing system calls', () => {
  class Failing extends DyingFiles {
    pattern: RegExp
    readonly code: string
    readonly kind: 'link' | 'sync' | 'append'
    times = 0
    /** Which matching sync fails, from 0. */
    at = 0
    constructor(pattern: RegExp, code: string, kind: 'link' | 'sync' | 'append') {
      super()
      this.pattern = pattern
      this.code = code
      this.kind = kind
    }
    override async link(from: string, to: string): Promise<void> {
      await super.link(from, to)
      if (this.kind === 'link' && this.pattern.test(to) && this.times++ === 0) this.#fail()
    }
    override async open(path: string, flags: 'wx' | 'a' | 'r', mode?: number) {
      const file = await super.open(path, flags, mode)
      if (!this.pattern.test(path)) return file
      return {
        ...file,
        append: (bytes: Uint8Array) => (this.kind === 'append' ? this.#fail() : file.append(bytes)),
        sync: async () => (this.kind === 'sync' && this.times++ === this.at ? this.#fail() : file.sync()),
      }
    }
    #fail(): never {
      throw Object.assign(new Error(this.code), { code: this.code })
    }
  }

  test('a link that was made although it failed is found by its inode', async () => {
    const driver = await open({ files: new Failing(/part-/, 'EIO', 'link') })
    await driver.settle(undefined)
    await driver.commit(await epochOf(driver, 1n, placesUpTo(2)))
    expect(ids()).toEqual([0, 1])
  })

  test('links made and the sync of their folder failed: no success is told, a repeated commit settles it', async () => {
    const files = new Failing(/never/, 'EIO', 'sync')
    const driver = await open({ files, path: `${t.root}/city={date}/` })
    await driver.settle(undefined)
    const first = await epochOf(driver, 1n, placesUpTo(2))
    files.pattern = /city=[^/]*$/
    expect((await failure(driver.commit(first))).code).toBe('connector_unreachable')
    expect(await driver.sink.ledger!(1n)).toMatchObject({ epoch: 0n, begun: 1n })
    expect(staged()).toHaveLength(1)
    await driver.commit(first)
    expect(ids()).toEqual([0, 1])
    expect(staged()).toEqual([])
  })

  test.each([
    ['begun', 0],
    ['done', 3],
  ])('the sync behind the ledger’s "%s" failed: the ledger is written anew before success is told', async (_, at) => {
    const files = new Failing(/never/, 'EIO', 'sync')
    const driver = await open({ files })
    await driver.settle(undefined)
    const first = await epochOf(driver, 1n, placesUpTo(2))
    files.pattern = new RegExp(`/${t.root.split('/').at(-1)}$`)
    files.at = at
    expect((await failure(driver.commit(first))).code).toBe('connector_unreachable')
    const last = 'rename .headrace-orders-rows-0-1-0-ledger .headrace-orders-rows.ledger'
    expect(files.trace.findLast((line) => line.startsWith('rename'))).toBe(last)
    files.trace.length = 0
    await driver.commit(first)
    expect(files.trace[files.trace.indexOf(last) + 2]).toBe(`sync ${t.root.split('/').at(-1)}`)
    expect(ids()).toEqual([0, 1])
    expect(await driver.sink.ledger!(1n)).toEqual({ epoch: 1n, incarnation: 1n })
  })

  test('a failed sync of rows is never followed by success, nor tried again', async () => {
    const files = new Failing(/-1-1-1$/, 'EIO', 'sync')
    const driver = await open({ files })
    await driver.settle(undefined)
    await driver.write(placesUpTo(2))
    expect((await failure(driver.sink.prepare!(1n, { last: false }))).code).toBe('connector_unreachable')
    expect((await failure(driver.sink.prepare!(2n, { last: false }))).code).toBe('connector_unreachable')
    expect((await failure(driver.write(placesUpTo(1)))).code).toBe('connector_unreachable')
    expect(files.times).toBe(1)
    await driver.sink.abort!(1n)
    expect(staged()).toEqual([])
  })

  test('a full disk is connector_capacity, also before it is full', async () => {
    const full = await open({ files: new Failing(/-1-1-1$/, 'ENOSPC', 'append') })
    await full.settle(undefined)
    expect((await failure(full.write(placesUpTo(1)))).code).toBe('connector_capacity')
    const near = await open({ options: { min_free: '1000000TB' } })
    await near.settle(undefined)
    const error = await failure(near.write(placesUpTo(1)))
    expect(error.code).toBe('connector_capacity')
    expect(error.hint).toContain('min_free')
    expect((await near.sink.health()).state).toBe('unhealthy')
  })

  test('a file system without hard links is refused before there are rows', async () => {
    const driver = await open({ files: new Failing(/-0-1$/, 'EPERM', 'link') })
    const error = await failure(driver.settle(undefined))
    expect(error.code).toBe('delivery_not_provable')
    expect(error.message).toContain('hard links')
  })
})

test('overwrite that dies at any call of its last commit has the old rows or the new ones', async () => {
  for (let n = 1; ; n++) {
    t.freshRoot()
    const old = await open({ lineage: 'aaaaaaaa' })
    await old.settle(undefined)
    await old.commit(await epochOf(old, 1n, placesUpTo(2), true))
    const form = { lineage: 'bbbbbbbb', options: { write_mode: 'overwrite' } }
    const files = new DyingFiles({ at: n, when: 'after' })
    const box: SnapshotBox = { snapshot: undefined, begun: 0n }
    const run = { rows: placesUpTo(5), perEpoch: 5, ends: true }
    const driver = await open({ ...form, files })
    const died = await runEpochs(driver, box, run).then(
      () => false,
      () => files.dead,
    )
    await files.bury()
    const names = listed('final')
    expect(names.some((name) => name.includes('aaaaaaaa')) || ids().length === 5, files.trace.at(-1)).toBe(true)
    await runEpochs(await open({ ...form, incarnation: 2 }), box, run)
    expect(ids()).toEqual(numbers(5))
    expect(listed('final')).toHaveLength(1)
    if (!died) break
  }
}, 60_000)

test('10,000 partitions in one epoch: few files are open, all are there; the token names a list', async () => {
  const files = new DyingFiles()
  let most = 0
  let now = 0
  const watched = new Proxy(files, {
    get(target, key) {
      if (key !== 'open') {
        const value = Reflect.get(target, key) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      }
      return async (path: string, flags: 'wx' | 'a' | 'r', mode?: number) => {
        const file = await target.open(path, flags, mode)
        most = Math.max(most, ++now)
        const close = async (): Promise<void> => {
          now--
          await file.close()
        }
        return { ...file, close }
      }
    },
  })
  // Syncs are left out: they are the disk's time, not ours.
  const driver = await open({
    files: watched,
    options: { partition_by: ['id'], fsync: 'never', open_files_max: '20', write_mode: 'append' },
  })
  await driver.settle(undefined)
  const all = Array.from({ length: 10_000 }, (_, i): readonly Value[] => [i, 'x', timeOf(0)])
  await driver.write(all)
  // Back to partitions that were closed: they go on in another file.
  await driver.write(all.slice(0, 100))
  const snapshot = await epochOf(driver, 1n, [])
  expect(most).toBeLessThanOrEqual(20 + 16 + 1)
  expect(now).toBe(0)
  expect(snapshot.token.length).toBeLessThan(1000)
  expect(staged()).toHaveLength(10_101)
  const next = await open({ incarnation: 2, options: { partition_by: ['id'], fsync: 'never', write_mode: 'append' } })
  await next.settle(snapshot)
  expect(staged()).toEqual([])
  const names = listed('final')
  expect(names).toHaveLength(10_100)
  expect(names.filter((name) => name.startsWith('id=42/'))).toHaveLength(2)
  expect(ids()).toHaveLength(10_100)
}, 120_000)
