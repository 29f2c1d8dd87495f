import { afterAll, expect, test } from 'vitest'
import { appUnderTest } from './testing/app-under-test.ts'

const { ask, store, end } = appUnderTest()
afterAll(end)

const streamOf = async (fields: object = {}): Promise<string> =>
  (await ask('POST', '/streams', { body: { name: 'n', symbol: 's', ...fields } })).json.id

test('a push finds the stream of its topic', async () => {
  const id = await streamOf()
  const push = (body: object) => ask('POST', '/system/data', { body })
  const envelope = { sequence: 4, latency_ms: 9, payload: { price: 1 } }
  expect((await push({ topic: `datastreams/${id}`, payload: envelope })).json).toEqual({ status: 'ok' })
  expect((await push({ topic: id, payload: { price: 2 } })).status).toBe(200)
  const { json } = await ask('GET', `/streams/${id}/frames?order=asc`)
  expect(json.map(({ payload }: { payload: object }) => payload)).toEqual([{ price: 1 }, { price: 2 }])
  expect((await push({ payload: {} })).json).toMatchObject({ status: 400, error: 'topic: is required' })
  expect((await push({ topic: id, payload: 3 })).status).toBe(422)
  expect((await push({ topic: 'datastreams/none', payload: {} })).status).toBe(404)
})

test('what a stream holds, and how punctual it was', async () => {
  const id = await streamOf({ sla_ms: 10 })
  expect((await ask('GET', `/streams/${id}/stats`)).json).toMatchObject({
    frames: 0,
    first_sequence: null,
    last_position: 0,
  })
  await ask('POST', `/streams/${id}/frames`, { body: '{"sequence":9223372036854775807,"latency_ms":50}' })
  const stats = await ask('GET', `/v1/streams/${id}/stats`)
  expect(stats.text).toContain('"last_sequence":9223372036854775807,"last_sequence_str":"9223372036854775807"')
  expect((await ask('GET', `/streams/${id}/sla?window=1h`)).json).toMatchObject({
    window: 3_600_000,
    total: 1,
    late: 1,
    ok: 0,
  })
  expect((await ask('GET', `/streams/${id}/sla?window=2d`)).status).toBe(400)
})

test('frames that the bus refused are listed', async () => {
  const id = await streamOf()
  await store.putDead({ streamId: id, position: 3n, error: 'too large', attempts: 5, at: 0 })
  const { json } = await ask('GET', '/v1/outbox')
  expect(json.data).toEqual([
    { stream_id: id, position_str: '3', attempts: 5, error: 'too large', at: '1970-01-01T00:00:00.000Z' },
  ])
})

test('the service says what it is', async () => {
  expect((await ask('GET', '/system/status')).json).toMatchObject({ status: 'healthy' })
  expect((await ask('GET', '/system/descriptor')).json.package_id).toBe('headrace.datastreams')
  expect((await ask('GET', '/system/manifest')).json.limits).toMatchObject({ default_limit: 25, max_limit: 500 })
  const scraped = await ask('GET', '/metrics')
  expect(scraped.text).toMatch(
    /^headrace_http_requests_total\{route="\/system\/status",method="GET",status="200"\} 1$/m,
  )
})
