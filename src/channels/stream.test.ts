import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { field, schema, types } from '../core/types.ts'
import { StreamingError } from './errors.ts'
import { createStream } from './stream.ts'

async function kindOf(task: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof task === 'function' ? task() : task)
  } catch (error) {
    if (error instanceof StreamingError) return error.kind
    throw error
  }
  return 'none'
}

test('every subscriber sees everything from where it joined', async () => {
  const { source, sink } = createStream<number>({ capacity: 4 })
  await source.push(1)
  const first = sink.subscribe()
  const second = sink.subscribe({ name: 'late' })
  await source.push(2)
  expect([first.pollBatch(9), second.pollBatch(9)]).toEqual([[1, 2], [2]])
  expect([sink.subscriberCount, sink.subscribers(), second.name]).toEqual([2, ['subscriber-1', 'late'], 'late'])
})

test('the slowest subscriber holds the source back, until it leaves', async () => {
  const { source, sink } = createStream<number>({ capacity: 4 })
  const [fast, slow] = [sink.subscribe(), sink.subscribe()]
  for (let i = 0; i < 4; i++) expect(source.tryPush(i)).toBeUndefined()
  expect([fast.pollBatch(9).length, source.tryPush(4), source.pending, slow.pending]).toEqual([4, 4, 4, 4])
  const waiting = source.push(4)
  await slow.close()
  await waiting
  expect([fast.poll(), slow.poll(), slow.isDisconnected, slow.pending]).toEqual([4, undefined, true, 0])
})

test('places are limited, and free again when somebody leaves', async () => {
  const { sink } = createStream<number>({ maxSubscribers: 1 })
  const only = sink.subscribe()
  expect(await kindOf(() => sink.subscribe())).toBe('InvalidConfig')
  await only.close()
  await sink.subscribe().close()
})

test('batches, watermarks and records come as such, or record by record', async () => {
  const { source, sink } = createStream<string>()
  const items = sink.subscribe()
  const records = sink.subscribe()
  await source.push('a')
  expect(source.watermark(10)).toBe(true)
  expect(source.watermark(10n)).toBe(false)
  await source.pushRows({ rows: ['b', 'c', 'd'] })
  await source.pushRows({ rows: [] })
  expect(source.pushBatch(['e', 'f'])).toBe(2)
  expect([source.sequence, source.currentWatermark()]).toEqual([6n, 10n])
  expect([items.pollMessage(), items.pollMessage()]).toEqual([
    { kind: 'record', value: 'a' },
    { kind: 'watermark', micros: 10n },
  ])
  expect(items.poll()).toBe('b')
  expect(items.pending).toBe(5)
  expect(items.pollMessage()).toEqual({ kind: 'record', value: 'c' })
  const array = ['x']
  expect([items.pollBatchInto(array, 2), array]).toEqual([2, ['x', 'd', 'e']])
  const seen: string[] = []
  expect(records.pollEach(9, (value) => seen.push(value) < 4)).toBe(4)
  expect([seen, await records.recv()]).toEqual([['a', 'b', 'c', 'd'], 'e'])
  await source.close()
  const rest: unknown[] = []
  for await (const item of items.messages()) rest.push(item)
  expect(rest).toEqual([{ kind: 'record', value: 'f' }])
  for await (const record of records) rest.push(record)
  expect(rest.at(-1)).toBe('f')
  expect(await kindOf(records.recv())).toBe('Disconnected')
})

test('a watermark waits for room and is the newest then', async () => {
  const { source, sink } = createStream<number>({ capacity: 4 })
  const reader = sink.subscribe()
  expect(source.pushBatch([1, 2, 3, 4, 5])).toBe(4)
  for (const micros of [1, 2, 3]) source.watermark(micros)
  const after = source.push(6)
  await source.close()
  await expect(after).rejects.toThrow('closed')
  const kinds: unknown[] = []
  for await (const item of reader.messages()) kinds.push(item.kind === 'watermark' ? item.micros : item.kind)
  expect(kinds).toEqual(['record', 'record', 'record', 'record', 3n])
})

test('a watermark that is dropped is told before what follows', async () => {
  const { source, sink } = createStream<number>({ capacity: 4, overflow: 'drop_oldest' })
  const reader = sink.subscribe()
  source.watermark(7)
  for (let i = 0; i < 6; i++) await source.push(i)
  expect([reader.missed, reader.pollMessage(), reader.pollMessage()]).toEqual([
    3,
    { kind: 'watermark', micros: 7n },
    { kind: 'record', value: 2 },
  ])
})

test('rows of another schema are refused', async () => {
  const of = schema([field('id', types.bigint)])
  const { source } = createStream<object>({ schema: of, name: 'orders' })
  await source.pushRows({ rows: [{ id: 1 }], schema: schema([field('id', types.bigint)]) })
  const other = source.pushRows({ rows: [{ id: '1' }], schema: schema([field('id', types.string)]) })
  await expect(other).rejects.toThrow('schema mismatch: expected (id BIGINT), actual (id STRING)')
  expect(source.sequence).toBe(1n)
  source.eventTimeColumn = 'id'
  expect(() => {
    source.eventTimeColumn = 'other'
  }).toThrow('is "id" already')
  expect([source.name, source.schema, source.eventTimeColumn]).toEqual(['orders', of, 'id'])
  const fresh = createStream({ schema: of }).source
  expect(() => {
    fresh.eventTimeColumn = 'none'
  }).toThrow('there is no column "none"')
})

test('clones share counter and watermark, and the last ends the stream', async () => {
  const { source, sink } = createStream<number>()
  const other = source.clone()
  await other.push(1)
  other.watermark(5)
  expect([source.sequence, source.currentWatermark()]).toEqual([1n, 5n])
  expect(source.sequenceCounter).toBe(other.sequenceCounter)
  expect(source.watermarkCell).toBe(other.watermarkCell)
  await source.close()
  expect([source.isClosed, other.isClosed, await kindOf(() => source.clone())]).toEqual([true, false, 'ChannelClosed'])
  await other.close()
  expect(sink.isClosed).toBe(true)
})

test('the sequence counts what entered, in the step in which it entered', async () => {
  const { source, sink } = createStream<number>({ capacity: 4 })
  const reader = sink.subscribe()
  for (let i = 0; i < 4; i++) await source.push(i)
  const waiting = source.push(4)
  expect(source.sequence).toBe(4n)
  reader.poll()
  expect(source.sequence).toBe(5n)
  await waiting
  const rejecting = createStream<number>({ capacity: 4, overflow: 'reject' }).source
  for (let i = 0; i < 5; i++) await kindOf(rejecting.push(i))
  expect(rejecting.sequence).toBe(4n)
})

test('a journal is told of every push and every watermark that advances', async () => {
  const diary: string[] = []
  let durable = Promise.withResolvers<void>()
  const { source } = createStream<number>({
    journal: {
      pushed: (sequence, watermark) => {
        diary.push(`push ${sequence} ${watermark > 0n ? watermark : '-'}`)
        return durable.promise
      },
      advanced: (sequence, watermark) => void diary.push(`watermark ${sequence} ${watermark}`),
    },
  })
  let done = false
  const push = source.push(1).then(() => {
    done = true
  })
  await new Promise(setImmediate)
  expect(done).toBe(false)
  durable.resolve()
  await push
  source.watermark(9)
  source.watermark(8)
  durable = Promise.withResolvers()
  durable.reject(new Error('disk'))
  await expect(source.pushRows({ rows: [1, 2] })).rejects.toThrow('internal error: the push was not noted: disk')
  expect(diary).toEqual(['push 1 -', 'watermark 1 9', 'push 3 9'])
  expect(() => source.watermark(1.5)).toThrow(RangeError)
})

test('recvTimeout passes watermarks over within its time', async () => {
  const clock = new ManualClock()
  const { source, sink } = createStream<number>({ clock })
  const reader = sink.subscribe()
  source.watermark(1)
  const late = reader.recvTimeout(20)
  await new Promise(setImmediate)
  clock.advance(20)
  expect(await kindOf(late)).toBe('Timeout')
  await source.push(3)
  expect([await reader.recvTimeout(20), reader.isDisconnected]).toEqual([3, false])
})
