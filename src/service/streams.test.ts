import { afterAll, expect, test } from 'vitest'
import { appUnderTest } from './testing/app-under-test.ts'

const { ask, end } = appUnderTest()
afterAll(end)

const feed = {
  name: ' Market Data Feed ',
  symbol: 'eth-usd',
  frequency: '1s',
  sla_ms: 1000,
  metadata: { Source: ' x ' },
}
const created = async (fields: object = {}) => (await ask('POST', '/v1/streams', { body: { ...feed, ...fields } })).json

test('a stream is created, read under every prefix, and has its version as a tag', async () => {
  const answer = await ask('POST', '/streams', { body: feed })
  expect(answer.status).toBe(201)
  expect(answer.json).toMatchObject({
    account_id: 'default',
    name: 'Market Data Feed',
    symbol: 'ETH-USD',
    frequency_ms: 1000,
    metadata: { source: 'x' },
    version: 1,
  })
  const { id } = answer.json
  expect(answer.headers['location']).toBe(`/streams/${id}`)
  for (const base of [
    '/v1/streams',
    '/streams',
    '/accounts/default/datastreams/streams',
    '/accounts/default/datastreams',
  ]) {
    const read = await ask('GET', `${base}/${id}`)
    expect(read.json).toEqual(answer.json)
    expect(read.headers['etag']).toBe('"1"')
  }
  expect((await ask('GET', `/streams/${id}`, { headers: { 'if-none-match': '"1"' } })).status).toBe(304)
})

test('all faults of a body are told at once', async () => {
  const answer = await ask('POST', '/streams', { body: { symbol: 'x', status: 'runing', sla_ms: 'soon' } })
  expect(answer.status).toBe(422)
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(answer.json).toMatchObject({
    type: 'urn:headrace:error:validation',
    title: 'Validation failed',
    status: 422,
    detail: 'name: is required',
    error: 'name: is required',
    code: 'validation',
    retryable: false,
    side_effects: 'none',
    instance: '/streams',
    errors: [
      { pointer: '/name', code: 'required', detail: 'is required' },
      { pointer: '/sla_ms', code: 'type', detail: 'must be a number' },
      { pointer: '/status', code: 'enum', detail: 'invalid status runing' },
    ],
  })
})

test('PATCH changes single fields and entries, PUT replaces, If-Match holds both back', async () => {
  const { id } = await created({ description: 'first', metadata: { a: '1', b: '2' } })
  const patched = await ask('PATCH', `/streams/${id}`, { body: { status: 'paused', metadata: { a: null, c: '3' } } })
  expect(patched.json).toMatchObject({
    status: 'paused',
    description: 'first',
    metadata: { b: '2', c: '3' },
    version: 2,
  })
  const stale = await ask('PATCH', `/streams/${id}`, { body: { status: 'active' }, headers: { 'if-match': '"1"' } })
  expect([stale.status, stale.json.code]).toEqual([412, 'precondition_failed'])
  const put = await ask('PUT', `/streams/${id}`, {
    body: { name: 'n', symbol: 's' },
    headers: { 'if-match': '"9", "2"' },
  })
  expect(put.json).toMatchObject({ name: 'n', description: '', status: 'inactive', version: 3 })
  expect(put.json.metadata).toBeUndefined()
  expect((await ask('PUT', `/streams/${crypto.randomUUID()}`, { body: { name: 'n', symbol: 's' } })).status).toBe(404)
  expect((await ask('DELETE', `/streams/${id}`, { headers: { 'if-match': '"2"' } })).status).toBe(412)
  expect((await ask('DELETE', `/streams/${id}`)).status).toBe(204)
  expect((await ask('GET', `/streams/${id}`)).json.code).toBe('not_found')
})

test('pages of streams go on behind their last one, whatever is created meanwhile', async () => {
  const names = ['p1', 'p2', 'p3', 'p4', 'p5']
  for (const name of names) await created({ name, symbol: 'PAGED' })
  const first = await ask('GET', '/v1/streams?symbol=paged&limit=2')
  await created({ name: 'p6', symbol: 'PAGED' })
  const second = await ask('GET', `/v1/streams?symbol=paged&limit=2&cursor=${first.json.next_cursor}`)
  const bare = await ask('GET', '/streams?symbol=paged&limit=2')
  const rest = await ask('GET', `${/<([^>]+)>/.exec(bare.headers['link']!)![1]}`)
  expect([first, second].map(({ json }) => json.data.map((s: { name: string }) => s.name))).toEqual([
    ['p5', 'p4'],
    ['p3', 'p2'],
  ])
  expect(rest.json.map((s: { name: string }) => s.name)).toEqual(['p4', 'p3'])
  const foreign = await ask('GET', `/v1/streams?symbol=other&cursor=${first.json.next_cursor}`)
  expect([foreign.status, foreign.json.code]).toEqual([400, 'invalid_cursor'])
  const last = await ask('GET', `/v1/streams?symbol=paged&limit=2&limit=99&cursor=${second.json.next_cursor}`)
  expect(last.json).toMatchObject({ has_more: false, next_cursor: null })
})

test.each(['0', '-1', '1.5', 'ten', '1e2'])('limit=%s is an error', async (limit) => {
  const answer = await ask('GET', `/streams?limit=${limit}`)
  expect(answer.status).toBe(400)
  expect(answer.json).toMatchObject({ code: 'invalid_limit', error: 'limit must be a positive integer' })
})

test('a large limit is clamped, an empty one absent', async () => {
  expect((await ask('GET', '/streams?limit=99999999999999999999')).status).toBe(200)
  expect((await ask('GET', '/streams?limit=')).status).toBe(200)
})

test('paths, methods, types and bodies that are not taken', async () => {
  const { id } = await created()
  const cases = [
    [await ask('GET', '/nothing'), 404, 'not_found'],
    [await ask('PATCH', '/streams'), 405, 'method_not_allowed'],
    [await ask('QUERY', '/streams'), 405, 'method_not_allowed'],
    [await ask('GET', '/streams', { headers: { accept: 'text/html' } }), 406, 'not_acceptable'],
    [
      await ask('POST', '/streams', {
        body: 'name=x',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
      415,
      'unsupported_media_type',
    ],
    [
      await ask('POST', '/streams', { body: feed, headers: { 'content-type': 'application/json; charset=latin1' } }),
      415,
      'unsupported_media_type',
    ],
    [
      await ask('POST', '/streams', { body: feed, headers: { 'content-encoding': 'rot13' } }),
      415,
      'unsupported_media_type',
    ],
    [await ask('POST', '/streams', { body: 'zzz', headers: { 'content-encoding': 'gzip' } }), 400, 'bad_request'],
    [await ask('POST', '/streams', { body: '{"name":' }), 400, 'invalid_json'],
    [await ask('POST', '/streams', { body: '[]' }), 400, 'invalid_json'],
    [await ask('POST', '/streams'), 400, 'invalid_json'],
    [await ask('POST', '/streams', { body: Buffer.from('{"name":"\xff"}', 'latin1') }), 400, 'invalid_json'],
    [await ask('GET', `/streams/${id}/latest`), 404, 'no_frames'],
    [await ask('GET', '/accounts/other/datastreams'), 404, 'not_found'],
    [await ask('GET', '/streams?status=odd'), 400, 'bad_request'],
  ] as const
  expect(cases.map(([{ status, json }]) => [status, json.code])).toEqual(
    cases.map(([, status, code]) => [status, code]),
  )
  expect(cases[1][0].headers['allow']).toBe('GET, HEAD, POST, OPTIONS')
  expect((await ask('OPTIONS', '/streams')).headers['allow']).toBe('GET, HEAD, POST, OPTIONS')
  expect((await ask('HEAD', '/streams')).text).toBe('')
})
