import { describe, expect, test } from 'vitest'
import { ManualClock, systemClock } from '../core/clock.ts'
import { freshSeed, Random } from '../core/random.ts'
import { Uuid7 } from '../core/uuid7.ts'
import { MockAccountChecker } from '../testkit/mock-account-checker.ts'
import { isConflict, isNotFound, isUnavailable } from './errors.ts'
import { MemoryStore } from './memory-store.ts'
import { DataStreamsService } from './service.ts'
import type { Append, Store } from './store.ts'

const serviceOf = (store: Store = new MemoryStore()): DataStreamsService =>
  new DataStreamsService({ accounts: new MockAccountChecker('a', 'b'), store })
const feed = { accountId: 'a', name: 'Price Feed', symbol: 'btc-usd', slaMs: 1000, status: 'active' } as const
const codeOf = async (task: Promise<unknown>): Promise<unknown> =>
  ((await task.catch((error: unknown) => error)) as { code?: unknown }).code

test('a stream is made, changed, listed and deleted', async () => {
  const service = serviceOf()
  const stream = await service.createStream(feed)
  expect(stream).toMatchObject({ accountId: 'a', symbol: 'BTC-USD', version: 1, frequencyMs: null })
  const patched = await service.patchStream('a', stream.id, { frequency: '1s' })
  expect(patched).toMatchObject({ version: 2, frequencyMs: 1000, createdAt: stream.createdAt })
  expect(await codeOf(service.patchStream('a', stream.id, {}, 1))).toBe('precondition_failed')
  expect(await service.updateStream('a', stream.id, { name: 'x', symbol: 'y' }, 2)).toMatchObject({
    version: 3,
    status: 'inactive',
    slaMs: 0,
    frequencyMs: null,
  })
  const second = await service.createStream({ ...feed, name: 'b' })
  expect((await service.listStreams('a')).map(({ id }) => id)).toEqual([second.id, stream.id])
  expect(await service.listStreams('a', { after: second, limit: 1 })).toHaveLength(1)
  expect(await service.listStreams('a', { symbol: 'Y' })).toHaveLength(1)
  await service.deleteStream('a', stream.id)
  expect(isNotFound(await service.getStream('a', stream.id).catch((error) => error))).toBe(true)
})

test('a stream of another account is refused, of no account not found', async () => {
  const service = serviceOf()
  const { id } = await service.createStream(feed)
  await expect(service.getStream('b', id)).rejects.toThrow(`stream ${id} does not belong to account b`)
  expect(await codeOf(service.getStream('nobody', id))).toBe('not_found')
  expect(await codeOf(service.createStream({ ...feed, accountId: 'nobody' }))).toBe('not_found')
  expect(await codeOf(service.createFrame('b', id, 1n, {}))).toBe('ownership')
})

test('changes at once are all made, each to the version that it saw', async () => {
  const service = serviceOf()
  const { id } = await service.createStream(feed)
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  await Promise.all(keys.map((key) => service.patchStream('a', id, { metadata: { [key]: 'v' } })))
  const after = await service.getStream('a', id)
  expect([Object.keys(after.metadata).length, after.version]).toEqual([20, 21])
})

describe('frames', () => {
  test('positions count commits, sequences are the caller’s; what was left out is given', async () => {
    const service = serviceOf()
    const { id } = await service.createStream(feed)
    const { frame } = await service.createFrame('a', id, 10n, { price: 45_000 }, { latencyMs: 50 })
    expect(frame).toMatchObject({ position: 1n, sequence: 10n, latencyMs: 50, status: 'ok', outOfOrder: false })
    expect((await service.createFrame('a', id, 5n, {})).frame).toMatchObject({ position: 2n, outOfOrder: true })
    const given = (await service.createFrame('a', id, undefined, {})).frame
    expect(given.sequence > 1_700_000_000_000_000_000n).toBe(true)
    const next = (await service.createFrame('a', id, undefined, {})).frame
    expect(next.sequence > given.sequence).toBe(true)
    expect((await service.latestFrame('a', id)).sequence).toBe(next.sequence)
    const listed = await service.listFrames('a', id)
    expect(listed.map(({ position }) => position)).toEqual([4n, 3n, 1n, 2n])
    const byPosition = await service.listFrames('a', id, { by: 'position', order: 'asc', after: 2n })
    expect(byPosition.map(({ position }) => position)).toEqual([3n, 4n])
    expect(await service.listFrames('a', id, { after: 5n, before: next.sequence, limit: 1 })).toEqual([given])
    expect(await service.extent('a', id)).toMatchObject({ frames: 4n, lowestSequence: 5n, lastPosition: 4n })
  })

  test('a repeat gives the stored frame, another content is a conflict', async () => {
    const service = serviceOf()
    const { id } = await service.createStream(feed)
    const first = await service.createFrame('a', id, 1n, { v: 1 }, { metadata: { m: 'x' } })
    expect(await service.createFrame('a', id, 1n, { v: 1 }, { metadata: { M: ' x' } })).toEqual({
      frame: first.frame,
      repeated: true,
    })
    for (const other of [
      [{ v: 2 }, { metadata: { m: 'x' } }],
      [{ v: 1 }, {}],
      [{ v: 1 }, { metadata: { m: 'x' }, status: 'late' }],
      [{ v: 1 }, { metadata: { m: 'x' }, observedAt: 5 }],
    ] as const) {
      const error = await service.createFrame('a', id, 1n, other[0], other[1]).catch((fault) => fault)
      expect([isConflict(error), error.code]).toEqual([true, 'sequence_conflict'])
    }
    expect((await service.extent('a', id)).frames).toBe(1n)
  })

  test('a batch goes on past faults; an atomic one stores all or none', async () => {
    const service = serviceOf()
    const { id } = await service.createStream(feed)
    await service.createFrame('a', id, 2n, { v: 1 })
    const batch = [
      { sequence: 1 },
      { sequence: 0 },
      { sequence: 2, payload: { v: 2 } },
      { sequence: 1 },
      { sequence: 3 },
    ]
    await expect(service.createFrames('a', id, batch.slice(2), { atomic: true })).rejects.toMatchObject({
      code: 'sequence_conflict',
    })
    await expect(service.createFrames('a', id, batch, { atomic: true })).rejects.toMatchObject({ code: 'validation' })
    expect((await service.extent('a', id)).frames).toBe(1n)
    const outcomes = await service.createFrames('a', id, batch)
    expect(outcomes.map(({ status }) => status)).toEqual(['created', 'error', 'error', 'duplicate', 'created'])
    expect((await service.extent('a', id)).frames).toBe(3n)
  })

  test('inactive streams activate themselves, or refuse; paused ones refuse, or keep', async () => {
    const service = serviceOf()
    const { id } = await service.createStream({ ...feed, status: 'inactive' })
    await service.createFrame('a', id, 1n, {})
    expect(await service.getStream('a', id)).toMatchObject({ status: 'active', version: 2 })
    await service.patchStream('a', id, { status: 'paused' })
    expect(await codeOf(service.createFrame('a', id, 2n, {}))).toBe('stream_paused')
    await service.patchStream('a', id, { onPaused: 'buffer' })
    expect((await service.createFrame('a', id, 2n, {})).frame.position).toBe(2n)
    await service.patchStream('a', id, { status: 'inactive', autoActivate: false })
    expect(await codeOf(service.createFrame('a', id, 3n, {}))).toBe('stream_not_active')
    expect(await codeOf(service.latestFrame('a', (await service.createStream(feed)).id))).toBe('no_frames')
  })

  test('frames of many requests are one commit, and each request learns of its own', async () => {
    const groups: number[] = []
    const store = new (class extends MemoryStore {
      override async append(appends: readonly Append[], now: number) {
        groups.push(appends.length)
        return await super.append(appends, now)
      }
    })()
    const service = serviceOf(store)
    const { id } = await service.createStream(feed)
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => service.createFrame('a', id, i + 1, { i })))
    expect(all.map(({ frame }) => frame.sequence)).toEqual(all.map((_, i) => BigInt(i + 1)))
    expect(groups.reduce((sum, n) => sum + n, 0)).toBe(50)
    expect(groups.length).toBeLessThan(10)
  })

  test('whatever is sent in whatever order, the store agrees with a simple model', async () => {
    const seed = freshSeed()
    const random = new Random(seed)
    const service = serviceOf()
    const { id } = await service.createStream(feed)
    const model = new Map<number, number>()
    const order: number[] = []
    for (let step = 0; step < 400; step++) {
      const inputs = Array.from({ length: random.between(1, 5) }, () => ({
        sequence: random.between(1, 200),
        payload: { v: random.below(2) },
      }))
      const outcomes = await service.createFrames('a', id, inputs)
      for (const [i, { sequence, payload }] of inputs.entries()) {
        const before = model.get(sequence)
        const expected = before === undefined ? 'created' : before === payload.v ? 'duplicate' : 'error'
        expect(outcomes[i]!.status, `seed ${seed}, step ${step}`).toBe(expected)
        if (before !== undefined) continue
        model.set(sequence, payload.v)
        order.push(sequence)
      }
    }
    const byPosition = await service.listFrames('a', id, { by: 'position', order: 'asc', limit: 500 })
    expect(
      byPosition.map(({ sequence }) => Number(sequence)),
      `seed ${seed}`,
    ).toEqual(order)
    const bySequence = await service.listFrames('a', id, { limit: 500 })
    expect(bySequence.map(({ sequence }) => Number(sequence))).toEqual([...model.keys()].sort((a, b) => b - a))
  })
})

test('a service begins by its start and ends by its stop; one in memory has begun', async () => {
  const store = new (class extends MemoryStore {
    override readonly immediate = false
  })()
  const service = serviceOf(store)
  expect(isUnavailable(await service.createStream(feed).catch((error) => error))).toBe(true)
  await service.start()
  await service.ready()
  const { id } = await service.createStream(feed)
  const frame = service.createFrame('a', id, 1n, {})
  await Promise.resolve()
  await service.stop()
  expect(await codeOf(service.getStream('a', id))).toBe('unavailable')
  expect(await codeOf(service.start())).toBe('unavailable')
  await frame.catch((error) => expect(isUnavailable(error)).toBe(true))
})

test('identifiers rise, also within a millisecond and when the clock goes back', () => {
  const clock = new ManualClock()
  const ids = new Uuid7(() => clock.nowMicros() / 1000)
  const made = Array.from({ length: 10_000 }, () => ids.next())
  clock.advance(-5000)
  made.push(ids.next())
  clock.advance(50_000)
  made.push(ids.next())
  expect(made).toEqual(made.toSorted())
  expect(new Set(made).size).toBe(made.length)
  expect(made.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
    true,
  )
  const now = systemClock.nowMicros() / 1000
  expect(Math.abs(Number.parseInt(new Uuid7(() => now).next().replace('-', '').slice(0, 12), 16) - now)).toBeLessThan(1)
})
