import { afterEach, expect, test } from 'vitest'
import { topicOf } from '../channels/bus/client.ts'
import { rowAt } from '../core/row-batch.ts'
import type { Value } from '../core/values.ts'
import { MemoryStore } from '../datastreams/memory-store.ts'
import { RowBus } from '../datastreams/row-bus.ts'
import { DataStreamsService } from '../datastreams/service.ts'
import { hostStreams } from '../datastreams/stream/client.ts'
import { MockAccountChecker } from '../testkit/mock-account-checker.ts'
import { DeadLetters } from './dead-letters.ts'
import { Engine } from './engine.ts'
import { Pipeline } from './pipeline.ts'
import { compileScript } from './script.ts'

let end = (): void => {}
afterEach(() => end())

async function hosted(engine: Engine) {
  const accounts = new MockAccountChecker('a')
  const service = new DataStreamsService({ accounts, store: new MemoryStore(), bus: new RowBus(engine.shared) })
  end = hostStreams({ service, account: 'a' })
  const make = (name: string) => service.createStream({ accountId: 'a', name, symbol: name, status: 'active' })
  return { service, make }
}

async function start(engine: Engine, text: string) {
  const script = { file: 'x', text, baseDirectory: '.', name: undefined, parameters: new Map<string, string>() }
  const { plan } = await compileScript(engine, script)
  const rows: (readonly Value[])[] = []
  const pipeline = new Pipeline(engine, {
    plan,
    baseDirectory: '.',
    deadLetters: new DeadLetters(() => undefined),
    client: () => ({
      write: async (batch) => {
        for (let i = 0; i < batch.rows; i++) rows.push(rowAt(batch, i).values)
        return []
      },
      flush: async () => [],
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  })
  const stop = new AbortController()
  return { rows, stop, done: pipeline.run(stop.signal) }
}

test('frames are rows: columns by name, all others from the payload', async () => {
  const engine = new Engine()
  const { service, make } = await hosted(engine)
  const { id } = await make('prices')
  await service.createFrame('a', id, 9_223_372_036_854_775_807n, { price: 1.5, status: 'theirs', tag: 'ü' })
  await service.createFrame('a', id, 7n, { price: 2 }, { status: 'late', latencyMs: 40, metadata: { k: 'v' } })
  const text = `CREATE STREAM p (sequence BIGINT, position BIGINT, status STRING, latency_ms BIGINT, price DOUBLE,
    tag STRING, metadata MAP<STRING, STRING>) FROM 'stream:///PRICES' WITH (exit_when_idle = true);
    SELECT sequence, position, status, price, tag, metadata['k'] AS k FROM p WHERE latency_ms < 100`
  const { rows, done } = await start(engine, text)
  await done
  expect(rows).toEqual([
    [9_223_372_036_854_775_807n, 1, 'ok', 1.5, 'ü', null],
    [7, 2, 'late', 2, null, 'v'],
  ])
})

test('without a declaration a stream has the columns of frames', async () => {
  const engine = new Engine()
  const { service, make } = await hosted(engine)
  const { id } = await make('prices')
  const observedAt = Date.UTC(2026, 0, 2)
  await service.createFrame('a', id, 1n, { price: 1.5 }, { observedAt })
  const { rows, done } = await start(
    engine,
    "SELECT sequence, payload, observed_at, event_time FROM 'stream:///prices?exit_when_idle=true'",
  )
  await done
  expect(rows).toEqual([[1, '{"price":1.5}', observedAt * 1000, observedAt * 1000]])
})

test('rows become frames, a stream is made where it is asked for', async () => {
  const engine = new Engine()
  const { service } = await hosted(engine)
  const text = `INSERT INTO 'stream:///made?create=true' SELECT i AS sequence, i * 2 AS twice, 'late' AS status,
    TIMESTAMP '2026-01-02 00:00:00' AS observed_at FROM GENERATE_SERIES(1, 3) AS t(i)`
  await (await start(engine, text)).done
  const [stream] = await service.listStreams('a')
  expect([stream?.name, stream?.symbol, stream?.status]).toEqual(['made', 'MADE', 'active'])
  const frames = await service.listFrames('a', stream!.id)
  expect(frames.map(({ sequence, payload, status }) => `${sequence} ${payload} ${status}`)).toEqual([
    '3 {"twice":6} late',
    '2 {"twice":4} late',
    '1 {"twice":2} late',
  ])
  expect(frames[0]?.observedAt).toBe(Date.UTC(2026, 0, 2))
})

test('a name of several streams is refused with their ids; so is a process without streams', async () => {
  const engine = new Engine()
  const { make } = await hosted(engine)
  const [one, two] = [await make('x'), await make('x')]
  const refusal = async () => {
    const fault = await start(engine, "SELECT * FROM 'stream:///x'").catch((error) => error)
    return fault.errors?.[0] ?? fault
  }
  const { code, hint } = await refusal()
  expect([code, hint]).toEqual(['connector_uri_invalid', `use an id: ${two.id}, ${one.id}`])
  end()
  expect((await refusal()).code).toBe('connector_not_found')
})

test('SQL reads the bus of a stream, which has what frames carry and nothing more', async () => {
  const engine = new Engine()
  const { service, make } = await hosted(engine)
  const { id } = await make('prices')
  const text = `CREATE STREAM b (stream_id STRING, sequence BIGINT, status STRING, latency_ms BIGINT, payload JSON)
    FROM 'bus://datastreams/${id}'; SELECT sequence, status, payload FROM b`
  const { rows, done } = await start(engine, text)
  const { topic } = topicOf(engine.shared, `datastreams/${id}`)
  while (topic.broadcast.subscriberCount === 0) await new Promise(setImmediate)
  for (let i = 1; i <= 3; i++) await service.createFrame('a', id, i, { i })
  while (service.observe().outbox.entries > 0) await new Promise(setImmediate)
  await topic.broadcast.close()
  await done
  expect(rows).toEqual([1, 2, 3].map((i) => [i, 'ok', `{"i":${i}}`]))
})
