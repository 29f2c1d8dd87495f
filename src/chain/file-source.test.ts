import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { Random } from '../core/random.ts'
import { type SystemFiles, systemFiles } from '../core/system-files.ts'
import { ChainModel } from '../testkit/chain-model.ts'
import { type BatchItem, type DatastreamError, encodeBatch, FilesystemBatchSource, type Rollback } from './chain.ts'

class Immediate extends ManualClock {
  override async sleep(): Promise<void> {}
}

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'headrace-batches-'))
})
afterEach(() => rmSync(path, { recursive: true }))

const model = (count: number): ChainModel => {
  const chain = new ChainModel(new Random(1))
  chain.grow(count)
  return chain
}
const put = (name: string, text: string): void => writeFileSync(join(path, name), text)
const putAll = (chain: ChainModel, name = (n: bigint): string => `batch-${n}.json`): void => {
  for (const batch of chain.batches) put(name(batch.id.number), encodeBatch(batch))
}

const rest = async (source: FilesystemBatchSource): Promise<number[]> => {
  const found: number[] = []
  for (let batch = await source.next(); batch !== null; batch = await source.next()) found.push(Number(batch.id.number))
  return found
}

const upTo = (count: number, from = 1): number[] => Array.from({ length: count - from + 1 }, (_, i) => from + i)

test('files are read by number, not by name; new ones are picked up; others are left alone', async () => {
  const chain = model(150)
  putAll(chain)
  put('notes.txt', 'x')
  put('.headrace-tmp.json', 'x')
  const source = new FilesystemBatchSource({ path: pathToFileURL(path) })
  expect(await rest(source)).toEqual(upTo(150))
  chain.grow(3)
  putAll(chain)
  expect(await rest(source)).toEqual([151, 152, 153])
})

test('names without a number go by their content', async () => {
  const names = ['c', 'a', 'b']
  const chain = model(3)
  putAll(chain, (n) => `${names[Number(n) - 1]}.blk`)
  expect(await rest(new FilesystemBatchSource({ path, fileExtension: 'blk' }))).toEqual([1, 2, 3])
})

test('only files at or behind the start are opened', async () => {
  putAll(model(20))
  const read: string[] = []
  const files: SystemFiles = {
    ...systemFiles,
    read: async (name) => {
      read.push(name.slice(path.length + 1))
      return await systemFiles.read(name)
    },
  }
  const source = new FilesystemBatchSource({ path, files })
  const numbers: number[] = []
  for await (const item of source.fetchBatchStream(18)) {
    if (item.ok) numbers.push(Number(item.batch.id.number))
    if (numbers.length === 3) break
  }
  expect(numbers).toEqual([18, 19, 20])
  expect(read).toEqual(['batch-18.json', 'batch-19.json', 'batch-20.json'])
})

test('a bad file is an error item and does not stop the rest; next() stays in front of it', async () => {
  putAll(model(6))
  put('batch-3.json', '{"id":')
  const items: BatchItem[] = []
  for await (const item of new FilesystemBatchSource({ path, clock: new Immediate() }).fetchBatchStream()) {
    items.push(item)
    if (items.length === 6) break
  }
  expect(items.map((item) => (item.ok ? Number(item.batch.id.number) : item.error.kind))).toEqual([
    1,
    2,
    'DeserializationError',
    4,
    5,
    6,
  ])
  const source = new FilesystemBatchSource({ path })
  await source.next()
  await source.next()
  for (let i = 0; i < 2; i++) {
    const error = (await source.next().catch((caught: unknown) => caught)) as DatastreamError
    expect(error.message).toMatch(/^Deserialization error: ".*batch-3\.json": Serialization error: /)
    expect(error.batchNumber).toBe(3n)
  }
  expect((await source.checkpoint()).lastBatchId).toBe(2n)
  putAll(model(6))
  expect(await rest(source)).toEqual([3, 4, 5, 6])
})

test('a bad file without a number in its name is an error item once, too', async () => {
  putAll(model(2))
  put('x.json', '{"id":')
  const items: BatchItem[] = []
  for await (const item of new FilesystemBatchSource({ path, clock: new Immediate() }).fetchBatchStream()) {
    items.push(item)
    if (items.length === 3) break
  }
  expect(items.map((item) => (item.ok ? Number(item.batch.id.number) : item.error.kind))).toEqual([
    'DeserializationError',
    1,
    2,
  ])
})

test('a name that contradicts its content is refused', async () => {
  putAll(model(2), (n) => `batch-${n + 5n}.json`)
  await expect(new FilesystemBatchSource({ path }).next()).rejects.toThrow(/the name says batch 6, the file holds 1$/)
})

test('a missing file is a gap until it comes', async () => {
  const chain = model(4)
  putAll(chain)
  rmSync(join(path, 'batch-2.json'))
  const source = new FilesystemBatchSource({ path })
  await source.next()
  await expect(source.next()).rejects.toThrow('gap: expected batch 2, got 3')
  putAll(chain)
  expect(await rest(source)).toEqual([2, 3, 4])
})

test('files that are put in the place of others are a reorganisation', async () => {
  const chain = model(100)
  putAll(chain)
  const source = new FilesystemBatchSource({ path })
  const rollbacks: Rollback[] = []
  source.on('rollback', (rollback) => rollbacks.push(rollback))
  await rest(source)
  chain.reorganise(90, 1)
  putAll(chain)
  expect(await rest(source)).toEqual(upTo(101, 11))
  expect(rollbacks.map(({ depth }) => depth)).toEqual([90n])
})

test('health: the path is a folder', async () => {
  await new FilesystemBatchSource({ path }).healthCheck()
  put('x.json', '')
  await expect(new FilesystemBatchSource({ path: join(path, 'x.json') }).healthCheck()).rejects.toThrow(
    /^IO error: .*no folder/,
  )
  await expect(new FilesystemBatchSource({ path: join(path, 'no') }).healthCheck()).rejects.toThrow(
    /^IO error: .*ENOENT/,
  )
  await expect(new FilesystemBatchSource({ path: join(path, 'no') }).next()).rejects.toThrow(/^IO error: /)
  rmSync(join(path, 'x.json'))
  mkdirSync(join(path, 'batch-1.json'))
  await expect(new FilesystemBatchSource({ path }).next()).rejects.toThrow(/^IO error: .*EISDIR/)
})

test('a file over the limit is not read', async () => {
  putAll(model(1))
  truncateSync(join(path, 'batch-1.json'), 65 * 1024 * 1024)
  await expect(new FilesystemBatchSource({ path }).next()).rejects.toThrow(/^Deserialization error: .* are more than/)
})

test('rlp is refused: it is not built yet', () => {
  expect(() => new FilesystemBatchSource({ path, fileExtension: 'rlp' })).toThrow(
    /^Configuration error: .*not built yet/,
  )
})
