import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { ChannelConsumerBuilder } from './channel-consumer.ts'
import { ConsumedMessage, type StreamConsumer } from './consumer.ts'
import { ProcessingDecision, SkipReason } from './decision.ts'
import { StreamError } from './errors.ts'
import { Pipeline } from './pipeline.ts'
import { PipelineBuilder } from './pipeline-builder.ts'
import type { Processor } from './processor.ts'
import { PassthroughProcessor } from './processors/passthrough.ts'
import type { Sink } from './sink.ts'
import { CollectorSink } from './sinks/collector.ts'
import { StreamConfig } from './stream-config.ts'
import { type ProcessorDeps, StreamProcessor } from './stream-processor.ts'
import { ListConsumer, message, PickySink, silent } from './testing.ts'

const calm = new StreamConfig().withBackoff(null).withStatsInterval(null)
const ids = (...names: string[]) => names.map((name) => message(name))
const fails = (...names: string[]) =>
  new PickySink((id) => (names.includes(id) ? new Error(`${id} failed`) : undefined))

function processor(
  consumer: StreamConsumer,
  sink: Sink,
  {
    config = calm,
    process = new PassthroughProcessor(),
    ...deps
  }: ProcessorDeps & { config?: StreamConfig; process?: Processor } = {},
): StreamProcessor {
  return new StreamProcessor(consumer, new Pipeline(process, sink), config, { logger: silent, ...deps })
}

async function fault(task: Promise<unknown>): Promise<StreamError & { suppressed?: unknown[] }> {
  const error = await task.then(
    () => undefined,
    (failure: unknown) => failure,
  )
  if (error instanceof StreamError) return error
  throw new Error(`no StreamError: ${String(error)}`)
}

test('the defaults', () => {
  const config = new StreamConfig()
  expect({ ...config }).toEqual({
    autoCommit: true,
    statsInterval: 60_000,
    maxConsecutiveFailures: 10,
    failurePolicy: 'hold',
    backoff: { initialMs: 100, multiplier: 2, maxMs: 30_000, jitter: 0.2 },
    maxRetries: 5,
    commitEvery: { messages: 1, ms: null },
    maxUncommitted: 10_000,
    deadLetter: null,
  })
  expect(config.withMaxConsecutiveFailures(0).maxConsecutiveFailures).toBeNull()
  expect(config.withCommitEvery({ ms: '1s' }).commitEvery).toEqual({ messages: Number.MAX_SAFE_INTEGER, ms: 1000 })
  expect(config.withStatsInterval('5s').statsInterval).toBe(5000)
  expect(config.autoCommit && !config.withAutoCommit(false).autoCommit).toBe(true)
})

test('settings out of range are InvalidConfiguration', () => {
  const config = new StreamConfig()
  for (const set of [
    () => config.withStatsInterval('soon'),
    () => config.withMaxConsecutiveFailures(-1),
    () => config.withFailurePolicy('ignore' as 'hold'),
    () => config.withBackoff({ initialMs: 10, maxMs: 5 }),
    () => config.withBackoff({ multiplier: 0.5 }),
    () => config.withBackoff({ jitter: 1 }),
    () => config.withMaxRetries(1.5),
    () => config.withCommitEvery(0),
    () => config.withCommitEvery({}),
    () => config.withMaxUncommitted(-1),
    () => config.withDeadLetter({} as Sink),
    () => processor(new ListConsumer([]), new CollectorSink(), { config: config.withFailurePolicy('dead_letter') }),
    () => new ChannelConsumerBuilder().withCapacity(0),
    () => new ChannelConsumerBuilder().withCapacity(1.5),
  ]) {
    expect(set).toThrow(expect.objectContaining({ kind: 'InvalidConfiguration' }))
  }
})

test('from a channel through a pipeline to a sink', async () => {
  const [consumer, sender] = new ChannelConsumerBuilder().withCapacity(3).withSourceName('orders').build()
  const sink = new CollectorSink()
  const pipeline = new PipelineBuilder().withProcessor(new PassthroughProcessor()).withSink(sink).build()
  const running = new StreamProcessor(consumer, pipeline, calm, { logger: silent }).run()
  for (let i = 1; i <= 10; i++) await sender.send(message(`m${i}`))
  await sender.close()
  expect((await running).toJSON()).toEqual({
    consumed: 10,
    processed: 10,
    skipped: 0,
    failed: 0,
    committed: 10,
    commitFailures: 0,
    heldCommits: 0,
  })
  expect(sink.messages.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, i) => `m${i + 1}`))
  expect([consumer.committed, consumer.sourceName()]).toEqual(['10', 'orders'])
})

test('with hold, later messages are done and commits stay before the failed one', async () => {
  const consumer = new ListConsumer(ids('a', 'b', 'c', 'd'))
  const sink = fails('c')
  const stats = await processor(consumer, sink).run()
  expect(consumer.commits).toEqual(['0', '1'])
  expect(sink.sent).toEqual(['a', 'b', 'd'])
  expect(stats.toJSON()).toMatchObject({ processed: 3, failed: 1, committed: 2, heldCommits: 1 })
  expect(consumer.closed).toBe(1)
})

test('each partition holds its own', async () => {
  const item = (id: string, partition: string, offset: string) =>
    ConsumedMessage.withOffset(message(id), offset, partition)
  const consumer = new ListConsumer([
    item('a', '0', '5'),
    item('b', '1', '8'),
    item('c', '0', '6'),
    item('d', '1', '9'),
  ])
  await processor(consumer, fails('b')).run()
  expect(consumer.commits).toEqual(['0:5', '0:6'])
})

test('a commit that failed elsewhere does not let a held message through', async () => {
  const item = (id: string, partition: string, offset: string) =>
    ConsumedMessage.withOffset(message(id), offset, partition)
  const consumer = new ListConsumer([item('bad', 'a', '0'), item('ok', 'b', '0'), item('behind', 'a', '1')])
  const commit = consumer.commit.bind(consumer)
  let calls = 0
  consumer.commit = async (offset, partition) => {
    if (++calls === 1) throw new Error('busy')
    await commit(offset, partition)
  }
  await processor(consumer, fails('bad')).run()
  expect(consumer.commits).toEqual(['b:0'])
})

test('with individual commits only the failed offset is left out', async () => {
  const consumer = new ListConsumer(ids('a', 'b', 'c'))
  consumer.commitMode = 'individual'
  await processor(consumer, fails('b')).run()
  expect(consumer.commits).toEqual(['0', '2'])
})

test('a skip is done, and resets the failures in a row', async () => {
  const process: Processor = {
    process: ({ id }) =>
      id.startsWith('s') ? ProcessingDecision.skip(SkipReason.duplicate) : ProcessingDecision.process,
  }
  const names = Array.from({ length: 30 }, (_, i) => (i % 3 === 2 ? `s${i}` : `f${i}`))
  const consumer = new ListConsumer(ids(...names))
  const sink = new PickySink(() => new Error('no'))
  const stats = await processor(consumer, sink, { process, config: calm.withMaxConsecutiveFailures(3) }).run()
  expect(stats.toJSON()).toMatchObject({ consumed: 30, skipped: 10, failed: 20, committed: 0 })
})

test('too many failures in a row end the run, which still commits and closes', async () => {
  const consumer = new ListConsumer(ids('a', 'b', 'c', 'd'))
  const error = await fault(processor(consumer, fails('b', 'c'), { config: calm.withMaxConsecutiveFailures(2) }).run())
  expect([error.kind, error.message]).toEqual(['ConsumptionError', 'Exceeded maximum consecutive failures: 2'])
  expect([consumer.commits, consumer.closed]).toEqual([['0'], 1])
})

test('failures of consume count, too', async () => {
  const consumer = new ListConsumer([])
  consumer.consume = async () => {
    throw new Error('gone')
  }
  const error = await fault(processor(consumer, new CollectorSink()).run())
  expect(error.message).toBe('Exceeded maximum consecutive failures: 10')
  expect((error.cause as Error).message).toBe('gone')
  expect((await fault(processor(consumer, new CollectorSink()).processOne())).message).toBe('gone')
})

test('a source that cannot be reached is unavailable', async () => {
  const consumer = new ListConsumer([])
  consumer.consume = async () => {
    throw new HeadraceError('connector_unreachable', 'no route')
  }
  const error = await fault(processor(consumer, new CollectorSink()).processOne())
  expect([error.kind, error.message, error.retryable]).toEqual(['StreamUnavailable', 'stream unavailable: list', true])
  consumer.consume = async () => {
    throw new StreamError('StreamClosed', { reason: 'gone' })
  }
  expect((await fault(processor(consumer, new CollectorSink()).run())).kind).toBe('StreamClosed')
})

test('retry tries again, then buries, or holds without a dead letter', async () => {
  const dead = new CollectorSink()
  let attempts = 0
  const sink = new PickySink((id) => (id === 'b' && ++attempts <= 6 ? new Error('no') : undefined))
  const consumer = new ListConsumer(ids('a', 'b', 'c'))
  const config = calm.withFailurePolicy('retry').withDeadLetter(dead)
  const stats = await processor(consumer, sink, { config }).run()
  expect([attempts, dead.messages.map(({ id }) => id), consumer.commits]).toEqual([6, ['b'], ['0', '1', '2']])
  expect(stats.toJSON()).toMatchObject({ processed: 2, failed: 1, committed: 3 })
  const held = new ListConsumer(ids('a', 'b', 'c'))
  await processor(held, fails('b'), { config: calm.withFailurePolicy('retry').withMaxRetries(1) }).run()
  expect(held.commits).toEqual(['0'])
})

test('a dead letter that cannot be written holds', async () => {
  const consumer = new ListConsumer(ids('a', 'b'))
  const config = calm.withFailurePolicy('dead_letter').withDeadLetter(new PickySink(() => new Error('full')))
  await processor(consumer, fails('a'), { config }).run()
  expect(consumer.commits).toEqual([])
})

test('stop ends with the error of the message', async () => {
  const consumer = new ListConsumer(ids('a', 'b', 'c'))
  const error = await fault(processor(consumer, fails('b'), { config: calm.withFailurePolicy('stop') }).run())
  expect(JSON.parse(JSON.stringify(error))).toMatchObject({
    kind: 'PipelineError',
    code: 'stream_pipeline_error',
    source: { kind: 'Sink', error: { kind: 'InternalError' } },
  })
  expect(consumer.commits).toEqual(['0'])
})

test('a failed commit is counted and made good by the next', async () => {
  const consumer = new ListConsumer(ids('a', 'b', 'c'))
  const commit = consumer.commit.bind(consumer)
  let calls = 0
  consumer.commit = async (offset) => {
    if (++calls === 1) throw new Error('busy')
    await commit(offset)
  }
  const stats = await processor(consumer, new CollectorSink()).run()
  expect([consumer.commits, stats.committed, stats.commitFailures]).toEqual([['1', '2'], 3, 1])
  const broken = new ListConsumer(ids('a'))
  broken.commit = async () => {
    throw new Error('no')
  }
  const manual = processor(broken, new CollectorSink(), { config: calm.withAutoCommit(false) })
  await manual.processOne()
  expect((await fault(manual.commit())).message).toBe('offset commit failed: no')
})

test('a buffered sink is flushed before every commit, and what follows a failed flush waits', async () => {
  let flushes = 0
  const sink: Sink = {
    buffered: true,
    send: async () => {},
    flush: async () => {
      if (++flushes === 1) throw new Error('disk')
    },
  }
  const consumer = new ListConsumer(ids('a', 'b', 'c', 'd'))
  const stats = await processor(consumer, sink, { config: calm.withCommitEvery(2) }).run()
  expect([consumer.commits, stats.commitFailures, stats.committed]).toEqual([['3'], 1, 4])
})

test('commits fall due by time, also while nothing comes', async () => {
  const clock = new ManualClock()
  const [consumer, sender] = new ChannelConsumerBuilder().build()
  const running = processor(consumer, new CollectorSink(), { clock, config: calm.withCommitEvery({ ms: 500 }) })
  const done = running.run()
  await sender.send(message('a'))
  while (running.stats().processed < 1) await new Promise(setImmediate)
  expect(consumer.committed).toBeUndefined()
  clock.advance(500)
  await new Promise(setImmediate)
  expect(consumer.committed).toBe('1')
  await sender.close()
  await done
})

test('a run does not go further past a held message than it may', async () => {
  const consumer = new ListConsumer(ids('a', 'b', 'c', 'd', 'e'))
  const error = await fault(processor(consumer, fails('a'), { config: calm.withMaxUncommitted(2) }).run())
  expect(error.message).toBe('3 messages are done and cannot be committed, more than maxUncommitted: 2')
  expect(consumer.commits).toEqual([])
})

test('stop lets the message in hand end', async () => {
  const [consumer, sender] = new ChannelConsumerBuilder().build()
  const gate = Promise.withResolvers<void>()
  const running = processor(consumer, { send: () => gate.promise })
  const done = running.run()
  await sender.send(message('a'))
  await sender.send(message('b'))
  while (running.stats().consumed < 1) await new Promise(setImmediate)
  const stopped = running.stop()
  gate.resolve()
  await stopped
  expect((await done).toJSON()).toMatchObject({ consumed: 1, processed: 1, committed: 1 })
  expect((await fault(running.processOne())).kind).toBe('ShutdownRequested')
  expect((await fault(running.run())).kind).toBe('ShutdownRequested')
  await expect(sender.send(message('c'))).rejects.toThrow('stream closed')
})

test('work in hand past the time limit is abandoned uncommitted', async () => {
  const clock = new ManualClock()
  const consumer = new ListConsumer(ids('a', 'b'))
  const gate = Promise.withResolvers<void>()
  const running = processor(consumer, { send: ({ id }) => (id === 'b' ? gate.promise : Promise.resolve()) }, { clock })
  const done = running.run()
  while (running.stats().consumed < 2) await new Promise(setImmediate)
  const stopped = running.stop({ timeoutMs: 1000 })
  for (let i = 0; i < 4; i++) await new Promise(setImmediate)
  clock.advance(1000)
  await stopped
  gate.resolve()
  await new Promise(setImmediate)
  expect((await done).toJSON()).toMatchObject({ consumed: 2, processed: 1, committed: 1 })
  expect(consumer.commits).toEqual(['0'])
})

test('an aborted signal stops a consumer that heeds none', async () => {
  const consumer = new ListConsumer([])
  consumer.consume = () => new Promise(() => {})
  const controller = new AbortController()
  const done = processor(consumer, new CollectorSink()).run({ signal: controller.signal })
  controller.abort()
  expect((await done).consumed).toBe(0)
  expect(consumer.closed).toBe(1)
})

test('SIGTERM stops a run that handles signals', async () => {
  const [consumer] = new ChannelConsumerBuilder().build()
  const before = process.listenerCount('SIGTERM')
  const done = processor(consumer, new CollectorSink()).run({ handleSignals: true })
  process.emit('SIGTERM')
  expect((await done).consumed).toBe(0)
  expect(process.listenerCount('SIGTERM')).toBe(before)
})

test('what fails at the end is suppressed beside the error of the run', async () => {
  const consumer = new ListConsumer(ids('a'))
  consumer.close = async () => {
    throw new Error('cannot close')
  }
  const error = await fault(processor(consumer, fails('a'), { config: calm.withFailurePolicy('stop') }).run())
  expect([error.kind, error.suppressed?.map(String)]).toEqual(['PipelineError', ['Error: cannot close']])
  const alone = new ListConsumer([])
  alone.close = consumer.close
  expect((await fault(processor(alone, new CollectorSink()).run())).message).toBe('cannot close')
})

test('an end that hangs is given up', async () => {
  const clock = new ManualClock()
  const consumer = new ListConsumer([])
  consumer.close = () => new Promise(() => {})
  const done = fault(processor(consumer, new CollectorSink(), { clock }).run())
  for (let i = 0; i < 4; i++) await new Promise(setImmediate)
  clock.advance(30_000)
  expect((await done).message).toContain('processing aborted: close did not end within 30000 ms')
})

test('processOne gives decisions, null at the end, and rejects after counting', async () => {
  const consumer = new ListConsumer(ids('a', 'b'))
  const one = processor(consumer, fails('b'))
  expect((await one.processOne())?.isProcess()).toBe(true)
  expect((await fault(one.processOne())).kind).toBe('PipelineError')
  expect(await one.processOne()).toBeNull()
  expect(one.stats().toJSON()).toMatchObject({ consumed: 2, processed: 1, failed: 1 })
})

test('pauses grow with failures in a row and begin anew after a success', async () => {
  const delays: number[] = []
  const clock = new ManualClock()
  clock.sleep = (ms, signal) => {
    // A time limit waits for its end; a pause is over at once.
    if (ms >= 30_000) return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
    delays.push(ms)
    return Promise.resolve()
  }
  const config = new StreamConfig().withStatsInterval(null).withBackoff({ jitter: 0 })
  const consumer = new ListConsumer(ids('x1', 'x2', 'ok', 'x3'))
  await processor(consumer, fails('x1', 'x2', 'x3'), { config, clock }).run()
  expect(delays).toEqual([100, 200, 100])
})

test('statistics are logged by time, added up and counted in a registry', async () => {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const counters = new Map<string, number>()
  const metrics = {
    counter: (name: string, labels: Readonly<Record<string, string>>) => ({
      add: (n: number) =>
        void counters.set(`${name} ${labels['result']}`, (counters.get(`${name} ${labels['result']}`) ?? 0) + n),
    }),
  }
  const [consumer, sender] = new ChannelConsumerBuilder().build()
  const running = processor(consumer, fails('b'), {
    clock,
    metrics,
    config: calm.withStatsInterval('1s'),
    logger: (_level, text, fields) => void lines.push({ text, ...fields }),
  })
  const done = running.run()
  for (const id of ['a', 'b']) await sender.send(message(id))
  while (running.stats().failed < 1) await new Promise(setImmediate)
  clock.advance(1000)
  await new Promise(setImmediate)
  await sender.close()
  const stats = await done
  expect(lines.map(({ text }) => text)).toEqual(['a message failed', 'processor statistics', 'the processor has ended'])
  expect(lines[1]).toMatchObject({ consumed: 2, consumedPerSecond: 2, failedPerSecond: 1 })
  expect(Object.fromEntries(counters)).toEqual({
    'headrace_processor_messages_total processed': 1,
    'headrace_processor_messages_total failed': 1,
    'headrace_processor_commits_total ok': 1,
  })
  expect(stats.merge(stats).toJSON()).toMatchObject({ consumed: 4, failed: 2, committed: 2 })
})

test('a channel consumer closes one way and the other', async () => {
  const [consumer, sender] = new ChannelConsumerBuilder().withCapacity(2).build()
  const other = sender.clone()
  expect([sender.trySend(message('a')), sender.trySend(message('b')), sender.trySend(message('c'))]).toEqual([
    true,
    true,
    false,
  ])
  const waiting = other.send(message('d'))
  await consumer.close()
  await expect(waiting).rejects.toThrow('stream closed')
  await expect(sender.send(message('e'))).rejects.toThrow(expect.objectContaining({ kind: 'StreamClosed' }))
  expect(() => sender.trySend(message('e'))).toThrow('stream closed')
  expect([(await consumer.consume())?.message.id, (await consumer.consume())?.offset]).toEqual(['a', '2'])
  expect([await consumer.consume(), await consumer.consume()]).toEqual([null, null])
  expect(new ChannelConsumerBuilder().build()[0].sourceName()).toBe('channel')
})

test('a consumer that waits is let go by its signal, and takes nothing', async () => {
  const [consumer, sender] = new ChannelConsumerBuilder().build()
  const controller = new AbortController()
  const waiting = consumer.consume({ signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await sender.send(message('a'))
  expect((await consumer.consume())?.message.id).toBe('a')
})
