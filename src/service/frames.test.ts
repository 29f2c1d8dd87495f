import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { appUnderTest } from './testing/app-under-test.ts'

const { ask, end } = appUnderTest({ settings: { maxBodyBytes: 200_000, maxFrameBytes: 100_000 } })
afterAll(end)

async function streamOf(fields: object = {}): Promise<string> {
  return (await ask('POST', '/streams', { body: { name: 'n', symbol: 's', ...fields } })).json.id
}

/** The cursor with another first character of what is signed. */
const turnedFirst = (cursor: string): string =>
  cursor.replace(/^c1\.(.)/, (_, first: string) => `c1.${first === 'A' ? 'B' : 'A'}`)

test('64-bit numbers keep their digits, in and out', async () => {
  const id = await streamOf()
  const answer = await ask('POST', `/streams/${id}/frames`, {
    body: '{"sequence": 9223372036854775807, "payload": {"price": 1850.50, "n": 12345678901234567890}, "latency_ms": -3}',
  })
  expect(answer.status).toBe(201)
  expect(answer.headers['location']).toBe(`/streams/${id}/frames/9223372036854775807`)
  expect(answer.text).toContain('"sequence":9223372036854775807,"sequence_str":"9223372036854775807","position":1')
  expect(answer.text).toContain('"payload":{"price":1850.50,"n":12345678901234567890},"latency_ms":0')
  expect((await ask('GET', answer.headers['location']!)).text).toBe(answer.text)
  expect((await ask('GET', `/v1/streams/${id}/latest`)).text).toBe(answer.text)
})

test.each([
  ['{"sequence":0}', 'sequence must be positive'],
  ['{"sequence":-9223372036854775808}', 'sequence must be positive'],
  ['{"sequence":9223372036854775808}', 'sequence: is over 9223372036854775807'],
  ['{"sequence":1.5}', 'sequence: must be a whole number'],
  ['{"sequence":"seven"}', 'sequence: must be a whole number'],
  ['{"sequence":true}', 'sequence: must be a whole number'],
  ['{"payload":[1]}', 'payload must be an object'],
  ['{"payload":"{}"}', 'payload must be an object'],
  ['{"payload":null}', 'payload must be an object'],
  ['{"observed_at":253402300800000}', 'observed_at: must be an RFC 3339 time or milliseconds since 1970'],
  ['{"status":"fine"}', 'invalid status fine'],
])('%s is not valid: %s', async (body, detail) => {
  const answer = await ask('POST', `/streams/${await streamOf()}/frames`, { body })
  expect([answer.status, answer.json.error]).toEqual([422, detail])
})

test('a repeat gets the stored frame, other content a conflict', async () => {
  const id = await streamOf()
  const body = { sequence: '7', payload: { a: 1 }, status: ' Delivered ' }
  const first = await ask('POST', `/streams/${id}/frames`, { body })
  const again = await ask('POST', `/streams/${id}/frames`, { body: '{"payload":{ "a":1 },"sequence":7}' })
  expect([again.status, again.headers['idempotent-replay'], again.text]).toEqual([200, 'true', first.text])
  const other = await ask('POST', `/streams/${id}/frames`, { body: { sequence: 7, payload: { a: 2 } } })
  expect([other.status, other.json.code]).toEqual([409, 'sequence_conflict'])
})

test('lists by sequence and by position, with bounds and cursors', async () => {
  const id = await streamOf()
  for (const sequence of [5, 1, 9, 3, 7]) await ask('POST', `/streams/${id}/frames`, { body: { sequence } })
  const sequences = async (query: string) =>
    (await ask('GET', `/streams/${id}/frames?${query}`)).json.map((frame: { sequence: number }) => frame.sequence)
  expect(await sequences('')).toEqual([9, 7, 5, 3, 1])
  expect(await sequences('order=asc&after_sequence=1&before_sequence=9')).toEqual([3, 5, 7])
  const page = await ask('GET', `/v1/streams/${id}/frames?limit=2`)
  expect(page.json.has_more).toBe(true)
  expect(await sequences(`limit=2&cursor=${page.json.next_cursor}`)).toEqual([5, 3])
  const turned = await ask('GET', `/streams/${id}/frames?order=asc&cursor=${page.json.next_cursor}`)
  expect(turned.json.code).toBe('invalid_cursor')
  const changed = await ask('GET', `/streams/${id}/frames?cursor=${turnedFirst(page.json.next_cursor)}`)
  expect(changed.status).toBe(400)
  expect((await ask('GET', `/streams/${id}/frames?from=yesterday`)).status).toBe(400)
  expect(await sequences('status=late,error')).toEqual([])
})

test('a paused stream takes nothing and says so', async () => {
  const id = await streamOf({ status: 'paused' })
  const answer = await ask('POST', `/streams/${id}/frames`, { body: {} })
  expect([answer.status, answer.json.code]).toEqual([409, 'stream_paused'])
})

test('limits hold before, after and without decompression', async () => {
  const id = await streamOf()
  const frame = JSON.stringify({ payload: { text: 'x'.repeat(120_000) } })
  const bomb = gzipSync('x'.repeat(5_000_000))
  const path = `/streams/${id}/frames`
  const cases = [
    await ask('POST', path, { body: frame }),
    await ask('POST', path, { body: 'x'.repeat(300_000) }),
    await ask('POST', path, { body: bomb, headers: { 'content-encoding': 'gzip' } }),
    await ask('POST', path, { body: gzipSync(frame), headers: { 'content-encoding': 'gzip' } }),
  ]
  expect(cases.map(({ status, json }) => [status, json.code])).toEqual(cases.map(() => [413, 'too_large']))
  const small = gzipSync('{"sequence":4}')
  expect((await ask('POST', path, { body: small, headers: { 'content-encoding': 'gzip' } })).status).toBe(201)
})

test('answers from 1 KiB on are compressed for who takes it', async () => {
  const id = await streamOf({ description: 'd'.repeat(1500) })
  const answer = await ask('GET', `/streams/${id}`, { headers: { 'accept-encoding': 'gzip, br;q=0' } })
  expect(answer.headers['content-encoding']).toBe('gzip')
})
