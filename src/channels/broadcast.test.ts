import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { Broadcast } from './broadcast.ts'
import { Bus } from './bus.ts'
import { BroadcastError } from './errors.ts'

async function fault(task: Promise<unknown> | (() => unknown)): Promise<Record<string, unknown>> {
  try {
    await (typeof task === 'function' ? task() : task)
  } catch (error) {
    if (error instanceof BroadcastError) return JSON.parse(JSON.stringify(error))
    throw error
  }
  return { kind: 'none' }
}

const turn = () => new Promise(setImmediate)

test('everybody gets what is published after it joined', async () => {
  const all = new Broadcast<number>()
  expect((await fault(all.broadcast(0))).kind).toBe('NoSubscribers')
  const a = all.subscribe('a')
  await all.broadcast(1)
  const b = all.subscribe('b')
  await all.broadcast(2)
  expect([a.tryRead(), a.tryRead(), a.tryRead(), b.tryRead()]).toEqual([
    { value: 1, skipped: 0 },
    { value: 2, skipped: 0 },
    undefined,
    { value: 2, skipped: 0 },
  ])
  const waiting = all.read('a')
  await all.broadcast(3)
  expect(await waiting).toEqual({ value: 3, skipped: 0 })
  expect([all.subscriberLag(b), all.slowestCursor(), all.isLagging('b'), all.capacity]).toEqual([1, 2, false, 1024])
  expect(all.subscribers()).toEqual([
    { id: 1, name: 'a', lag: 0, isLagging: false },
    { id: 2, name: 'b', lag: 1, isLagging: false },
  ])
})

test('block waits for the slowest, then fails and publishes nothing', async () => {
  const clock = new ManualClock()
  const all = new Broadcast<number>({ capacity: 4, clock })
  const slow = all.subscribe('slow')
  for (let i = 1; i <= 4; i++) await all.broadcast(i)
  expect((await fault(() => all.tryBroadcast(9))).kind).toBe('BufferFull')
  const failing = fault(all.broadcast(5))
  const second = all.broadcast(6)
  await turn()
  clock.advance(100)
  expect(await failing).toMatchObject({ kind: 'SlowSubscriberTimeout', subscriber: 'slow', lag: 4, timeoutMs: 100 })
  await turn()
  expect(slow.tryRead()?.value).toBe(1)
  await second
  expect(Array.from({ length: 5 }, () => slow.tryRead()?.value)).toEqual([2, 3, 4, 6, undefined])
})

test('drop_slow cuts the slow one off, with its lag', async () => {
  const clock = new ManualClock()
  const all = new Broadcast<number>({ capacity: 4, policy: 'drop_slow', slowTimeoutMs: 10, clock })
  const [slow, fast] = [all.subscribe('slow'), all.subscribe('fast')]
  for (let i = 1; i <= 4; i++) await all.broadcast(i)
  while (fast.tryRead() !== undefined);
  const fifth = all.broadcast(5)
  await turn()
  clock.advance(10)
  await fifth
  expect(fast.tryRead()?.value).toBe(5)
  expect(await fault(() => slow.tryRead())).toMatchObject({ kind: 'SlowSubscriberTimeout', lag: 4 })
  expect([slow.isDisconnected, all.subscribers().length]).toEqual([true, 1])
  expect((await fault(() => all.subscriberLag('slow'))).kind).toBe('SubscriberNotFound')
})

test('skip_for_slow makes it skip, and tells how many', async () => {
  const all = new Broadcast<number>({ capacity: 4, policy: 'skip_for_slow' })
  const slow = all.subscribe('slow')
  for (let i = 1; i <= 9; i++) await all.broadcast(i)
  all.tryBroadcast(10)
  expect([slow.tryRead(), slow.tryRead(), slow.skipped]).toEqual([
    { value: 7, skipped: 6 },
    { value: 8, skipped: 0 },
    6,
  ])
})

test('places are limited', async () => {
  const all = new Broadcast<number>({ maxSubscribers: 1 })
  const one = all.subscribe()
  expect(await fault(() => all.subscribe())).toMatchObject({ kind: 'MaxSubscribersReached', maximum: 1 })
  await one.close()
  all.unsubscribe(all.subscribe('x'))
  expect((await fault(() => all.unsubscribe('x'))).kind).toBe('SubscriberNotFound')
  const unlimited = new Broadcast<number>({ maxSubscribers: 0 })
  for (let i = 0; i < 100; i++) unlimited.subscribe()
})

test('lagging begins at lagWarning', async () => {
  const all = new Broadcast<number>({ lagWarning: 2 })
  const one = all.subscribe()
  await all.broadcast(1)
  expect(all.isLagging(one)).toBe(false)
  await all.broadcast(2)
  expect(all.isLagging(one)).toBe(true)
})

test('a closed broadcast is read to its end', async () => {
  const clock = new ManualClock()
  const all = new Broadcast<number>({ capacity: 4, clock })
  const one = all.subscribe()
  for (let i = 1; i <= 4; i++) await all.broadcast(i)
  const waiting = fault(all.broadcast(5))
  await turn()
  await all.close()
  expect((await waiting).kind).toBe('Closed')
  const seen: number[] = []
  for await (const { value } of one) seen.push(value)
  expect(seen).toEqual([1, 2, 3, 4])
  for (const task of [() => all.subscribe(), all.broadcast(1), one.read()])
    expect((await fault(task)).kind).toBe('Closed')
})

test('a reader that waits is let go when it leaves or its signal aborts', async () => {
  const all = new Broadcast<number>()
  const one = all.subscribe('one')
  const left = fault(one.read())
  await one.close()
  expect((await left).kind).toBe('SubscriberNotFound')
  const two = all.subscribe('two')
  const controller = new AbortController()
  const aborted = two.read({ signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
})

test('a bus publishes to whoever listens, and to nobody', async () => {
  const bus = new Bus()
  await bus.publish('orders', 1)
  const one = bus.subscribe<number>('orders')
  await bus.publish('orders', 2)
  expect([one.tryRead()?.value, one.tryRead(), bus.topics()]).toEqual([2, undefined, ['orders']])
  expect(() => bus.topic('a b')).toThrow('is not a topic')
  await bus.close()
  expect((await fault(bus.publish('orders', 3))).kind).toBe('Closed')
})
