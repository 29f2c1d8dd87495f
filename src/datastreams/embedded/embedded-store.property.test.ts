import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { freshSeed, Random } from '../../core/random.ts'
import { crc32cTwin } from '../../kernels/crc32c.ts'
import { type LogFiles, systemFiles } from '../../log/log-files.ts'
import { plain, sampleFields, sampleStream } from '../../testkit/streams-store-contract.ts'
import { MemoryStore } from '../memory-store.ts'
import type { Append, Store } from '../store.ts'
import type { Stream } from '../stream.ts'
import { EmbeddedStore } from './embedded-store.ts'

const root = mkdtempSync(join(tmpdir(), 'headrace-streams-'))
afterAll(() => rmSync(root, { recursive: true, force: true }), 120_000)

const checksum = { crc32c: (bytes: Uint8Array): number => crc32cTwin(bytes) }
/** Whole files are looked at, not what a power loss leaves of them: nothing waits for a disk. */
const files: LogFiles = { ...systemFiles, sync: async () => {}, syncDirectory: () => {} }
/** Rounds of the quick form; HEADRACE_ROUNDS for more, HEADRACE_SEED to see one again. */
const ROUNDS = Number(process.env['HEADRACE_ROUNDS'] ?? 4)
/** Bytes between two lengths of a torn tail; the full form looks at every one. */
const STEP = ROUNDS > 4 ? 1 : 13
const START = 1_767_225_600_000
let folders = 0
const newFolder = (): string => join(root, String(folders++))

type Sizes = { readonly segmentBytes?: number; readonly snapshotBytes?: number }

async function opened(directory: string, sizes: Sizes = {}): Promise<EmbeddedStore> {
  const store = new EmbeddedStore({ directory, checksum, files, ...sizes })
  await store.migrate()
  return store
}

/** What a process that dies leaves: its files as they are, and no lock. */
function killed(directory: string): string {
  const copy = newFolder()
  cpSync(directory, copy, { recursive: true })
  rmSync(join(copy, 'LOCK-owner'), { force: true })
  return copy
}

/** Without the ids, which every store draws by itself. */
const shown = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(plain(value), (key, one) => (key === 'id' && /-7/.test(String(one)) ? undefined : one)))

async function everything(store: Store, streams: readonly Stream[], random: Random): Promise<unknown> {
  const all: unknown[] = []
  for (const { id } of streams) {
    const extent = await store.extent(id)
    all.push(extent, (await store.getStream(id))?.version, await store.latestFrame(id))
    for (const by of ['sequence', 'position'] as const) {
      for (const order of ['asc', 'desc'] as const) {
        const after = random.chance(0.5) ? BigInt(random.below(300)) : undefined
        const before = random.chance(0.5) ? BigInt(random.below(300)) : undefined
        const statuses = random.chance(0.3) ? (['late', 'error'] as const) : undefined
        const createdFrom = random.chance(0.2) ? START + random.below(200) : undefined
        const limit = random.chance(0.3) ? 3 : 1000
        all.push(await store.listFrames({ streamId: id, by, order, after, before, statuses, createdFrom, limit }))
      }
    }
    const [after, limit, maxBytes] = [BigInt(random.below(200)), random.between(1, 50), random.between(1, 300)]
    all.push(await store.readFrames(id, { after, upTo: extent?.lastPosition ?? 0n, limit, maxBytes }))
    for (let i = 0; i < 5; i++) all.push(await store.getFrame(id, BigInt(random.between(1, 300))))
    const retention = {
      maxFrames: random.between(1, 50),
      maxBytes: random.between(1, 900),
      maxAgeMs: random.between(1, 99),
    }
    all.push(
      await store.retentionCut(id, retention, START + 200),
      await store.positionAt(id, START + random.below(300)),
    )
    all.push(await store.getWriter(id, 'w'), await store.getProducer(id, 'p'))
  }
  return shown(all)
}

class Walk {
  readonly random: Random
  readonly model = new MemoryStore()
  readonly streams: Stream[] = []
  directory = newFolder()
  store!: EmbeddedStore
  readonly sizes: Sizes
  now = START
  epoch = 0n

  constructor(seed: number) {
    this.random = new Random(seed)
    this.sizes = this.random.pick([{}, { segmentBytes: 2000, snapshotBytes: 3000 }, { segmentBytes: 500 }])
  }

  async both<T>(task: (store: Store) => Promise<T>): Promise<void> {
    const [a, b] = [await task(this.store), await task(this.model)]
    expect(shown(a)).toEqual(shown(b))
  }

  async step(): Promise<void> {
    const { random } = this
    this.now += random.below(3)
    const at = random.below(100)
    if (this.streams.length === 0 || at < 3) {
      const stream = sampleStream({ onPaused: random.pick(['reject', 'buffer']), slaMs: random.pick([0, 3]) })
      this.streams.push(stream)
      await this.both((store) => store.createStream(stream))
    } else if (at < 70) await this.append()
    else if (at < 76) await this.change()
    else if (at < 86) {
      const { id } = random.pick(this.streams)
      const retention = { maxFrames: random.between(1, 60) }
      const position = await this.model.retentionCut(id, retention, this.now)
      await this.both((store) => store.cut(id, position))
    } else if (at < 88) {
      const { id } = random.pick(this.streams)
      await this.both((store) => store.deleteStream(id))
    } else if (at < 92) await this.store.maintain(this.now)
    else await this.reopen()
  }

  async append(): Promise<void> {
    const { random, now } = this
    const appends = Array.from({ length: random.between(1, 4) }, (): Append => {
      const { id } = random.pick(this.streams)
      const isRising = random.chance(0.5)
      const base = random.between(1, 250)
      const frames = Array.from({ length: random.between(1, 12) }, (_, i) => ({
        fields: sampleFields(BigInt(isRising ? base + i : random.between(1, 260)), {
          payload: `{"v":${random.below(2)},"x":"${'é'.repeat(random.below(9))}"}`,
          latencyMs: random.below(6),
          status: random.pick(['ok', 'late', 'error']),
          metadata: random.chance(0.2) ? { k: 'v' } : {},
        }),
        receivedAt: now,
      }))
      const writer = random.chance(0.2)
        ? { id: 'w', incarnation: BigInt(random.below(3)), epoch: this.epoch++, chunk: 0n }
        : undefined
      const producer = random.chance(0.2) ? { id: 'p', epoch: random.below(3), seq: random.below(3) } : undefined
      return { streamId: id, frames, atomic: random.chance(0.2), writer, producer }
    })
    await this.both((store) => store.append(appends, now))
  }

  async change(): Promise<void> {
    const { random } = this
    const before = await this.model.getStream(random.pick(this.streams).id)
    if (before === undefined) return
    const status = random.pick(['active', 'paused', 'inactive'] as const)
    const after: Stream = { ...before, status, version: before.version + 1 }
    await this.both((store) => store.updateStream(after, before.version))
  }

  async reopen(): Promise<void> {
    if (this.random.chance(0.5)) await this.store.close()
    else {
      // It goes on from a copy of the files; the one before is only closed so that it holds nothing.
      const copy = killed(this.directory)
      await this.store.close()
      this.directory = copy
    }
    this.store = await opened(this.directory, this.sizes)
  }
}

test('whatever happens in whatever order, also between two starts, it agrees with the store in memory', async () => {
  const first = Number(process.env['HEADRACE_SEED'] ?? freshSeed())
  for (let round = 0; round < ROUNDS; round++) {
    const seed = (first + round) >>> 0
    const walk = new Walk(seed)
    walk.store = await opened(walk.directory, walk.sizes)
    try {
      for (let step = 0; step < 120; step++) {
        await walk.step()
        if (step % 10 !== 9) continue
        const look = walk.random.uint32()
        expect(await everything(walk.store, walk.streams, new Random(look))).toEqual(
          await everything(walk.model, walk.streams, new Random(look)),
        )
      }
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    } finally {
      await walk.store.close()
    }
  }
}, 3_600_000)

/** A stream, and the sizes of the data log behind each commit. */
async function written(directory: string): Promise<{ stream: Stream; ends: number[]; file: string }> {
  const store = await opened(directory)
  const stream = sampleStream()
  await store.createStream(stream)
  const ends: number[] = []
  let file = ''
  for (let i = 0; i < 6; i++) {
    const frames = [3 * i + 1, 3 * i + 2, 3 * i].map((n) => ({
      fields: sampleFields(BigInt(n + 1), { payload: `{"n":"${'x'.repeat(n)}"}` }),
      receivedAt: START,
    }))
    await store.append([{ streamId: stream.id, frames, atomic: false }], START + i)
    const folder = join(directory, 'data')
    file = join(folder, readdirSync(folder)[0]!)
    ends.push(statSync(file).size)
  }
  return { stream, ends, file: file.slice(directory.length + 1) }
}

test('of a torn tail whole commits are left, wherever it ends', async () => {
  const directory = newFolder()
  const { stream, ends, file } = await written(directory)
  const size = ends.at(-1)!
  for (let length = ends[4]!; length <= size; length += STEP) {
    const copy = killed(directory)
    truncateSync(join(copy, file), length)
    const store = await opened(copy)
    const whole = ends.filter((end) => end <= length).length
    const extent = await store.extent(stream.id)
    expect([length, extent?.lastPosition, extent?.frames]).toEqual([length, BigInt(3 * whole), BigInt(3 * whole)])
    expect(store.repairedBytes).toBe(length - ends[whole - 1]!)
    // The next commit goes on where the last whole one ended.
    const [[result]] = (await store.append(
      [{ streamId: stream.id, frames: [{ fields: sampleFields(1000n), receivedAt: 0 }], atomic: false }],
      START,
    )) as [[{ kind: string; frame: { position: bigint } }]]
    expect(result.frame.position).toBe(BigInt(3 * whole + 1))
    await store.close()
    rmSync(copy, { recursive: true })
  }
}, 60_000)

test('a flipped bit is refused, or takes a tail of whole commits with it; no wrong frame is ever given', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const directory = newFolder()
  const { stream, ends, file } = await written(directory)
  const good = await opened(killed(directory))
  const frames = shown(
    await good.listFrames({ streamId: stream.id, by: 'position', order: 'asc', limit: 500 }),
  ) as unknown[]
  await good.close()
  for (let round = 0; round < 60; round++) {
    const copy = killed(directory)
    const path = join(copy, file)
    const bytes = readFileSync(path)
    const at = random.below(bytes.length)
    bytes[at]! ^= 1 << random.below(8)
    writeFileSync(path, bytes)
    try {
      const store = await opened(copy)
      const left = shown(
        await store.listFrames({ streamId: stream.id, by: 'position', order: 'asc', limit: 500 }),
      ) as unknown[]
      expect(left, `seed ${seed}, byte ${at}`).toEqual(frames.slice(0, left.length))
      expect([0, ...ends.map((_, i) => 3 * (i + 1))]).toContain(left.length)
      await store.close()
    } catch (error) {
      expect((error as { code?: unknown }).code, `seed ${seed}, byte ${at}`).toBe('connector_data_corrupt')
    }
    rmSync(copy, { recursive: true })
  }
}, 60_000)

test('a damaged snapshot is as none; one process has the store', async () => {
  const directory = newFolder()
  const { stream } = await written(directory)
  const second = new EmbeddedStore({ directory, checksum })
  await expect(second.migrate()).rejects.toMatchObject({ code: 'store_locked', details: { pid: process.pid } })
  const copy = killed(directory)
  let store = await opened(copy)
  await store.close()
  const snapshot = join(copy, 'index.snap')
  const bytes = readFileSync(snapshot)
  for (let at = 0; at < bytes.length; at += 29) {
    const damaged = Uint8Array.from(bytes)
    damaged[at]! ^= 4
    writeFileSync(snapshot, damaged)
    store = await opened(copy)
    expect((await store.extent(stream.id))?.frames).toBe(18n)
    await store.close()
  }
})
