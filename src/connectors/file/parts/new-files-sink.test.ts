import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemFiles } from '../../../core/system-files.ts'
import type { Value } from '../../../core/values.ts'
import { DyingFiles } from '../../../testkit/dying-files.ts'
import { runEpochs, type SnapshotBox } from '../../../testkit/epoch-driver.ts'
import { epochOf, failure } from '../../../testkit/file-sinks.ts'
import { type FolderForm, FolderSinks, numbers, placesUpTo, timeOf } from '../../../testkit/folder-sinks.ts'

const t = new FolderSinks()
const { open, listed, staged, ids } = t
beforeEach(() => t.freshRoot())
afterEach(() => t.closeAll())
afterAll(() => t[Symbol.dispose]())

test('rows are invisible until their epoch is committed; names tell pipeline, lineage, writer, epoch, number', async () => {
  const driver = await open()
  await driver.settle(undefined)
  expect(driver.ledger).toEqual({ epoch: 0n, incarnation: 1n })
  const first = await epochOf(driver, 4n, placesUpTo(3))
  expect(listed('final')).toEqual([])
  expect(staged()).toEqual(['.headrace-orders-rows-0-1-1-1'])
  // The next epoch is written meanwhile.
  await driver.write(placesUpTo(5, 3))
  await driver.commit(first)
  expect(listed('final')).toEqual(['part-orders-aaaaaaaa-0-4-1.jsonl'])
  expect(ids()).toEqual(numbers(3))
  await driver.commit(await epochOf(driver, 7n, []))
  expect(listed('final')).toEqual(['part-orders-aaaaaaaa-0-4-1.jsonl', 'part-orders-aaaaaaaa-0-7-1.jsonl'])
  expect(ids()).toEqual(numbers(5))
  expect(staged()).toEqual([])
  expect(statSync(join(t.root, listed('final')[0]!)).nlink).toBe(1)
  expect((await driver.sink.ledger!(1n))?.epoch).toBe(7n)
  await driver[Symbol.asyncDispose]()
})

test('a commit may be repeated by anybody; an epoch without rows leaves nothing', async () => {
  const driver = await open()
  await driver.settle(undefined)
  const first = await epochOf(driver, 1n, placesUpTo(2))
  for (let i = 0; i < 3; i++) await driver.commit(first)
  const second = await open({ incarnation: 2 })
  await second.settle(first)
  await second.commit(first)
  await second.commit(await epochOf(second, 2n, []))
  expect(ids()).toEqual([0, 1])
  expect(staged()).toEqual([])
})

test('files are synced before the token, names before the ledger says done', async () => {
  const files = new DyingFiles()
  const driver = await open({ files })
  await driver.settle(undefined)
  files.trace.length = 0
  const first = await epochOf(driver, 1n, placesUpTo(2))
  await driver.commit(first)
  const temp = '.headrace-orders-rows-0-1-1-1'
  const ledger = '.headrace-orders-rows.ledger'
  const next = '.headrace-orders-rows-0-1-0-ledger'
  const name = t.root.split('/').at(-1)
  const replaced = [
    `read ${ledger}`,
    `unlink ${next}`,
    `open ${next}`,
    `write ${next}`,
    `sync ${next}`,
    `fstat ${next}`,
    `close ${next}`,
    `rename ${next} ${ledger}`,
    `open ${name}`,
    `sync ${name}`,
    `close ${name}`,
  ]
  expect(files.trace.filter((line) => !line.startsWith('freeBytes'))).toEqual([
    `open ${temp}`,
    `append ${temp}`,
    `read ${ledger}`,
    `fstat ${temp}`,
    `sync ${temp}`,
    `close ${temp}`,
    `open ${name}`,
    `sync ${name}`,
    `close ${name}`,
    ...replaced,
    `facts ${temp}`,
    `link ${temp} part-orders-aaaaaaaa-0-1-1.jsonl`,
    `open ${name}`,
    `sync ${name}`,
    `close ${name}`,
    `unlink ${temp}`,
    `open ${name}`,
    `sync ${name}`,
    `close ${name}`,
    ...replaced,
  ])
})

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

describe('an old owner', () => {
  const stopAt = (files: DyingFiles, pattern: RegExp): (() => void) => {
    let wake = (): void => {}
    files.stops.set(
      pattern,
      new Promise<void>((resolve) => {
        wake = resolve
      }),
    )
    return wake
  }
  const reached = async (files: DyingFiles, pattern: RegExp): Promise<void> => {
    while (!files.trace.some((line) => pattern.test(line))) await systemFiles.facts(t.base)
  }

  for (const [where, pattern] of [
    ['before its link', /^link \S*-1-1 part/],
    ['between its links', /^link \S*-1-2 part/],
    ['before it looks at its staged file', /^facts \S*-1-1$/],
    ['before it removes its staged name', /^unlink \S*-1-2$/],
  ] as const) {
    test(`that wakes ${where}, after the new one has committed: one publication, then fenced`, async () => {
      const files = new DyingFiles()
      const old = await open({ files, options: { roll_records: '1' } })
      await old.settle(undefined)
      const first = await epochOf(old, 1n, placesUpTo(2))
      const wake = stopAt(files, pattern)
      const pending = old.commit(first)
      const settled = failure(pending)
      await reached(files, pattern)
      const fresh = await open({ incarnation: 2 })
      await fresh.settle(first)
      await fresh.commit(await epochOf(fresh, 2n, placesUpTo(4, 2)))
      // A reader takes a file away before the old one wakes.
      renameSync(join(t.root, listed('final')[0]!), `${t.root}-taken`)
      wake()
      expect((await settled).code).toBe('connector_fenced')
      expect(ids()).toEqual([1, 2, 3])
      await old.write(placesUpTo(9, 8))
      expect((await failure(old.sink.prepare!(9n, { last: false }))).code).toBe('connector_fenced')
      expect((await failure(old.commit(first))).code).toBe('connector_fenced')
    })
  }

  test('that is stopped while it changes the ledger: the new one waits for the lock', async () => {
    const files = new DyingFiles()
    const old = await open({ files })
    await old.settle(undefined)
    const first = await epochOf(old, 1n, placesUpTo(2))
    const wake = stopAt(files, /^rename \S*ledger/)
    const renames = files.trace.filter((line) => /^rename/.test(line)).length
    const pending = old.commit(first).catch((error: unknown) => error)
    while (files.trace.filter((line) => /^rename/.test(line)).length === renames) await systemFiles.facts(t.base)
    const fresh = await open({ incarnation: 2 })
    const settled = fresh.settle(first)
    for (let i = 0; i < 100; i++) await systemFiles.facts(t.base)
    expect(fresh.ledger).toBeUndefined()
    wake()
    await Promise.all([pending, settled])
    expect(fresh.ledger?.incarnation).toBe(2n)
    expect(ids()).toEqual([0, 1])
  })

  test('and a new one that commit the same epoch at the same time publish it once', async () => {
    for (let round = 0; round < 10; round++) {
      t.freshRoot()
      const old = await open({ options: { roll_records: '1' } })
      await old.settle(undefined)
      const first = await epochOf(old, 1n, placesUpTo(20))
      const fresh = await open({ incarnation: 2 })
      const results = await Promise.allSettled([old.commit(first), fresh.settle(first)])
      expect(results[1]!.status).toBe('fulfilled')
      if (results[0]!.status === 'rejected') expect(results[0].reason).toMatchObject({ code: 'connector_fenced' })
      expect(ids()).toEqual(numbers(20))
      expect(staged()).toEqual([])
    }
  })
})

describe('what a commit cannot tell', () => {
  test('a file with neither name, and an epoch that is not done: ambiguous, also when repeated', async () => {
    const driver = await open()
    await driver.settle(undefined)
    const first = await epochOf(driver, 1n, placesUpTo(2))
    rmSync(join(t.root, staged()[0]!))
    for (let i = 0; i < 2; i++) {
      const error = await failure(driver.commit(first))
      expect(error.code).toBe('connector_commit_ambiguous')
      expect(error.message).toContain('part-orders-aaaaaaaa-0-1-1.jsonl')
    }
    expect(await driver.sink.ledger!(1n)).toEqual({ epoch: 0n, incarnation: 1n, begun: 1n })
  })

  test('published files that a reader took away are no loss: the ledger says done', async () => {
    const driver = await open()
    await driver.settle(undefined)
    const first = await epochOf(driver, 1n, placesUpTo(2))
    await driver.commit(first)
    rmSync(join(t.root, listed('final')[0]!))
    await driver.commit(first)
    const next = await open({ incarnation: 2 })
    await next.settle(first)
    expect(next.ledger).toEqual({ epoch: 1n, incarnation: 2n })
    expect(ids()).toEqual([])
  })

  test('somebody else’s file with the final name stays, and the commit is refused', async () => {
    const driver = await open()
    await driver.settle(undefined)
    const first = await epochOf(driver, 1n, placesUpTo(2))
    writeFileSync(join(t.root, 'part-orders-aaaaaaaa-0-1-1.jsonl'), 'mine')
    expect((await failure(driver.commit(first))).code).toBe('target_exists')
    expect(readFileSync(join(t.root, 'part-orders-aaaaaaaa-0-1-1.jsonl'), 'utf8')).toBe('mine')
    expect(staged()).toHaveLength(1)
  })

  test('a staged file that was changed is not published', async () => {
    const driver = await open()
    await driver.settle(undefined)
    const first = await epochOf(driver, 1n, placesUpTo(2))
    writeFileSync(join(t.root, staged()[0]!), 'x')
    expect((await failure(driver.commit(first))).code).toBe('connector_commit_ambiguous')
    expect(listed('final')).toEqual([])
  })

  test('a damaged ledger stops everything', async () => {
    const driver = await open()
    await driver.settle(undefined)
    const first = await epochOf(driver, 1n, placesUpTo(2))
    writeFileSync(join(t.root, '.headrace-orders-rows.ledger'), '{"format":1')
    expect((await failure(driver.commit(first))).code).toBe('connector_commit_ambiguous')
  })
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

test('abort removes what was staged since, restore what instances up to it left, and nothing of others', async () => {
  const old = await open()
  await old.settle(undefined)
  const first = await epochOf(old, 1n, placesUpTo(2))
  await old.commit(first)
  await epochOf(old, 2n, placesUpTo(4, 2))
  await old.write(placesUpTo(6, 4))
  await old.sink.abort!(2n)
  await old.sink.abort!(2n)
  expect(staged()).toEqual([])
  await old.write(placesUpTo(6, 4))
  const others = [
    '.headrace-orders-rows-0-9-1-1',
    '.headrace-orders-rows-1-2-1-1',
    '.headrace-orders-other-0-1-1-1',
    '.headrace-orders2-rows-0-1-1-1',
    '.headrace-orders-rows-x',
  ]
  for (const name of others) writeFileSync(join(t.root, name), '')
  const fresh = await open({ incarnation: 2 })
  await fresh.settle(first)
  expect(staged()).toEqual([...others].sort())
  expect(ids()).toEqual([0, 1])
})

test('a fenced instance that aborts leaves what the new one is publishing', async () => {
  const old = await open()
  await old.settle(undefined)
  const first = await epochOf(old, 1n, placesUpTo(2))
  await old.write(placesUpTo(4, 2))
  const fresh = await open({ incarnation: 2 })
  await fresh.sink.ledger!(2n)
  expect((await failure(old.commit(first))).code).toBe('connector_fenced')
  await old.sink.abort!(1n, first.token)
  expect(staged()).toEqual(['.headrace-orders-rows-0-1-1-1'])
  await fresh.commit(first)
  expect(ids()).toEqual([0, 1])
})

test('abort with a token removes what an earlier process staged', async () => {
  const old = await open({ options: { roll_records: '1' } })
  await old.settle(undefined)
  const first = await epochOf(old, 1n, placesUpTo(600))
  const fresh = await open({ incarnation: 2 })
  await fresh.sink.abort!(1n, first.token)
  expect(staged()).toEqual([])
})

test('restore leaves what the kept token names, also a list and its files', async () => {
  const driver = await open({ options: { roll_records: '1' } })
  await driver.settle(undefined)
  const first = await epochOf(driver, 1n, placesUpTo(600))
  expect(staged()).toContain('.headrace-orders-rows-0-1-1-list')
  await driver.write(placesUpTo(601, 600))
  const fresh = await open({ incarnation: 2 })
  await fresh.sink.ledger!(2n)
  await fresh.sink.restore!(1n, first.token)
  expect(staged()).toHaveLength(601)
  await fresh.commit(first)
  expect(ids()).toEqual(numbers(600))
  expect(staged()).toEqual([])
})

test('two pipelines write one folder; neither sees what the other stages', async () => {
  const one = await open()
  const two = await open({ pipeline: 'orders-b' })
  await one.settle(undefined)
  await two.settle(undefined)
  const first = await epochOf(one, 1n, placesUpTo(2))
  const second = await epochOf(two, 1n, placesUpTo(4, 2))
  const again = await open({ incarnation: 2 })
  await again.settle(undefined)
  expect(staged()).toEqual(['.headrace-orders-b-rows-0-1-1-1'])
  await two.commit(second)
  expect((await failure(one.commit(first))).code).toBe('connector_fenced')
  expect(ids()).toEqual([2, 3])
})

describe('a state folder that was deleted under committed files', () => {
  const committed = async (lineage: string, options: FolderForm['options'] = {}) => {
    const driver = await open({ lineage, options })
    await driver.settle(undefined)
    await driver.commit(await epochOf(driver, 1n, placesUpTo(2), true))
    return driver
  }

  test('create refuses, with ways out; a file of another pipeline is none', async () => {
    await committed('aaaaaaaa')
    const error = await failure(open({ lineage: 'bbbbbbbb' }))
    expect(error).toMatchObject({ code: 'target_exists', exitCode: 2 })
    expect(error.hint).toContain('append')
    expect(error.hint).toContain('overwrite')
    await open({ lineage: 'bbbbbbbb', pipeline: 'other' })
    // The same lineage goes on.
    await open({ incarnation: 2 })
  })

  test('append adds under other names, and fences the old lineage', async () => {
    const old = await committed('aaaaaaaa')
    const fresh = await committed('bbbbbbbb', { write_mode: 'append' })
    expect(listed('final')).toEqual(['part-orders-aaaaaaaa-0-1-1.jsonl', 'part-orders-bbbbbbbb-0-1-1.jsonl'])
    expect((await failure(old.sink.prepare!(2n, { last: false }))).code).toBe('connector_fenced')
    expect((await fresh.sink.ledger!(1n))?.epoch).toBe(1n)
  })

  test('overwrite removes the old files with the last epoch, when the new ones are there', async () => {
    await committed('aaaaaaaa')
    const driver = await open({ lineage: 'bbbbbbbb', options: { write_mode: 'overwrite' } })
    await driver.settle(undefined)
    await driver.commit(await epochOf(driver, 1n, placesUpTo(1)))
    expect(listed('final')).toHaveLength(2)
    await driver.commit(await epochOf(driver, 2n, placesUpTo(2, 1), true))
    expect(listed('final')).toEqual(['part-orders-bbbbbbbb-0-1-1.jsonl', 'part-orders-bbbbbbbb-0-2-1.jsonl'])
  })

  test('overwrite that dies at any call of its last commit has the old rows or the new ones', async () => {
    for (let n = 1; ; n++) {
      t.freshRoot()
      await committed('aaaaaaaa')
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
})

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
