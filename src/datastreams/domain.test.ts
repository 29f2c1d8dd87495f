import { describe, expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { Random } from '../core/random.ts'
import { MockAccountChecker } from '../testkit/mock-account-checker.ts'
import { BusUnavailableError } from './errors.ts'
import type { FrameBus, FrameMessage } from './frame-bus.ts'
import { InProcessBus } from './frame-bus.ts'
import { MemoryStore } from './memory-store.ts'
import { cutAll } from './retention.ts'
import { DataStreamsService } from './service.ts'
import type { DataStreamsDeps } from './service-types.ts'

const HOUR = 3_600_000
const feed = { accountId: 'a', name: 'feed', symbol: 'x', status: 'active' } as const

interface Bench {
  readonly clock: ManualClock
  readonly store: MemoryStore
  readonly service: DataStreamsService
}

function bench(deps: Partial<DataStreamsDeps> = {}): Bench {
  const clock = new ManualClock()
  const store = new MemoryStore()
  const accounts = new MockAccountChecker('a', 'b')
  return { clock, store, service: new DataStreamsService({ accounts, store, clock, random: new Random(1), ...deps }) }
}

/** Lets everything go on that waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}

/** Moves the clock in steps, as time goes by. */
async function pass(clock: ManualClock, ms: number, step = 100): Promise<void> {
  for (let gone = 0; gone < ms; gone += step) {
    clock.advance(Math.min(step, ms - gone))
    await settled()
  }
}

const codeOf = async (task: Promise<unknown>): Promise<unknown> =>
  ((await task.catch((error: unknown) => error)) as { readonly code?: unknown }).code

describe('what should have come', () => {
  test('every full period behind the last arrival and the grace is a missing frame, paused time is none', async () => {
    const { clock, service } = bench()
    await service.start()
    const { id } = await service.createStream({ ...feed, frequency: '1s', slaMs: 1500 })
    const missing = async (): Promise<number> => (await service.sla('a', id, HOUR)).missing
    await pass(clock, 10_000)
    expect(await missing()).toBe(0)
    await service.createFrame('a', id, 1n, {})
    await pass(clock, 2400)
    expect(await missing()).toBe(0)
    await pass(clock, 200)
    expect(await missing()).toBe(1)
    await pass(clock, 1900)
    // By the timer alone, which looks every second.
    expect(service.counters.streams.get(id)?.sla.missing).toBe(2)
    expect(await missing()).toBe(3)
    await service.patchStream('a', id, { status: 'paused' })
    await pass(clock, 60_000, 500)
    await service.patchStream('a', id, { status: 'active' })
    await pass(clock, 900)
    expect(await missing()).toBe(3)
    await pass(clock, 200)
    const sla = await service.sla('a', id, 300_000)
    expect(sla).toMatchObject({ missing: 4, stalled: true, total: 1, ok_ratio: 1 })
    await service.createFrame('a', id, 2n, {})
    await pass(clock, 1000)
    expect(await service.sla('a', id, HOUR)).toMatchObject({ missing: 4, stalled: false, total: 2 })
    await service.stop()
  })

  test('a dense stream counts the numbers that it has not got; one that comes later closes its gap', async () => {
    const { service } = bench()
    const { id } = await service.createStream({ ...feed, sequenceMode: 'dense' })
    for (const sequence of [10, 14, 12, 20]) await service.createFrame('a', id, sequence, {})
    expect((await service.extent('a', id)).gaps).toBe(7n)
    expect(await service.sla('a', id, HOUR)).toMatchObject({ gaps: 7, out_of_order: 1 })
    expect(service.counters.streams.get(id)?.sla.gap).toBe(8)
    const { id: any } = await service.createStream(feed)
    for (const sequence of [1, 5]) await service.createFrame('a', any, sequence, {})
    expect((await service.extent('a', any)).gaps).toBe(0n)
  })

  test('windows forget what has left them; latencies are within a sixteenth', async () => {
    const { clock, service } = bench()
    const { id } = await service.createStream({ ...feed, slaMs: 500 })
    for (let ms = 1; ms <= 1000; ms++) await service.createFrame('a', id, undefined, {}, { latencyMs: ms })
    const { latency_ms: latency, ok, late, ok_ratio } = await service.sla('a', id, 300_000)
    expect([ok, late, ok_ratio, latency.max]).toEqual([500, 500, 0.5, 1000])
    for (const [value, exact] of [
      [latency.p50, 500],
      [latency.p95, 950],
      [latency.p99, 990],
    ] as const) {
      expect(Math.abs(value! - exact) / exact).toBeLessThan(1 / 16)
    }
    clock.advance(400_000)
    const totals = async () => [
      (await service.sla('a', id, 300_000)).total,
      (await service.sla('a', id, HOUR)).total,
      (await service.sla('a', id, 24 * HOUR)).total,
    ]
    expect(await totals()).toEqual([0, 1000, 1000])
    await service.createFrame('a', id, undefined, {})
    clock.advance(2 * HOUR)
    expect(await totals()).toEqual([0, 0, 1001])
    clock.advance(24 * HOUR)
    expect(await totals()).toEqual([0, 0, 0])
  })
})

/** Takes what it is told to take. */
class ToldBus implements FrameBus {
  readonly taken: string[] = []
  faults: Error[] = []
  down: Error | undefined

  heard(): boolean {
    return true
  }

  async publish({ id, body }: FrameMessage): Promise<void> {
    const fault = this.down ?? this.faults.shift()
    if (fault !== undefined) throw fault
    this.taken.push(`${id.slice(-2)} ${body.payload}`)
  }
}

describe('the bus', () => {
  const tooLarge = () => new HeadraceError('too_large', 'no')

  test('frames reach subscribers in the order of positions, with nothing but what the message has', async () => {
    const bus = new InProcessBus()
    const { service } = bench({ bus })
    const { id } = await service.createStream(feed)
    const subscriber = bus.bus.subscribe<FrameMessage>(`datastreams/${id}`)
    await service.createFrame('a', id, 7n, { v: 1 }, { latencyMs: 3, traceparent: '00-1-2-01' })
    const { value } = await subscriber.read()
    const body = { stream_id: id, sequence: 7n, status: 'ok', latency_ms: 3, payload: '{"v":1}' }
    expect(value).toEqual({ topic: `datastreams/${id}`, id: `${id}:1`, traceparent: '00-1-2-01', body })
    await service.stop()
  })

  test('a bus that is away makes frames wait, in order; ingest goes on', async () => {
    const warned: unknown[] = []
    const bus = new ToldBus()
    const logger = { warn: (...args: unknown[]) => void warned.push(args) }
    const { clock, service } = bench({ bus, logger })
    const { id } = await service.createStream(feed)
    bus.down = new BusUnavailableError('away')
    for (const sequence of [1, 2, 3]) await service.createFrame('a', id, sequence, { sequence })
    await pass(clock, 20_000)
    expect(await service.outbox()).toMatchObject({ entries: 3, dead: [] })
    expect(service.observe().outbox.oldestSeconds).toBeGreaterThan(19)
    expect(await service.health()).toMatchObject({ state: 'healthy' })
    await pass(clock, 300_000, 10_000)
    expect(await service.health()).toMatchObject({ state: 'degraded' })
    expect(warned.length).toBeLessThan(8)
    bus.down = undefined
    await pass(clock, 31_000, 1000)
    expect(bus.taken).toEqual([':1 {"sequence":1}', ':2 {"sequence":2}', ':3 {"sequence":3}'])
    expect((await service.extent('a', id)).publishedPosition).toBe(3n)
    expect(service.counters.busPublished.get('ok')).toBe(3)
    await service.stop()
  })

  test('a frame that is refused for good is tried five times, then put aside; the next ones follow', async () => {
    const bus = new ToldBus()
    const { clock, service } = bench({ bus })
    const { id } = await service.createStream(feed)
    bus.faults = [1, 2, 3, 4, 5].map(tooLarge)
    await service.createFrame('a', id, 1n, {})
    await service.createFrame('a', id, 2n, {})
    await pass(clock, 5000)
    expect(bus.taken).toEqual([':2 {}'])
    const { entries, dead } = await service.outbox()
    expect([entries, dead.length]).toEqual([0, 1])
    expect(dead[0]).toMatchObject({ streamId: id, position: 1n, attempts: 5, error: 'no' })
    await service.stop()
  })

  test('a full outbox refuses frames, or gives up the oldest', async () => {
    for (const onFull of ['block', 'drop_oldest'] as const) {
      const bus = new ToldBus()
      bus.down = new BusUnavailableError('away')
      const { clock, service } = bench({ bus, outbox: { max: 2, onFull } })
      const { id } = await service.createStream(feed)
      for (const sequence of [1, 2]) await service.createFrame('a', id, sequence, { sequence })
      const third = await codeOf(service.createFrame('a', id, 3, { sequence: 3 }))
      expect(third).toBe(onFull === 'block' ? 'unavailable' : undefined)
      bus.down = undefined
      await pass(clock, 2000)
      expect(bus.taken.length).toBe(2)
      expect(service.counters.busPublished.get('dropped') ?? 0).toBe(onFull === 'block' ? 0 : 1)
      await service.stop()
    }
  })

  test('frames that are given up are not published, also those that were read already', async () => {
    const bus = new ToldBus()
    bus.down = new BusUnavailableError('away')
    const { clock, service } = bench({ bus, outbox: { max: 3, onFull: 'drop_oldest' } })
    const { id } = await service.createStream(feed)
    const inputs = (...sequences: number[]) => sequences.map((sequence) => ({ sequence }))
    await service.createFrames('a', id, inputs(1, 2, 3))
    await settled()
    await service.createFrames('a', id, inputs(4, 5))
    bus.down = undefined
    await pass(clock, 2000)
    expect(bus.taken.map((text) => text.slice(0, 2))).toEqual([':3', ':4', ':5'])
    expect([(await service.outbox()).entries, service.counters.busPublished.get('dropped')]).toEqual([0, 2])
    await service.stop()
  })

  test('directly: a bus that is away is warned of, a refusal stores nothing', async () => {
    const bus = new ToldBus()
    const { service } = bench({ bus, busMode: 'direct' })
    const { id } = await service.createStream(feed)
    bus.faults = [new BusUnavailableError('away')]
    await service.createFrame('a', id, 1n, {})
    bus.faults = [tooLarge()]
    expect(await codeOf(service.createFrame('a', id, 2n, {}))).toBe('bus_error')
    await service.createFrame('a', id, 3n, {})
    expect(bus.taken).toEqual([':2 {}'])
    const extent = await service.extent('a', id)
    expect([extent.frames, extent.publishedPosition]).toEqual([2n, 2n])
    await service.stop()
  })

  test('what a paused stream keeps is neither delivered, counted nor published until it goes on', async () => {
    const bus = new ToldBus()
    const { service } = bench({ bus })
    const { id } = await service.createStream({ ...feed, onPaused: 'buffer' })
    await service.createFrame('a', id, 1n, {})
    await service.patchStream('a', id, { status: 'paused' })
    for (const sequence of [3n, 2n]) await service.createFrame('a', id, sequence, {})
    await settled()
    const page = await service.read('a', id, { after: 0n, limit: 9 })
    expect([page.frames.length, page.next, page.upToDate]).toEqual([1, 1n, true])
    expect([bus.taken.length, service.counters.streams.get(id)?.framesCreated]).toEqual([1, 1])
    const follower = service.follow(id)
    await service.patchStream('a', id, { status: 'active' })
    await follower.wait(new AbortController().signal)
    await settled()
    expect(bus.taken).toEqual([':1 {}', ':2 {}', ':3 {}'])
    expect(service.counters.streams.get(id)?.framesCreated).toBe(3)
    const { frames } = await service.read('a', id, { after: 1n, limit: 9 })
    expect(frames.map(({ sequence }) => sequence)).toEqual([3n, 2n])
    await service.stop()
  })
})

describe('live', () => {
  test('readers go on behind a position, over what a filter leaves out; what retention passed is told', async () => {
    const { service, store, clock } = bench({ bus: undefined })
    const { id } = await service.createStream(feed)
    for (let i = 1; i <= 10; i++) {
      clock.advance(10)
      await service.createFrame('a', id, i, {}, { status: i % 4 === 0 ? 'error' : 'ok' })
    }
    const read = (query: object) => service.read('a', id, { after: 0n, limit: 3, ...query })
    expect(await read({ statuses: ['error'] })).toMatchObject({ next: 10n, upToDate: true })
    expect(await read({ statuses: ['error'], limit: 1 })).toMatchObject({ next: 4n, upToDate: false })
    expect((await read({ maxBytes: 2 })).frames.length).toBe(1)
    const start = (from: Parameters<typeof service.startPosition>[2]) => service.startPosition('a', id, from)
    expect(await Promise.all([start('latest'), start('earliest'), start({ sequence: 4n })])).toEqual([10n, 0n, 3n])
    expect(await start({ time: clock.nowMicros() / 1000 - 20 })).toBe(7n)
    await cutAll(store, { maxFrames: 4 }, 0)
    const fault = await read({}).catch((error) => error)
    expect([fault.code, fault.details.earliest]).toEqual(['cursor_expired', 6n])
    expect(await codeOf(read({ after: 5n }))).toBe('cursor_expired')
    expect(await start('earliest')).toBe(6n)
    expect((await read({ after: 6n })).frames.map(({ position }) => position)).toEqual([7n, 8n, 9n])
    await service.stop()
  })

  test('a subscription gets every frame once, and ends with its stream or the service', async () => {
    const { service } = bench()
    const { id } = await service.createStream(feed)
    const read = async (target: string): Promise<bigint[]> => {
      const positions: bigint[] = []
      for await (const { position } of service.subscribe('a', target, { from: 'earliest', limit: 2 }))
        positions.push(position)
      return positions
    }
    const { id: other } = await service.createStream(feed)
    const readers = [read(id), read(other)]
    for (let i = 0; i < 20; i++) {
      await service.createFrame('a', id, undefined, {})
      if (i % 3 === 0) await settled()
    }
    await settled()
    expect(service.subscribers(id)).toBe(1)
    await service.deleteStream('a', id)
    expect(await readers[0]).toEqual(Array.from({ length: 20 }, (_, i) => BigInt(i + 1)))
    await service.stop()
    expect(await readers[1]).toEqual([])
    expect(service.subscribers()).toBe(0)
  })

  test('an idle follower wakes for news since its last wait, and for its signal', async () => {
    const { service } = bench()
    const { id } = await service.createStream(feed)
    const follower = service.follow(id)
    await service.createFrame('a', id, 1n, {})
    await follower.wait(new AbortController().signal)
    expect(follower.lastPosition).toBe(1n)
    const abort = new AbortController()
    const waiting = follower.wait(abort.signal)
    abort.abort()
    await waiting
    follower.close()
    await service.stop()
  })
})

test('what is pushed to a topic becomes a frame of its stream', async () => {
  const { service } = bench()
  const { id } = await service.createStream(feed)
  expect((await service.push(`datastreams/${id}`, { a: 1 })).frame.payload).toBe('{"a":1}')
  const envelope = { sequence: 5, status: 'late', latency_ms: 9, metadata: { m: 'x' }, payload: { b: 2 } }
  const { frame } = await service.push(id, envelope)
  expect(frame).toMatchObject({ sequence: 5n, status: 'late', latencyMs: 9, metadata: { m: 'x' }, payload: '{"b":2}' })
  expect(await codeOf(service.push(id, [1]))).toBe('validation')
  expect(await codeOf(service.push('datastreams/none', {}))).toBe('not_found')
  await service.stop()
  expect(await codeOf(service.push(id, {}))).toBe('unavailable')
})

test('an answer is kept in the commit of its frames; what failed frees the key', async () => {
  const { service } = bench()
  const { id } = await service.createStream(feed)
  const idempotency = {
    key: 'k',
    hash: 'h',
    answer: (outcomes: readonly { readonly status: string }[]) => ({
      status: 200,
      headers: {},
      body: outcomes.map(({ status }) => status).join(),
    }),
  }
  expect((await service.idempotency.begin('k', 'h', 0)).kind).toBe('new')
  await service.createFrames('a', id, [{ sequence: 1 }, { sequence: -1 }], { idempotency })
  const answer = { status: 200, headers: {}, body: 'created,error' }
  expect(await service.idempotency.begin('k', 'h', 0)).toEqual({ kind: 'answer', answer })
  const other = { ...idempotency, key: 'other' }
  await service.idempotency.begin('other', 'h', 0)
  expect(await codeOf(service.createFrames('b', id, [{}], { idempotency: other }))).toBe('ownership')
  expect((await service.idempotency.begin('other', 'h', 0)).kind).toBe('new')
  await service.stop()
})

test('a writer claims its stream, and older instances are refused', async () => {
  const { service } = bench()
  const { id } = await service.createStream(feed)
  const write = (incarnation: bigint, chunk: bigint, sequence: bigint) =>
    service.createFrames('a', id, [{ sequence }], { writer: { id: 'w', incarnation, epoch: 1n, chunk } })
  expect(await service.claimWriter('a', id, { id: 'w', incarnation: 1n })).toMatchObject({ epoch: 0n, chunk: 0n })
  expect((await write(1n, 0n, 1n))[0]?.status).toBe('created')
  expect((await write(1n, 0n, 9n))[0]?.status).toBe('repeated')
  expect(await service.claimWriter('a', id, { id: 'w', incarnation: 2n })).toMatchObject({ epoch: 1n })
  const [late] = await write(1n, 1n, 9n)
  expect(late).toMatchObject({ status: 'error', error: { code: 'fenced' } })
  expect(await codeOf(service.claimWriter('a', id, { id: 'w', incarnation: 1n }))).toBe('fenced')
  await service.stop()
})

test('hooks see operations, counters count them; a hook that throws changes nothing', async () => {
  const seen: string[] = []
  const { service } = bench({
    hooks: {
      onStart: (operation) => void seen.push(`start ${operation}`),
      onSuccess: () => {
        throw new Error('no')
      },
      onError: (operation) => void seen.push(`error ${operation}`),
    },
  })
  const { id } = await service.createStream(feed)
  await service.createFrame('a', id, 1n, {})
  await service.createFrame('a', id, 1n, {})
  expect(await codeOf(service.createFrame('a', id, 1n, { other: 1 }))).toBe('sequence_conflict')
  expect(await codeOf(service.latestFrame('b', id))).toBe('ownership')
  expect(seen.at(-1)).toBe('error latest_frame')
  const { counters } = service
  const operations = [...counters.operations].map(
    ({ operation, result, seconds }) => `${operation} ${result} ${seconds.count}`,
  )
  expect(operations.toSorted()).toEqual(['create_frame ok 3', 'create_stream ok 1', 'latest_frame ownership 1'])
  expect([counters.streams.get(id)?.duplicates, counters.rejected.get('sequence_conflict')]).toEqual([1, 1])
  expect(service.manifest()).toMatchObject({ package_id: 'headrace.datastreams', durability: 'commit', bus: 'none' })
})
