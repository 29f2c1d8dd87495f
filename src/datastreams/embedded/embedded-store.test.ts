import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { crc32cTwin } from '../../kernels/crc32c.ts'
import { type LogFiles, systemFiles } from '../../log/log-files.ts'
import { sampleAppend, sampleFields, sampleStream } from '../../testkit/streams-store-contract.ts'
import type { Append } from '../store.ts'
import { EmbeddedStore, type EmbeddedStoreOptions } from './embedded-store.ts'

const root = mkdtempSync(join(tmpdir(), 'headrace-streams-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const checksum = { crc32c: (bytes: Uint8Array): number => crc32cTwin(bytes) }
let folders = 0
const newFolder = (): string => join(root, String(folders++))

async function opened(directory: string, options: Partial<EmbeddedStoreOptions> = {}): Promise<EmbeddedStore> {
  const store = new EmbeddedStore({ directory, checksum, ...options })
  await store.migrate()
  return store
}

const large = (streamId: string, sequence: bigint, payloadBytes: number): Append => ({
  streamId,
  frames: [{ fields: sampleFields(sequence, { payload: `{"x":"${'x'.repeat(payloadBytes)}"}` }), receivedAt: 0 }],
  atomic: false,
})

const sizeOf = (directory: string): number =>
  readdirSync(join(directory, 'data')).reduce((sum, name) => sum + statSync(join(directory, 'data', name)).size, 0)

test('what could not be flushed never happened; the next commit takes its positions', async () => {
  for (const failing of ['sync', 'write'] as const) {
    const directory = newFolder()
    let fails = false
    const fault = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const files: LogFiles = {
      ...systemFiles,
      sync: async (descriptor) =>
        fails && failing === 'sync' ? Promise.reject(fault()) : systemFiles.sync(descriptor),
      write(descriptor, bytes) {
        if (fails && failing === 'write') throw fault()
        systemFiles.write(descriptor, bytes)
      },
    }
    let store = await opened(directory, { files })
    const { id } = sampleStream()
    await store.createStream(sampleStream({ id }))
    await store.append([sampleAppend(id, [1n])], 0)
    fails = true
    await expect(store.append([sampleAppend(id, [2n, 3n])], 0)).rejects.toMatchObject({ code: 'unavailable' })
    expect((await store.health()).ok).toBe(false)
    expect([(await store.bounds(id))?.lastPosition, await store.getFrame(id, 2n)]).toEqual([1n, undefined])
    fails = false
    await store.append([sampleAppend(id, [3n])], 0)
    expect((await store.health()).ok).toBe(true)
    await store.close()
    store = await opened(directory)
    const frames = await store.listFrames({ streamId: id, by: 'position', order: 'asc', limit: 9 })
    expect(frames.map(({ position, sequence }) => [position, sequence])).toEqual([
      [1n, 1n],
      [2n, 3n],
    ])
    await store.close()
  }
})

test('a frame that is damaged on disk is told; other streams go on', async () => {
  const directory = newFolder()
  let store = await opened(directory)
  const [one, two] = [sampleStream(), sampleStream()]
  for (const stream of [one, two]) await store.createStream(stream)
  for (let i = 1; i <= 3; i++) await store.append([large(one.id, BigInt(i), 100)], 0)
  await store.close()
  const path = join(directory, 'data', readdirSync(join(directory, 'data'))[0]!)
  const bytes = readFileSync(path)
  bytes[200]! ^= 1
  writeFileSync(path, bytes)
  // The snapshot knows that the log was whole: what it covers is not read again.
  store = await opened(directory)
  await expect(store.getFrame(one.id, 1n)).rejects.toMatchObject({ code: 'connector_data_corrupt' })
  const [damaged, whole] = await store.append([large(one.id, 1n, 100), sampleAppend(two.id, [1n])], 0)
  expect([damaged?.[0]?.kind, whole?.[0]?.kind]).toEqual(['failed', 'created'])
  expect((await store.latestFrame(one.id))?.sequence).toBe(3n)
  await store.close()
})

test('space is given back: the oldest segments go, one that is hardly needed is rewritten', async () => {
  const directory = newFolder()
  const form = { segmentBytes: 200_000 }
  let store = await opened(directory, form)
  const [kept, cut] = [sampleStream(), sampleStream()]
  for (const stream of [kept, cut]) await store.createStream(stream)
  for (let i = 1; i <= 100; i++) {
    await store.append(
      [large(cut.id, BigInt(i), 10_000), ...(i % 10 === 0 ? [sampleAppend(kept.id, [BigInt(i)])] : [])],
      i,
    )
  }
  const before = sizeOf(directory)
  await store.cut(cut.id, 95n)
  await store.maintain(100)
  const after = sizeOf(directory)
  expect([before > 1_000_000, after < before / 4]).toEqual([true, true])
  for (const again of [false, true]) {
    if (again) {
      await store.close()
      // Without its snapshot the whole log must say the same.
      rmSync(join(directory, 'index.snap'))
      store = await opened(directory, form)
    }
    const positions = async (id: string) =>
      (await store.listFrames({ streamId: id, by: 'position', order: 'asc', limit: 500 })).map(
        ({ position }) => position,
      )
    expect(await positions(kept.id)).toEqual(Array.from({ length: 10 }, (_, i) => BigInt(i + 1)))
    expect(await positions(cut.id)).toEqual([96n, 97n, 98n, 99n, 100n])
    expect((await store.getFrame(cut.id, 97n))?.payload.length).toBe(10_008)
  }
  await store.maintain(101)
  expect(sizeOf(directory)).toBeLessThan(before / 4)
  await store.deleteStream(cut.id)
  await store.deleteStream(kept.id)
  await store.maintain(102)
  await store.close()
})

test('an activation that only the data log had outlives its segment', async () => {
  const directory = newFolder()
  const form = { segmentBytes: 100_000 }
  let store = await opened(directory, form)
  const { id } = sampleStream()
  await store.createStream(sampleStream({ id, status: 'inactive' }))
  await store.append([large(id, 1n, 60_000)], 0)
  // What a process leaves that dies here: the definitions were not written again yet.
  const left = newFolder()
  cpSync(directory, left, { recursive: true })
  await store.close()
  store = await opened(left, form)
  for (let i = 2; i <= 5; i++) await store.append([large(id, BigInt(i), 60_000)], 0)
  await store.cut(id, 4n)
  await store.maintain(0)
  await store.close()
  rmSync(join(left, 'index.snap'))
  expect(readdirSync(join(left, 'data'))).not.toContain('log-00000000000000000001.log')
  store = await opened(left, form)
  expect(await store.getStream(id)).toMatchObject({ status: 'active', version: 2 })
  await store.close()
})

test('a cut inside a block whose segment has gone since is read again without it', async () => {
  const directory = newFolder()
  const form = { segmentBytes: 50_000 }
  let store = await opened(directory, form)
  const { id } = sampleStream()
  await store.createStream(sampleStream({ id }))
  const three = [1n, 2n, 3n].flatMap((sequence) => large(id, sequence, 20_000).frames)
  await store.append([{ streamId: id, frames: three, atomic: false }], 0)
  await store.close()
  // From here on the snapshot is old.
  store = await opened(directory, form)
  await store.append([sampleAppend(id, [4n])], 0)
  await store.cut(id, 2n)
  await store.cut(id, 3n)
  await store.maintain(0)
  expect(readdirSync(join(directory, 'data')).length).toBe(1)
  const left = newFolder()
  cpSync(directory, left, { recursive: true })
  await store.close()
  store = await opened(left, form)
  expect(await store.extent(id)).toMatchObject({ frames: 1n, bytes: 7n, cutPosition: 3n, lastPosition: 4n })
  await store.close()
})

test('an answer keeps its segment as long as it may be asked for', async () => {
  const directory = newFolder()
  const form = { segmentBytes: 100_000, idempotencyMs: 1000 }
  let store = await opened(directory, form)
  const { id } = sampleStream()
  await store.createStream(sampleStream({ id }))
  const answer = { status: 201, headers: {}, body: 'made' }
  const idempotency = { key: 'k', hash: 'h', answer: () => answer }
  await store.append([{ ...large(id, 1n, 60_000), idempotency }], 0)
  for (let i = 2; i <= 10; i++) await store.append([large(id, BigInt(i), 60_000)], 10)
  await store.cut(id, 9n)
  await store.maintain(500)
  await store.close()
  rmSync(join(directory, 'index.snap'))
  store = await opened(directory, form)
  expect(await store.idempotency.begin('k', 'h', 600)).toEqual({ kind: 'answer', answer })
  expect((await store.idempotency.begin('k', 'h', 1000)).kind).toBe('new')
  await store.maintain(2000)
  expect(readdirSync(join(directory, 'data')).length).toBeLessThan(3)
  await store.close()
})

test('a store whose lock was removed takes nothing more: another process may have it open', async () => {
  const directory = newFolder()
  const first = await opened(directory)
  const { id } = sampleStream()
  await first.createStream(sampleStream({ id }))
  await first.append([sampleAppend(id, [1n])], 0)
  for (const name of readdirSync(directory)) if (name.startsWith('LOCK')) rmSync(join(directory, name))
  const second = await opened(directory)
  await second.append([sampleAppend(id, [2n])], 0)
  await expect(first.append([sampleAppend(id, [3n])], 0)).rejects.toMatchObject({ code: 'unavailable' })
  expect((await first.health()).ok).toBe(false)
  await second.append([sampleAppend(id, [4n])], 0)
  await first.close()
  await second.close()
  const third = await opened(directory)
  const frames = await third.listFrames({ streamId: id, by: 'position', order: 'asc', limit: 9 })
  expect(frames.map(({ sequence }) => sequence)).toEqual([1n, 2n, 4n])
  await third.close()
})
