import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileStore } from '../../checkpoint/file-store.ts'
import { type CheckpointMeta, encodeMeta, META_KEY } from '../../checkpoint/meta.ts'
import { Snapshots } from '../../checkpoint/snapshots.ts'
import { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import { pruneStopped } from './prune.ts'
import { verifySnapshots } from './verify.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-stored-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const META = {
  plan_hash: 'p',
  engine: '0',
  lineage: '00000000',
  sources: [],
  sinks: [],
  operators: [],
  parallelism: 1,
  clock: 0,
} as const

/** Takes checkpoints as a pipeline does; those that `isDone` refuses stay uncommitted. */
async function take(epochs: number, isDone: (epoch: bigint) => boolean = () => true): Promise<FileStore> {
  const store = new FileStore(folder)
  const snapshots = new Snapshots({ store, pipeline: 'p', nowMs: () => 0, retained: 100, bytesMax: null })
  await snapshots.claim(
    await snapshots.choose(),
    () => META,
    () => undefined,
  )
  const empty = new Map<string, bigint>()
  for (let i = 0; i < epochs; i++) {
    const pending = snapshots.begin()
    const meta: CheckpointMeta = {
      ...META,
      format: 1,
      pipeline: 'p',
      incarnation: String(snapshots.incarnation),
      reason: 'interval',
    }
    const operatorStates = new Map([[META_KEY, encodeMeta(meta)]])
    await snapshots.persist(pending, {
      sourceSequences: empty,
      sinkPositions: empty,
      watermarks: empty,
      operatorStates,
    })
    if (isDone(pending.epoch)) await snapshots.markDone(pending.id)
  }
  return store
}

const ids = async (store: FileStore): Promise<string[]> => (await store.list()).map(({ id }) => String(id))

test('prune keeps the epochs that are asked for', async () => {
  const store = await take(5)
  expect(await pruneStopped(store, 'p', 2)).toEqual([1n, 2n, 3n, 4n])
  expect(await ids(store)).toEqual(['5', '6'])
  expect(await pruneStopped(store, 'p', 2)).toEqual([])
})

test('prune never removes the newest committed one, nor what a claim goes on from', async () => {
  const store = await take(4, (epoch) => epoch < 3n)
  expect(await pruneStopped(store, 'p', 1)).toEqual([1n, 2n])
  expect(await ids(store)).toEqual(['3', '4', '5'])
  await take(1, () => true)
  // 6 is a claim of 5, and 7 is newer than both.
  expect(await pruneStopped(store, 'p', 1)).toEqual([3n, 4n])
  expect(await ids(store)).toEqual(['5', '6', '7'])
})

test('where nothing is committed, nothing is removed', async () => {
  const store = await take(3, () => false)
  expect(await pruneStopped(store, 'p', 1)).toEqual([])
})

test('verify names every file that cannot be used', async () => {
  const store = await take(4)
  const all = { store, pipeline: 'p', folder }
  expect(await verifySnapshots(all)).toMatchObject({ good: 5, rejected: [] })
  const path = (id: number): string => join(folder, 'checkpoints', `${String(id).padStart(20, '0')}.ckpt`)
  const bytes = readFileSync(path(2))
  bytes[30]! ^= 1
  writeFileSync(path(2), bytes)
  writeFileSync(path(3), readFileSync(path(4)))
  writeFileSync(path(5), new StreamCheckpoint({ id: 5n, epoch: 4n, createdAt: 0n }).toBytes())
  const { good, rejected } = await verifySnapshots(all)
  expect([good, rejected]).toEqual([
    2,
    [
      { name: 'checkpoint 2', why: expect.stringContaining('CRC mismatch') },
      { name: 'checkpoint 3', why: 'holds checkpoint 4' },
      { name: 'checkpoint 5', why: 'checkpoint 5 does not name its pipeline' },
      { name: 'LATEST', why: 'points at checkpoint 5, which is lost or damaged' },
    ],
  ])
})
