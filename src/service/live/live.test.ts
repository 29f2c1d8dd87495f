import { afterAll, beforeAll, expect, test } from 'vitest'
import { appUnderTest } from '../testing/app-under-test.ts'
import { EventReader } from '../testing/event-reader.ts'

const { app, ask, store, hub, streams, end } = appUnderTest()
let origin = ''
beforeAll(async () => {
  origin = await app.listen({ port: 0, host: '127.0.0.1' })
})
afterAll(end)

async function streamOf(fields: object = {}): Promise<string> {
  return (await ask('POST', '/streams', { body: { name: 'n', symbol: 's', ...fields } })).json.id
}
const post = (id: string, body: object = {}) => ask('POST', `/streams/${id}/frames`, { body })
async function posted(count: number, fields: object = {}): Promise<string> {
  const id = await streamOf(fields)
  for (let sequence = 1; sequence <= count; sequence++) await post(id, { sequence })
  return id
}
const open = (id: string, query = '', headers = {}) =>
  EventReader.open(`${origin}/streams/${id}/subscribe?${query}`, headers)
const positions = (events: readonly { data: { position: number } }[]) => events.map(({ data }) => data.position)

test('ready comes first with the place, then frames as they are committed', async () => {
  const id = await posted(2)
  const reader = await open(id)
  expect(reader.headers.get('cache-control')).toBe('no-cache, no-transform')
  expect(reader.headers.get('x-accel-buffering')).toBe('no')
  const [ready] = await reader.take(1)
  expect(ready).toMatchObject({ name: 'ready', data: { stream_id: id, position: 2 } })
  await post(id, { sequence: 9, payload: { a: 1 } })
  const [frame] = await reader.take(1)
  expect(frame).toMatchObject({ name: 'frame', data: { sequence: 9, position: 3, payload: { a: 1 } } })
  reader.close()
  const again = await open(id, `cursor=${ready!.data.cursor}`)
  const events = await again.take(2)
  expect(events.map(({ name }) => name)).toEqual(['ready', 'frame'])
  expect(events[1]!.id).toBe(frame!.id)
  again.close()
})

test.each([
  ['from=earliest', [1, 2, 3]],
  ['from=3', [3]],
  ['from=2', [2, 3]],
  ['from=2020-01-01T00:00:00Z', [1, 2, 3]],
])('%s begins there', async (query, expected) => {
  const id = await posted(3)
  const reader = await open(id, query)
  expect(positions((await reader.take(1 + expected.length)).slice(1))).toEqual(expected)
  reader.close()
})

test('a reader that comes back with the id of its last event misses nothing and sees nothing twice', async () => {
  const id = await streamOf()
  const seen: number[] = []
  let cursor = ''
  for (let round = 0; round < 5; round++) {
    const reader = await open(id, 'from=earliest', cursor === '' ? {} : { 'last-event-id': cursor })
    await reader.next()
    for (let i = 0; i < 4; i++) await post(id)
    // Fewer than there are: the rest comes to the next connection.
    for (const { data, id: eventId } of await reader.take(3)) {
      seen.push(data.position)
      cursor = eventId!
    }
    reader.close()
  }
  expect(seen).toEqual(Array.from({ length: 15 }, (_, i) => i + 1))
})

test('who sends its own old id on every reconnect gets what follows that id, each time', async () => {
  const id = await posted(4)
  const first = await open(id, 'from=earliest')
  const old = (await first.take(3))[2]!.id!
  first.close()
  for (let round = 0; round < 3; round++) {
    const reader = await open(id, `from=latest&last_event_id=${old}`)
    expect(positions((await reader.take(3)).slice(1))).toEqual([3, 4])
    reader.close()
  }
  // What the browser sends knows more than the address.
  const newer = await open(id, `cursor=${old}`, {
    'last-event-id': (await ask('GET', `/streams/${id}/frames?after=${old}&limit=1`)).headers['next-cursor']!,
  })
  expect(positions((await newer.take(2)).slice(1))).toEqual([4])
  newer.close()
})

test('a cursor that retention has passed gets one reset with the earliest place, then all that is there', async () => {
  const id = await posted(6)
  const first = await open(id, 'from=earliest')
  const old = (await first.take(2))[1]!.id!
  first.close()
  await store.cut(id, 4n)
  const reader = await open(id, '', { 'last-event-id': old })
  const events = await reader.take(4)
  expect(events.map(({ name }) => name)).toEqual(['ready', 'reset', 'frame', 'frame'])
  expect(events[1]!.data).toMatchObject({ reason: 'cursor_expired', position: 4 })
  expect(positions(events.slice(2))).toEqual([5, 6])
  reader.close()
  const polled = await ask('GET', `/streams/${id}/subscribe?cursor=${old}`)
  expect([polled.status, polled.json.code]).toEqual([410, 'cursor_expired'])
  const rest = await ask('GET', `/streams/${id}/subscribe?cursor=${polled.json.earliest_cursor}`)
  expect(positions(rest.json.data.map((data: { position: number }) => ({ data })))).toEqual([5, 6])
})

test('only what the filter takes is sent, and the place moves over the rest', async () => {
  const id = await streamOf({ sla_ms: 10 })
  await post(id, { latency_ms: 1 })
  await post(id, { latency_ms: 50 })
  await post(id, { status: 'error' })
  const reader = await open(id, 'from=earliest&filter=status:late,error')
  expect((await reader.take(3)).slice(1).map(({ data }) => data.status)).toEqual(['late', 'error'])
  reader.close()
  const bad = await open(id, 'filter=odd')
  expect(bad.status).toBe(400)
})

test('the stream is deleted: end', async () => {
  const id = await posted(1)
  const reader = await open(id)
  await reader.next()
  await ask('DELETE', `/streams/${id}`)
  expect(await reader.next()).toMatchObject({ name: 'end', data: { reason: 'deleted' } })
  expect(await reader.next()).toBeUndefined()
})

test('long-poll answers with frames as soon as there are some, else with the place', async () => {
  const id = await posted(2)
  const now = await ask('GET', `/v1/streams/${id}/subscribe?from=earliest&limit=1`)
  expect(now.json).toMatchObject({ has_more: true })
  const rest = await ask('GET', `/v1/streams/${id}/subscribe?cursor=${now.json.next_cursor}`)
  expect(rest.json.data.map(({ position }: { position: number }) => position)).toEqual([2])
  const nothing = await ask('GET', `/streams/${id}/subscribe?cursor=${rest.json.next_cursor}&wait=0`)
  expect(nothing.status).toBe(204)
  const waiting = ask('GET', `/streams/${id}/subscribe?cursor=${nothing.headers['next-cursor']}&wait=30`)
  await post(id, { sequence: 77 })
  expect((await waiting).json.data[0].sequence).toBe(77)
})

test('readers are counted', async () => {
  const id = await posted(1)
  const before = hub.counters.subscribers.sse
  const reader = await open(id)
  await reader.next()
  expect([hub.counters.subscribers.sse - before, streams.subscribers(id)]).toEqual([1, 1])
  reader.close()
})
