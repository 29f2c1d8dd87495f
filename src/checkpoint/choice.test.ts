import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Choice } from './choice.ts'
import { FileStore } from './file-store.ts'
import { type CheckpointMeta, encodeMeta, META_KEY } from './meta.ts'
import { Snapshots } from './snapshots.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-choice-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const meta = {
  plan_hash: 'h',
  engine: '0',
  sources: [],
  sinks: [],
  operators: [],
  parallelism: 1,
  lineage: 'aaaaaaaa',
  clock: 0,
} as const

async function claimed(): Promise<{ snapshots: Snapshots; choice: Choice }> {
  const store = new FileStore(directory)
  const snapshots = new Snapshots({ store, pipeline: 'p', nowMs: () => 0, retained: 3, bytesMax: null })
  const choice = await snapshots.claim(
    await snapshots.choose(),
    () => meta,
    () => {},
  )
  return { snapshots, choice }
}

async function persisted(snapshots: Snapshots): Promise<bigint> {
  const pending = snapshots.begin()
  const own: CheckpointMeta = {
    ...meta,
    format: 1,
    pipeline: 'p',
    incarnation: String(snapshots.incarnation),
    reason: 'interval',
  }
  const none = new Map<string, bigint>()
  await snapshots.persist(pending, {
    sourceSequences: none,
    sinkPositions: none,
    watermarks: none,
    operatorStates: new Map([[META_KEY, encodeMeta(own)]]),
  })
  return pending.id
}

const fileOf = (id: bigint): string => join(directory, 'checkpoints', `${String(id).padStart(20, '0')}.ckpt`)

test('a damaged claim still counts: its owner and the next one have different incarnations', async () => {
  const first = await claimed()
  const base = await persisted(first.snapshots)
  const second = await claimed()
  expect(second.snapshots.incarnation).toBe(2n)
  const claim = base + 1n
  const bytes = readFileSync(fileOf(claim))
  bytes[30]! ^= 1
  writeFileSync(fileOf(claim), bytes)
  const third = await claimed()
  expect(third.choice.checkpoint?.id).toBe(base)
  expect(third.choice.damaged.map(({ id }) => id)).toEqual([claim])
  expect(third.snapshots.incarnation).toBeGreaterThan(second.snapshots.incarnation)
})

test('a snapshot that LATEST names and that is gone is told, and its id is not given again', async () => {
  const first = await claimed()
  const older = await persisted(first.snapshots)
  const newest = await persisted(first.snapshots)
  rmSync(fileOf(newest))
  const { choice, snapshots } = await claimed()
  expect(choice.checkpoint?.id).toBe(older)
  expect(choice.damaged).toEqual([{ id: newest, why: 'is gone' }])
  expect(snapshots.begin().id).toBe(newest + 2n)
})
