import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { field, schema, types } from '../core/types.ts'
import { ProcessingDecision } from './decision.ts'
import { GenericMessage, type Message } from './message.ts'
import { Pipeline } from './pipeline.ts'
import { ProcessorChain } from './processors/chain.ts'
import { DedupeProcessor } from './processors/dedupe.ts'
import { FilterProcessor } from './processors/filter.ts'
import { MapTransformer } from './processors/map.ts'
import { RateLimitProcessor } from './processors/rate-limit.ts'
import { TimeWindowProcessor } from './processors/time-window.ts'
import { ValidationProcessor } from './processors/validation.ts'
import { CollectorSink } from './sinks/collector.ts'
import { message, PickySink } from './testing.ts'

const text = ({ payload }: Message): string => Buffer.from(payload).toString()
const reasonOf = (decision: ProcessingDecision): string => {
  const { reason } = decision
  return reason === undefined
    ? 'Process'
    : 'details' in reason
      ? `${reason.type}: ${Object.values(reason.details)}`
      : reason.type
}

test('a filter tells why', async () => {
  const filter = new FilterProcessor(({ size }) => size > 1)
  expect(reasonOf(await filter.process(message('ab')))).toBe('Process')
  expect(reasonOf(await filter.process(message('a')))).toBe('Filtered: filtered')
  const later = new FilterProcessor(async () => false, { reason: 'later' })
  expect(reasonOf(await later.process(message('a')))).toBe('Filtered: later')
})

test('a mapping replaces payload or message', async () => {
  const upper = new MapTransformer((each) => text(each).toUpperCase())
  const [mapped] = await upper.transform(message('a'))
  expect([mapped!.id, text(mapped!)]).toEqual(['a', 'A'])
  const renamed = new MapTransformer(async () => message('b'))
  expect((await renamed.transform(message('a')))[0]!.id).toBe('b')
  expect(() => new MapTransformer(() => undefined as never).transform(message('a'))).toThrow('unexpected state')
})

test('a chain goes in order, ends at the first skip and multiplies', async () => {
  const seen: string[] = []
  const chain = new ProcessorChain(
    { transform: (each: Message) => [message(`${each.id}1`), message(`${each.id}2`), message(`${each.id}3`)] },
    new FilterProcessor(({ id }) => !id.endsWith('2'), { reason: 'second' }),
    { process: () => ProcessingDecision.process, confirm: ({ id }: Message) => seen.push(id) },
    new MapTransformer((each) => `${text(each)}!`),
  )
  const sink = new CollectorSink()
  const pipeline = new Pipeline(chain, sink)
  expect(reasonOf(await pipeline.ingest(message('a')))).toBe('Process')
  expect(sink.messages.map(text)).toEqual(['a1!', 'a3!'])
  expect(seen).toEqual(['a1', 'a3'])
  const none = new ProcessorChain(
    new FilterProcessor(() => false, { reason: 'first' }),
    new FilterProcessor(() => false),
  )
  expect(reasonOf(await none.process(message('a')))).toBe('Filtered: first')
  expect(reasonOf(await new ProcessorChain().process(message('a')))).toBe('Process')
})

test('a chain confirms nothing of a message that the sink refused in part', async () => {
  const seen: string[] = []
  const chain = new ProcessorChain(
    { process: () => ProcessingDecision.process, confirm: ({ id }: Message) => seen.push(id) },
    { transform: () => [message('x'), message('y')] },
  )
  const pipeline = new Pipeline(chain, new PickySink((id) => (id === 'y' ? new Error('no') : undefined)))
  await expect(pipeline.ingest(message('a'))).rejects.toThrow('no')
  expect(seen).toEqual([])
})

test('a duplicate is one only after its first was confirmed, and within the window', () => {
  const clock = new ManualClock()
  const dedupe = new DedupeProcessor({ clock, windowMs: 1000, maxEntries: 2 })
  const judge = (id: string) => reasonOf(dedupe.process(message(id)))
  expect([judge('a'), judge('a')]).toEqual(['Process', 'Process'])
  dedupe.confirm(message('a'))
  expect(judge('a')).toBe('Duplicate')
  clock.advance(999)
  expect(judge('a')).toBe('Duplicate')
  clock.advance(1)
  expect(judge('a')).toBe('Process')
  for (const id of ['b', 'c', 'd']) dedupe.confirm(message(id))
  expect([judge('b'), judge('c'), judge('d'), dedupe.entries, dedupe.evicted]).toEqual([
    'Process',
    'Duplicate',
    'Duplicate',
    2,
    1,
  ])
})

test('the defaults of deduplication', () => {
  const clock = new ManualClock()
  const dedupe = new DedupeProcessor({ clock })
  for (let i = 0; i <= 100_000; i++) dedupe.confirm({ id: `m${i}` } as Message)
  expect([dedupe.entries, dedupe.evicted]).toEqual([100_000, 1])
  clock.advance(299_999)
  expect(reasonOf(dedupe.process({ id: 'm7' } as Message))).toBe('Duplicate')
  clock.advance(1)
  expect(reasonOf(dedupe.process({ id: 'm7' } as Message))).toBe('Process')
})

test('a rate limit skips, for each key, what is too much', async () => {
  const clock = new ManualClock()
  const limit = new RateLimitProcessor({ perSecond: 2, key: text, clock })
  const judge = async (key: string) => reasonOf(await limit.process(message('m', key)))
  expect([await judge('a'), await judge('a'), await judge('a'), await judge('b')]).toEqual([
    'Process',
    'Process',
    'RateLimited',
    'Process',
  ])
  clock.advance(500)
  expect([await judge('a'), await judge('a')]).toEqual(['Process', 'RateLimited'])
  for (let i = 0; i < 10_010; i++) await judge(`k${i}`)
  expect(limit.keys).toBe(10_000)
})

test('a rate limit that waits delays in order', async () => {
  const clock = new ManualClock()
  const limit = new RateLimitProcessor({ perSecond: 10, burst: 1, mode: 'wait', clock })
  const done: string[] = []
  const waiting = ['a', 'b', 'c'].map(async (id) => {
    await limit.process(message(id))
    done.push(id)
  })
  await waiting[0]
  expect(done).toEqual(['a'])
  clock.advance(100)
  await waiting[1]
  expect(done).toEqual(['a', 'b'])
  clock.advance(100)
  await waiting[2]
})

test('a time window looks at the timestamp of the message', () => {
  const clock = new ManualClock()
  const at = (ms: number): Message =>
    GenericMessage.from(
      { payload: '', source: 's', timestamp: BigInt(clock.nowMicros() + ms * 1000) },
      { clock: new ManualClock(2e15) },
    )
  const window = new TimeWindowProcessor({ maxAgeMs: 5000, clock })
  const judged = [-5001, -5000, 0, 1000, 1001].map((ms) => window.process(at(ms)).reason?.type)
  expect(judged).toEqual(['OutOfWindow', undefined, undefined, undefined, 'OutOfWindow'])
  expect(new TimeWindowProcessor({ clock }).process(at(-1e9)).isProcess()).toBe(true)
})

test('validation names the rule that failed', () => {
  const rows = schema([field('n', types.bigint, false), field('s', types.string), field('d', types.double)])
  const validation = new ValidationProcessor({ maxBytes: 40, utf8: true, nonEmpty: true, schema: rows })
  const judge = (payload: string | Uint8Array) => reasonOf(validation.process(message('m', payload)))
  expect(judge('{"n":1,"s":"x","d":1.5,"more":[]}')).toBe('Process')
  expect(judge('{"n":1,"s":null}')).toBe('Process')
  expect(judge('')).toBe('Invalid: nonEmpty: the payload is empty')
  expect(judge('x'.repeat(41))).toBe('Invalid: maxBytes: the payload has 41 bytes, at most 40')
  expect(judge(new Uint8Array([0xff]))).toBe('Invalid: utf8: the payload is not UTF-8')
  expect(judge('{')).toBe('Invalid: schema: the payload is not JSON')
  expect(judge('[]')).toBe('Invalid: schema: the payload is not a JSON object')
  expect(judge('{"s":""}')).toBe('Invalid: schema: field "n" is missing')
  expect(judge('{"n":1.5}')).toBe('Invalid: schema: field "n" is not BIGINT')
  expect(new ValidationProcessor().process(message('m', '')).isProcess()).toBe(true)
})

test('settings out of range are refused', () => {
  for (const make of [
    () => new DedupeProcessor({ windowMs: 0 }),
    () => new RateLimitProcessor({ perSecond: Number.NaN }),
    () => new RateLimitProcessor({ perSecond: 1, mode: 'drop' as 'skip' }),
    () => new TimeWindowProcessor({ maxAgeMs: -1 }),
    () => new CollectorSink({ max: 0 }),
  ]) {
    expect(make).toThrow('invalid configuration')
  }
})
