import { expect, test } from 'vitest'
import { HeadraceError } from '../core/errors.ts'
import { Random } from '../core/random.ts'
import { SinkError } from './errors.ts'
import type { Sink } from './sink.ts'
import { nameOfSink } from './sink.ts'
import { CollectorSink } from './sinks/collector.ts'
import { DeadLetterSink } from './sinks/dead-letter.ts'
import { FanOutSink } from './sinks/fan-out.ts'
import { LoggingSink, TracingSink } from './sinks/logging.ts'
import { RetrySink } from './sinks/retry.ts'
import { message, PickySink } from './testing.ts'

test('a logging sink writes one line a message', async () => {
  const lines: unknown[] = []
  const sink = new LoggingSink({ logger: (level, text, fields) => lines.push({ level, text, ...fields }) })
  await sink.send(message('a', 'xyz'))
  await sink.send(message('b').withContentType('text/plain'))
  expect(lines).toEqual([
    { level: 'info', text: 'message', id: 'a', source: 'test', size: 3, contentType: 'unknown' },
    { level: 'info', text: 'message', id: 'b', source: 'test', size: 1, contentType: 'text/plain' },
  ])
  expect([nameOfSink(sink), nameOfSink(new TracingSink('debug'))]).toEqual(['LoggingSink', 'TracingSink'])
})

test('a collector gives away what it has, and 100,000 are its limit', async () => {
  const sink = new CollectorSink()
  for (let i = 0; i < 100_000; i++) await sink.send(message('m'))
  await expect(sink.send(message('m'))).rejects.toThrow('sink capacity exceeded: 100000 of 100000')
  expect(sink.take()).toHaveLength(100_000)
  expect(sink.size).toBe(0)
})

const failing = (text: string) => new PickySink(() => new Error(text))

test('a fan-out names every sink that failed', async () => {
  const good = new CollectorSink()
  const all = new FanOutSink([failing('one'), good, failing('two')])
  const error = await all.send(message('a')).catch((failure: unknown) => failure)
  expect(error).toBeInstanceOf(SinkError)
  expect((error as Error).message).toBe(
    'internal sink error: PickySink: internal sink error: one; PickySink: internal sink error: two',
  )
  expect(((error as Error).cause as AggregateError).errors).toHaveLength(2)
  expect(good.size).toBe(1)
  const failures: string[] = []
  const any = new FanOutSink([failing('one'), good], {
    require: 'any',
    onFailure: (_, { message: text }) => failures.push(text),
  })
  await any.send(message('b'))
  expect([failures, good.size]).toEqual([['internal sink error: one'], 2])
  await expect(new FanOutSink([failing('x')], { require: 'any' }).send(message('c'))).rejects.toThrow('x')
  expect(() => new FanOutSink([])).toThrow('a fan-out needs a sink')
})

const clock = { nowMicros: () => 0, elapsedMs: () => 0, sleep: async () => {} }
const random = new Random(1)

test('a retry sends again what may pass, at most as often as it may', async () => {
  const passing = new PickySink((_, attempt) => (attempt < 3 ? new Error('later') : undefined))
  await new RetrySink(passing, {}, { clock, random }).send(message('a'))
  expect(passing.sent).toEqual(['a'])
  let attempts = 0
  const never = new PickySink((_, attempt) => {
    attempts = attempt
    return new HeadraceError('connector_unreachable', 'gone')
  })
  await expect(new RetrySink(never, {}, { clock, random }).send(message('a'))).rejects.toThrow(
    'sink unavailable: PickySink',
  )
  expect(attempts).toBe(5)
  const poison = new PickySink((_, attempt) => {
    attempts = attempt
    return new SinkError('Rejected', { reason: 'bad' })
  })
  await expect(new RetrySink(poison, {}, { clock, random }).send(message('a'))).rejects.toThrow('bad')
  expect(attempts).toBe(1)
})

test('a dead letter opens its sink once it is needed, and again after a failure', async () => {
  const collected = new CollectorSink()
  let opened = 0
  const sink = new DeadLetterSink('memory://dead', {
    openSink: (uri) => {
      opened++
      if (opened === 1) throw new Error(`no ${uri}`)
      return collected
    },
  })
  await expect(sink.send(message('a'))).rejects.toThrow('sink unavailable: DeadLetterSink')
  await sink.send(message('b'))
  await sink.send(message('c'))
  expect([opened, sink.sent, collected.messages.map(({ id }) => id)]).toEqual([2, 2, ['b', 'c']])
})

test('with any, a flush stands for a message only where the message is', async () => {
  const held = (name: string, fails: { send?: boolean; flush?: boolean }): Sink => ({
    buffered: true,
    name: () => name,
    send: async () => {
      if (fails.send === true) throw new Error(`${name} is away`)
    },
    flush: async () => {
      if (fails.flush === true) throw new Error(`${name} cannot flush`)
    },
  })
  const [first, second] = [{ flush: true }, { send: true }] as { send?: boolean; flush?: boolean }[]
  const sink = new FanOutSink([held('a', first!), held('b', second!)], { require: 'any' })
  await sink.send(message('1'))
  // Only a took it, and a cannot make it safe: that b has nothing to flush helps nobody.
  await expect(sink.flush()).rejects.toThrow('a cannot flush')
  first!.flush = false
  await sink.flush()
  second!.send = false
  first!.flush = true
  await sink.send(message('2'))
  await sink.flush()
})
