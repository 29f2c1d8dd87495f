import { afterAll, expect, test } from 'vitest'
import { appUnderTest } from '../testing/app-under-test.ts'

const { ask, end } = appUnderTest({ settings: { maxFrameBytes: 500 } })
afterAll(end)

const NDJSON = { 'content-type': 'application/x-ndjson' }

async function streamOf(fields: object = {}): Promise<string> {
  return (await ask('POST', '/streams', { body: { name: 'n', symbol: 's', ...fields } })).json.id
}

const linesOf = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

test('each line is answered by a line, in order, then comes the summary', async () => {
  const id = await streamOf()
  const body = [
    '{"sequence":5,"payload":{"a":1}}',
    '',
    '{"sequence":5,"payload":{"a":1}}',
    '{"sequence":5,"payload":{"a":2}}',
    '{"sequence":-1}',
    'nonsense',
    `{"payload":{"long":"${'x'.repeat(600)}"}}`,
    '{"sequence":9223372036854775806}',
  ].join('\n')
  const answer = await ask('POST', `/streams/${id}/frames`, { body, headers: NDJSON })
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson'])
  expect(linesOf(answer.text)).toEqual([
    { index: 0, status: 'created', sequence: '5', position: '1' },
    { index: 1, status: 'duplicate', sequence: '5', position: '1' },
    { index: 2, status: 'error', code: 'sequence_conflict', error: expect.stringContaining('another frame') },
    { index: 3, status: 'error', code: 'validation', error: 'sequence must be positive' },
    { index: 4, status: 'error', code: 'invalid_json', error: expect.stringMatching(/^invalid JSON/) },
    { index: 5, status: 'error', code: 'too_large', error: 'the frame is over 500 bytes' },
    { index: 6, status: 'created', sequence: '9223372036854775806', position: '2' },
    { summary: { created: 2, duplicate: 1, failed: 4 } },
  ])
})

test('many lines are stored in their order', async () => {
  const id = await streamOf()
  const count = 10_000
  const body = Array.from({ length: count }, (_, i) => `{"sequence":${i + 1},"payload":{"i":${i}}}`).join('\n')
  const answer = await ask('POST', `/v1/streams/${id}/frames`, { body, headers: NDJSON })
  const lines = linesOf(answer.text)
  expect(lines.at(-1)).toEqual({ summary: { created: count, duplicate: 0, failed: 0 } })
  expect(lines[7]).toEqual({ index: 7, status: 'created', sequence: '8', position: '8' })
  expect((await ask('GET', `/streams/${id}/latest`)).json.position).toBe(count)
})

test('an array has the same objects', async () => {
  const id = await streamOf()
  const body = '[{"sequence":1}, {"sequence":0}, 7]'
  const answer = await ask('POST', `/streams/${id}/frames/batch`, { body })
  expect(answer.json).toEqual([
    { index: 0, status: 'created', sequence: '1', position: '1' },
    { index: 1, status: 'error', code: 'validation', error: 'sequence must be positive' },
    { index: 2, status: 'error', code: 'invalid_json', error: 'invalid JSON: the body must be an object' },
    { summary: { created: 1, duplicate: 0, failed: 2 } },
  ])
  expect((await ask('POST', `/streams/${id}/frames/batch`, { body: '{}' })).json.code).toBe('invalid_json')
})

test('an atomic batch is stored whole or not at all', async () => {
  const id = await streamOf()
  const path = `/streams/${id}/frames/batch?atomic=true`
  const refused = await ask('POST', path, { body: [{ sequence: 1 }, { sequence: 0, status: 'odd' }] })
  expect([refused.status, refused.json.code]).toEqual([422, 'validation'])
  expect(refused.json.errors).toEqual([
    { pointer: '/1/sequence', code: 'range', detail: 'sequence must be positive' },
    { pointer: '/1/status', code: 'enum', detail: 'invalid status odd' },
  ])
  expect((await ask('GET', `/streams/${id}/latest`)).status).toBe(404)
  const stored = await ask('POST', `/streams/${id}/frames?atomic=true`, {
    body: '{"sequence":1}\n{"sequence":2}',
    headers: NDJSON,
  })
  expect(stored.status).toBe(201)
  expect(linesOf(stored.text)).toHaveLength(3)
  const conflict = await ask('POST', path, { body: [{ sequence: 3 }, { sequence: 2, payload: { other: 1 } }] })
  expect(conflict.status).toBe(422)
  expect((await ask('GET', `/streams/${id}/latest`)).json.sequence).toBe(2)
  const many = await ask('POST', path, { body: Array.from({ length: 1001 }, () => ({})) })
  expect([many.status, many.json.code]).toEqual([413, 'too_large'])
})

test('a fault of the whole stream is the answer, before anything is written', async () => {
  const answer = await ask('POST', `/streams/${crypto.randomUUID()}/frames`, { body: '{}\n{}', headers: NDJSON })
  expect([answer.status, answer.json.code]).toEqual([404, 'not_found'])
})
