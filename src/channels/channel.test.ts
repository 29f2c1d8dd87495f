import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { channel } from './channel.ts'
import { StreamingError } from './errors.ts'

/** The kind of the error that a call or promise gives. */
async function kindOf(task: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof task === 'function' ? task() : task)
  } catch (error) {
    if (error instanceof StreamingError) return error.kind
    throw error
  }
  return 'none'
}

test('capacity is clamped and rounded up to a power of two', () => {
  const capacityOf = (capacity?: number) => channel({ capacity }).sender.capacity
  expect([undefined, 1, 4, 5, 2048, 2049, 1e9].map(capacityOf)).toEqual([2048, 4, 4, 8, 2048, 4096, 1_048_576])
  expect(() => channel({ capacity: Number.NaN })).toThrow('invalid config: capacity')
  expect(() => channel({ overflow: 'spill' as 'block' })).toThrow('invalid config: overflow')
})

test('block waits, in order, and tryPush gives the item back', async () => {
  const { sender, receiver } = channel<number>({ capacity: 4, trackStats: true })
  for (let i = 1; i <= 4; i++) expect(sender.tryPush(i)).toBeUndefined()
  expect(sender.tryPush(5)).toBe(5)
  const waiting = [sender.push(5), sender.push(6)]
  expect([receiver.poll(), sender.pending]).toEqual([1, 4])
  await waiting[0]
  expect(receiver.pollBatch(10)).toEqual([2, 3, 4, 5, 6])
  await waiting[1]
  expect(receiver.poll()).toBeUndefined()
  expect(receiver.stats()).toEqual({
    itemsPushed: 6,
    itemsPopped: 6,
    pushBlocked: 2,
    itemsDropped: 0,
    popEmpty: 1,
    inFlight: 0,
    dropRate: 0,
  })
})

test('drop_oldest makes room', async () => {
  const { sender, receiver } = channel<number>({ capacity: 4, overflow: 'drop_oldest', trackStats: true })
  for (let i = 1; i <= 6; i++) await sender.push(i)
  expect(sender.tryPush(7)).toBeUndefined()
  expect(receiver.pollBatch(9)).toEqual([4, 5, 6, 7])
  expect(receiver.stats()).toMatchObject({
    itemsPushed: 7,
    itemsPopped: 4,
    itemsDropped: 3,
    inFlight: 0,
    dropRate: 3 / 7,
  })
})

test('reject carries the value, and does not tell it in JSON', async () => {
  const { sender } = channel<{ secret: string }>({ capacity: 4, overflow: 'reject' })
  const value = { secret: 'x' }
  for (let i = 0; i < 4; i++) await sender.push(value)
  const error = await sender.push(value).catch((failure: unknown) => failure as StreamingError)
  expect(error).toMatchObject({ kind: 'ChannelFull', value, retryable: true })
  expect(JSON.stringify(error)).toBe(
    '{"kind":"ChannelFull","code":"streaming_channel_full","message":"the channel is full: it holds 4 items","capacity":4}',
  )
})

test('without trackStats nothing is counted', async () => {
  const { sender } = channel<number>()
  await sender.push(1)
  expect(sender.stats().itemsPushed).toBe(0)
})

test('the channel ends with its last sender, and what it holds is still read', async () => {
  const { sender, receiver } = channel<number>({ capacity: 4 })
  const other = sender.clone()
  await sender.push(1)
  await sender.close()
  await sender.close()
  expect(await kindOf(sender.push(2))).toBe('ChannelClosed')
  expect(await kindOf(() => sender.clone())).toBe('ChannelClosed')
  await other.push(2)
  const waiting = [receiver.recv(), receiver.recv(), receiver.recv()]
  await other.close()
  expect(await Promise.all(waiting.slice(0, 2))).toEqual([1, 2])
  expect(await kindOf(waiting[2]!)).toBe('Disconnected')
  expect([receiver.isDisconnected, await kindOf(receiver.recv())]).toEqual([true, 'Disconnected'])
})

test('a receiver that closes fails the pushes that wait', async () => {
  const { sender, receiver } = channel<number>({ capacity: 4 })
  for (let i = 0; i < 4; i++) await sender.push(i)
  const waiting = sender.push(4)
  await receiver.close()
  expect([await kindOf(waiting), await kindOf(() => sender.tryPush(5))]).toEqual(['ChannelClosed', 'ChannelClosed'])
  expect([sender.isClosed, receiver.pollBatch(9)]).toEqual([true, [0, 1, 2, 3]])
})

test('a signal takes a waiting push or receive back', async () => {
  const { sender, receiver } = channel<number>({ capacity: 4 })
  for (let i = 0; i < 4; i++) await sender.push(i)
  const controller = new AbortController()
  const push = sender.push(4, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(push).rejects.toThrow('enough')
  expect(receiver.pollBatch(9)).toEqual([0, 1, 2, 3])
  const receive = receiver.recv({ signal: AbortSignal.abort(new Error('gone')) })
  await expect(receive).rejects.toThrow('gone')
})

test('recvTimeout ends after its time and takes nothing', async () => {
  const clock = new ManualClock()
  const { sender, receiver } = channel<number>({ clock })
  const late = receiver.recvTimeout(50)
  clock.advance(50)
  expect(await kindOf(late)).toBe('Timeout')
  const soon = receiver.recvTimeout(50)
  await sender.push(7)
  expect(await soon).toBe(7)
})

test('a channel is iterated to its end', async () => {
  const { sender, receiver } = channel<number>({ capacity: 4 })
  const read = (async () => {
    const items: number[] = []
    for await (const item of receiver) items.push(item)
    return items
  })()
  for (let i = 0; i < 20; i++) await sender.push(i)
  await sender.close()
  expect(await read).toEqual(Array.from({ length: 20 }, (_, i) => i))
})
