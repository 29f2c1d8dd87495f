import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DyingFiles } from '../testkit/dying-files.ts'
import {
  Checkpoint,
  type CheckpointStorage,
  DatabaseCheckpointStorage,
  decodeCheckpoint,
  FileCheckpointStorage,
  MemoryCheckpointStorage,
} from './chain.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-checkpoints-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const at = (number: number, fork = 'a'): Checkpoint =>
  new Checkpoint(number, `0x${fork.repeat(63)}${(number % 16).toString(16)}`, number * 10, 1000 + number).withMetadata(
    'last_block_number',
    `0x${number}`,
  )
const numbers = async (storage: CheckpointStorage, limit: number): Promise<number[]> =>
  (await storage.history!(limit)).map(({ lastBatchId }) => Number(lastBatchId))

const shared = new MemoryCheckpointStorage()
const storages: Readonly<Record<string, () => CheckpointStorage>> = {
  memory: () => shared.clone(),
  file: () => new FileCheckpointStorage(join(directory, 'deep/er/batches.json')),
  database: () => new DatabaseCheckpointStorage(`sqlite://${directory}/c.db`, 'one'),
}

describe.each(Object.keys(storages))('%s', (name) => {
  const open = storages[name]!

  test('one slot: the last write wins, another opening sees it, deleting nothing succeeds', async () => {
    const storage = open()
    await storage.deleteCheckpoint()
    expect(await storage.loadCheckpoint()).toBeNull()
    expect(await storage.history!(5)).toEqual([])
    await storage.saveCheckpoint(at(1))
    await storage.saveCheckpoint(at(2))
    expect(await storage.loadCheckpoint()).toEqual(at(2))
    expect(await open().loadCheckpoint()).toEqual(at(2))
    await storage.deleteCheckpoint()
    expect(await open().loadCheckpoint()).toBeNull()
    expect(await storage.history!(5)).toEqual([])
  })

  test('the history is that of the chain that stands', async () => {
    const storage = open()
    await storage.deleteCheckpoint()
    for (let number = 1; number <= 9; number++) await storage.saveCheckpoint(at(number))
    expect(await numbers(storage, 100)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await numbers(storage, 3)).toEqual([7, 8, 9])
    expect(await numbers(storage, 0)).toEqual([])
    // Back to 5, and on along another fork.
    await storage.saveCheckpoint(at(5))
    for (let number = 6; number <= 7; number++) await storage.saveCheckpoint(at(number, 'b'))
    const history = await open().history!(100)
    expect(history).toEqual([at(1), at(2), at(3), at(4), at(5), at(6, 'b'), at(7, 'b')])
    await open().saveCheckpoint(at(8, 'b'))
    expect(await numbers(open(), 3)).toEqual([6, 7, 8])
  })

  test('saves that run beside each other leave one whole checkpoint', async () => {
    const storage = open()
    await Promise.all([1, 2, 3, 4, 5].map((number) => storage.saveCheckpoint(at(number))))
    expect(await storage.loadCheckpoint()).toEqual(at(5))
  })
})

test('the file is a checkpoint as JSON; nothing temporary is left', async () => {
  const path = join(directory, 'c.json')
  const storage = new FileCheckpointStorage(path)
  await storage.saveCheckpoint(at(3))
  expect(decodeCheckpoint(readFileSync(path, 'utf8'))).toEqual(at(3))
  expect(readdirSync(directory).sort()).toEqual(['c.json', 'c.json.history'])
})

test('a damaged file is an error that says so, never a fresh start', async () => {
  const path = join(directory, 'c.json')
  const storage = new FileCheckpointStorage(path)
  for (const text of ['', '{"last_batch_id":"0x1"', '{}', 'null', '{"last_batch_id":1.5}']) {
    writeFileSync(path, text)
    await expect(storage.loadCheckpoint()).rejects.toThrow(/^Checkpoint error: ".*c\.json" is damaged: /)
  }
})

test('a damaged or torn history is cut where it is damaged', async () => {
  const path = join(directory, 'c.json')
  for (let number = 1; number <= 4; number++) await new FileCheckpointStorage(path).saveCheckpoint(at(number))
  const lines = readFileSync(`${path}.history`, 'utf8').split('\n')
  writeFileSync(`${path}.history`, `${lines.slice(0, 2).join('\n')}\n${lines[2]!.slice(0, 40)}`)
  const storage = new FileCheckpointStorage(path)
  expect(await numbers(storage, 9)).toEqual([1, 2, 4])
  await storage.saveCheckpoint(at(5))
  expect(await numbers(new FileCheckpointStorage(path), 9)).toEqual([1, 2, 5])
  rmSync(`${path}.history`)
  await storage.saveCheckpoint(at(6))
  expect(await numbers(new FileCheckpointStorage(path), 9)).toEqual([6])
})

test('a save that dies at any of its system calls leaves the old checkpoint or the new one', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let death = 1; ; death++) {
      const path = join(directory, `${when}${death}.json`)
      await new FileCheckpointStorage(path).saveCheckpoint(at(1))
      const files = new DyingFiles({ at: death, when })
      const failed = await new FileCheckpointStorage(path, files).saveCheckpoint(at(2)).then(
        () => false,
        () => true,
      )
      await files.bury()
      const found = await new FileCheckpointStorage(path).loadCheckpoint()
      expect(failed ? [1n, 2n] : [2n], `death ${when} call ${death}`).toContain(found!.lastBatchId)
      expect((await numbers(new FileCheckpointStorage(path), 9)).at(-1)).toBe(Number(found!.lastBatchId))
      await new FileCheckpointStorage(path).saveCheckpoint(at(3))
      expect((await new FileCheckpointStorage(path).loadCheckpoint())!.lastBatchId).toBe(3n)
      if (failed) continue
      expect(death).toBeGreaterThan(8)
      break
    }
  }
})

test('names in one database are apart; other URIs and damage are refused', async () => {
  const path = join(directory, 'c.db')
  using one = new DatabaseCheckpointStorage(path, 'one')
  using two = new DatabaseCheckpointStorage(`sqlite:${path}`, 'two')
  await one.saveCheckpoint(at(1))
  await two.saveCheckpoint(at(2))
  expect([await one.loadCheckpoint(), await two.loadCheckpoint()]).toEqual([at(1), at(2)])
  await one.deleteCheckpoint()
  expect([await one.loadCheckpoint(), await two.loadCheckpoint()]).toEqual([null, at(2)])
  expect(() => new DatabaseCheckpointStorage('postgresql://h/db', 'x')).toThrow(/^Configuration error: /)
  expect(() => new DatabaseCheckpointStorage(path, '')).toThrow(/^Configuration error: /)
  writeFileSync(join(directory, 'bad.db'), 'this is no database, and long enough to be looked at as one'.repeat(20))
  await expect(new DatabaseCheckpointStorage(join(directory, 'bad.db'), 'x').loadCheckpoint()).rejects.toThrow(
    /^Checkpoint error: /,
  )
  expect(existsSync(path)).toBe(true)
})
