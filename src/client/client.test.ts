import { afterAll, beforeAll, expect, test } from 'vitest'
import { appUnderTest } from '../service/testing/app-under-test.ts'
import { StreamsClient, StreamsClientError } from './client.ts'

const { app, end, ready, store } = appUnderTest()
let client: StreamsClient
let baseUrl = ''
/** What the next requests meet before the service. */
let faults: ('refused' | 'lost' | 503)[] = []
const keys: string[] = []

beforeAll(async () => {
  await ready
  baseUrl = await app.listen({ port: 0, host: '127.0.0.1' })
  const faulty: typeof fetch = async (input, init) => {
    keys.push(new Headers(init?.headers).get('idempotency-key') ?? '')
    const fault = faults.shift()
    if (fault === 'refused') throw new TypeError('fetch failed')
    if (fault === 503) return new Response('', { status: 503, headers: { 'retry-after': '0' } })
    const answer = await fetch(input, init)
    if (fault !== 'lost') return answer
    await answer.arrayBuffer()
    throw new TypeError('the answer was lost')
  }
  client = new StreamsClient({ baseUrl, fetch: faulty, retry: { initialMs: 1, maxMs: 2 } })
})
afterAll(end)

const streamOf = () => client.createStream({ name: 'n', symbol: 's', metadata: { a: '1' } })

test('streams: create, read, change with the version, list, delete', async () => {
  const stream = await streamOf()
  expect(await client.getStream(stream.id)).toEqual(stream)
  const changed = await client.updateStream(stream.id, { status: 'active', metadata: { a: null } }, { version: 1 })
  expect(changed).toMatchObject({ status: 'active', metadata: {}, version: 2 })
  const stale = client.updateStream(stream.id, { status: 'paused' }, { version: 1 })
  await expect(stale).rejects.toMatchObject({ code: 'precondition_failed', status: 412 })
  expect((await client.listStreams({ limit: 1 })).data.map(({ id }) => id)).toEqual([stream.id])
  await client.deleteStream(stream.id)
  await expect(client.getStream(stream.id)).rejects.toBeInstanceOf(StreamsClientError)
})

test('64-bit numbers and payloads are exact', async () => {
  const { id } = await streamOf()
  const sent = { sequence: 9_223_372_036_854_775_807n, payloadText: '{"n":12345678901234567890}' }
  const frame = await client.createFrame(id, sent)
  expect(frame).toMatchObject({ ...sent, position: 1n })
  expect(await client.latestFrame(id)).toEqual(frame)
  expect(await client.getFrame(id, sent.sequence)).toEqual(frame)
  expect((await client.listFrames(id)).data).toEqual([frame])
})

test('a request whose answer was lost is tried again under one key, and is done once', async () => {
  const { id } = await streamOf()
  keys.length = 0
  faults = ['refused', 'lost', 503]
  const frame = await client.createFrame(id, { payload: { once: true } })
  expect(new Set(keys).size).toBe(1)
  expect(keys).toHaveLength(4)
  const { data } = await client.listFrames(id)
  expect(data.map(({ position }) => position)).toEqual([frame.position])
})

test('what another try cannot help is not tried again', async () => {
  const { id } = await streamOf()
  keys.length = 0
  const bad = client.createFrame(id, { sequence: 0n })
  await expect(bad).rejects.toMatchObject({ code: 'validation', errors: [{ pointer: '/sequence' }] })
  expect(keys).toHaveLength(1)
  faults = ['refused', 'refused', 'refused', 'refused', 'refused']
  await expect(client.getStream(id)).rejects.toMatchObject({ code: 'unavailable', status: 0 })
})

test('many frames go in batches; their results come in order', async () => {
  const { id } = await streamOf()
  const inputs = Array.from({ length: 2500 }, (_, i) => ({ sequence: BigInt(i === 1700 ? 0 : i + 1) }))
  const results = []
  for await (const result of client.createFrames(id, inputs)) results.push(result)
  expect(results.map(({ index }) => index)).toEqual(inputs.map((_, i) => i))
  expect(results[1700]).toMatchObject({ status: 'error', code: 'validation' })
  expect(results[2499]).toMatchObject({ status: 'created', position: 2499n })
  const listed = []
  for await (const frame of client.pages((cursor) => client.listFrames(id, { cursor, limit: 500, order: 'asc' }))) {
    listed.push(frame.sequence)
  }
  expect(listed).toHaveLength(2499)
})

test.each(['sse', 'poll'] as const)('%s: a subscription goes on where it was cut', async (transport) => {
  const { id } = await streamOf()
  for (let i = 1; i <= 3; i++) await client.createFrame(id, { sequence: BigInt(i) })
  const seen: bigint[] = []
  const stop = new AbortController()
  for await (const frame of client.subscribe(id, { from: 'earliest', transport, signal: stop.signal })) {
    seen.push(frame.position)
    if (seen.length === 3) {
      if (transport === 'sse') app.server.closeAllConnections()
      for (let i = 4; i <= 6; i++) await new StreamsClient({ baseUrl }).createFrame(id, { sequence: BigInt(i) })
    }
    if (seen.length === 6) stop.abort()
  }
  expect(seen).toEqual([1n, 2n, 3n, 4n, 5n, 6n])
})

test('a page that stored its cursor goes on with a new connection, and sees no frame twice', async () => {
  const { id } = await streamOf()
  for (let i = 1; i <= 4; i++) await client.createFrame(id, { sequence: BigInt(i) })
  const seen: bigint[] = []
  let cursor: string | undefined
  for (let round = 0; round < 4; round++) {
    for await (const frame of client.subscribe(id, { from: 'earliest', cursor })) {
      seen.push(frame.position)
      cursor = frame.cursor
      break
    }
  }
  expect(seen).toEqual([1n, 2n, 3n, 4n])
})

test('retention has passed the cursor: told by name, never a silent skip', async () => {
  const { id } = await streamOf()
  for (let i = 1; i <= 5; i++) await client.createFrame(id, { sequence: BigInt(i) })
  let cursor = ''
  for await (const frame of client.subscribe(id, { from: 'earliest' })) {
    cursor = frame.cursor
    break
  }
  await store.cut(id, 3n)
  const silent = client.subscribe(id, { cursor })
  await expect(silent.next()).rejects.toMatchObject({ code: 'cursor_expired' })
  const resets: string[] = []
  const told = client.subscribe(id, { cursor, onReset: (earliest) => resets.push(earliest) })
  expect((await told.next()).value).toMatchObject({ position: 4n })
  expect(resets).toHaveLength(1)
  await told.return()
})
