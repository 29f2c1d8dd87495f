import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemFiles } from '../../../core/system-files.ts'
import { DyingFiles } from '../../../testkit/dying-files.ts'
import { epochOf, failure } from '../../../testkit/file-sinks.ts'
import { type FolderForm, FolderSinks, numbers, placesUpTo } from '../../../testkit/folder-sinks.ts'

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
})
