import { afterAll, expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { appUnderTest } from './testing/app-under-test.ts'

const { ask, end, streams, store } = appUnderTest()
afterAll(end)

async function streamOf(): Promise<string> {
  return (await ask('POST', '/streams', { body: { name: 'n', symbol: 's' } })).json.id
}
const NDJSON = 'application/x-ndjson'

test('the same key and request get the same answer, and nothing is stored again', async () => {
  const id = await streamOf()
  const headers = { 'idempotency-key': 'once' }
  const first = await ask('POST', `/streams/${id}/frames`, { body: { payload: { a: 1 } }, headers })
  const again = await ask('POST', `/streams/${id}/frames`, { body: { payload: { a: 1 } }, headers })
  expect([again.status, again.text, again.headers['location']]).toEqual([201, first.text, first.headers['location']])
  expect(again.headers['idempotent-replay']).toBe('true')
  const other = await ask('POST', `/streams/${id}/frames`, { body: { payload: { a: 2 } }, headers })
  expect([other.status, other.json.code]).toEqual([422, 'idempotency_mismatch'])
  expect((await ask('GET', `/streams/${id}/frames`)).json).toHaveLength(1)
})

test('a request that failed is not kept: the next one runs', async () => {
  const id = await streamOf()
  const headers = { 'idempotency-key': 'failed' }
  await ask('PATCH', `/streams/${id}`, { body: { status: 'paused' } })
  const send = () => ask('POST', `/streams/${id}/frames`, { body: {}, headers })
  expect((await send()).json.code).toBe('stream_paused')
  await ask('PATCH', `/streams/${id}`, { body: { status: 'active' } })
  expect((await send()).status).toBe(201)
})

test('two at once: the second is told that the first runs', async () => {
  const id = await streamOf()
  const headers = { 'idempotency-key': 'twice' }
  const send = () => ask('POST', `/streams/${id}/frames`, { body: { payload: { a: 1 } }, headers })
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  const append = store.append.bind(store)
  store.append = async (...given) => {
    reach()
    await gate
    return await append(...given)
  }
  const first = send()
  await reached
  const second = await send()
  expect([second.status, second.json.code]).toEqual([409, 'request_in_progress'])
  open()
  expect((await first).status).toBe(201)
  store.append = append
})

test('storing that takes too long is told within seconds; it may still be done', async () => {
  const clock = new ManualClock()
  const slow = appUnderTest({ clock })
  const { id } = (await slow.ask('POST', '/streams', { body: { name: 'n', symbol: 's' } })).json
  slow.store.append = () => new Promise(() => undefined)
  const answer = slow.ask('POST', `/streams/${id}/frames`, { body: {} })
  let isAnswered = false
  void answer.then(() => {
    isAnswered = true
  })
  for (let i = 0; i < 100 && !isAnswered; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(1000)
  }
  const { status, json, headers } = await answer
  expect([status, json.code, json.side_effects]).toEqual([503, 'unavailable', 'possible'])
  expect(headers['retry-after']).toBe('1')
})

test('streams and their changes have keys, too; a batch under a key is one commit', async () => {
  const headers = { 'idempotency-key': 'stream' }
  const make = () => ask('POST', '/v1/streams', { body: { name: 'n', symbol: 's' }, headers })
  const [first, again] = [await make(), await make()]
  expect(again.json.id).toBe(first.json.id)
  const { id } = first.json
  const patch = () => ask('PATCH', `/v1/streams/${id}`, { body: { description: 'd' }, headers })
  expect([(await patch()).json.version, (await patch()).json.version]).toEqual([2, 2])
  const batch = () =>
    ask('POST', `/v1/streams/${id}/frames`, {
      body: '{}\n{}\n{"sequence":0}',
      headers: { ...headers, 'content-type': NDJSON, 'idempotency-key': 'b' },
    })
  expect((await batch()).text).toBe((await batch()).text)
  expect((await streams.extent('default', id)).frames).toBe(2n)
})

test('an idempotent producer: new, repeat, gap, older epoch', async () => {
  const id = await streamOf()
  const send = (epoch: string, seq: string, body: object = {}) => {
    const headers = { 'producer-id': 'p', 'producer-epoch': epoch, 'producer-seq': seq }
    return ask('POST', `/streams/${id}/frames`, { body, headers })
  }
  expect((await send('1', '0')).status).toBe(201)
  const repeat = await send('1', '0')
  expect([repeat.status, repeat.json]).toEqual([200, { status: 'duplicate' }])
  const gap = await send('1', '5')
  expect([gap.status, gap.headers['producer-expected-seq'], gap.headers['producer-received-seq']]).toEqual([
    409,
    '1',
    '5',
  ])
  expect((await send('2', '0')).status).toBe(201)
  const old = await send('1', '1')
  expect([old.status, old.json.code, old.headers['producer-epoch']]).toEqual([403, 'producer_fenced', '2'])
  expect((await send('2', '1.5')).status).toBe(400)
  const part = await ask('POST', `/streams/${id}/frames`, { body: {}, headers: { 'producer-id': 'p' } })
  expect([part.status, part.json.code]).toEqual([400, 'bad_request'])
})

test('the sink of a pipeline: stored once, fenced by a newer incarnation', async () => {
  const id = await streamOf()
  const writer = encodeURIComponent('pipe/sink/0')
  const claimed = await ask('POST', `/v1/streams/${id}/writers/${writer}`, { body: { incarnation: '7' } })
  expect(claimed.json).toMatchObject({ writer: 'pipe/sink/0', incarnation: '7' })
  const send = (incarnation: string, epoch: string, chunk: string) => {
    const marks = { 'headrace-writer': 'pipe/sink/0', 'headrace-incarnation': incarnation, 'headrace-epoch': epoch }
    const headers = { ...marks, 'headrace-chunk': chunk, 'content-type': NDJSON }
    return ask('POST', `/v1/streams/${id}/frames`, { body: '{}\n{}', headers })
  }
  expect((await send('7', '1', '1')).text).toContain('{"summary":{"created":2,"duplicate":0,"failed":0}}')
  expect((await send('7', '1', '1')).text).toContain('{"summary":{"created":0,"duplicate":2,"failed":0}}')
  expect((await ask('GET', `/v1/streams/${id}/writers/${writer}`)).json).toMatchObject({ epoch: '1', chunk: '1' })
  expect((await send('6', '2', '1')).text).toContain('"code":"fenced"')
  expect((await streams.extent('default', id)).frames).toBe(2n)
  expect((await ask('GET', `/v1/streams/${id}/writers/none`)).status).toBe(404)
})
