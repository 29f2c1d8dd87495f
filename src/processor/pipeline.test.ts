import { expect, test } from 'vitest'
import { HeadraceError } from '../core/errors.ts'
import { ProcessingDecision, SkipReason } from './decision.ts'
import { IngestorError, ProcessingError, SinkError, ValidationError } from './errors.ts'
import type { Message } from './message.ts'
import { PipelineBuilder } from './pipeline-builder.ts'
import type { Processor, Transformer } from './processor.ts'
import { PassthroughProcessor } from './processors/passthrough.ts'
import type { Sink } from './sink.ts'
import { CollectorSink } from './sinks/collector.ts'
import { message, PickySink } from './testing.ts'

const build = (processor: Processor | Transformer, sink: Sink = new CollectorSink()) =>
  new PipelineBuilder().withProcessor(processor).withSink(sink).build()

async function fault(task: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await task
  } catch (error) {
    if (error instanceof IngestorError) return JSON.parse(JSON.stringify(error))
    throw error
  }
  throw new Error('no error')
}

test('the builder takes its parts in any order and is not changed', () => {
  const processor = new PassthroughProcessor()
  const sink = new CollectorSink()
  const base = new PipelineBuilder()
  const half = base.withSink(sink)
  expect(half.withProcessor(processor).build().sink()).toBe(sink)
  expect(base.withProcessor(processor).withSink(sink).build().processor()).toBe(processor)
})

test('a builder without types refuses what its types would', () => {
  // biome-ignore lint/suspicious/noExplicitAny: the calls that the types do not have.
  const untyped = new PipelineBuilder() as any
  const processor = new PassthroughProcessor()
  for (const [misuse, details] of [
    [() => untyped.build(), 'the processor is missing: call withProcessor'],
    [() => untyped.withProcessor(processor).build(), 'the sink is missing: call withSink'],
    [() => untyped.withProcessor(processor).withProcessor(processor), 'the processor is set already'],
    [() => untyped.withSink(new CollectorSink()).withSink(new CollectorSink()), 'the sink is set already'],
    [() => untyped.withProcessor({}), 'a processor needs the method process or transform'],
    [() => untyped.withSink(undefined), 'a sink needs the method send'],
  ] as const) {
    expect(misuse).toThrow(new IngestorError('PipelineConstruction', { details }))
  }
})

test('the types admit build only when both parts are there, and each part once', () => {
  const builder = new PipelineBuilder()
  // @ts-expect-error nothing is set
  expect(() => builder.build()).toThrow()
  const withSink = builder.withSink(new CollectorSink())
  // @ts-expect-error the processor is missing
  expect(() => withSink.build()).toThrow()
  // @ts-expect-error the sink is set
  expect(() => withSink.withSink(new CollectorSink())).toThrow()
  const both = withSink.withProcessor(new PassthroughProcessor())
  // @ts-expect-error both are set
  expect(() => both.withProcessor(new PassthroughProcessor())).toThrow()
  const messages: readonly Message[] = both.build().sink().messages
  expect(messages).toEqual([])
})

test('only messages that were accepted are confirmed', async () => {
  const confirmed: string[] = []
  const processor: Processor = {
    process: ({ id }) => (id === 'skip' ? ProcessingDecision.skip(SkipReason.duplicate) : ProcessingDecision.process),
    confirm: ({ id }) => confirmed.push(id),
  }
  const pipeline = build(processor, new PickySink((id) => (id === 'bad' ? new Error('no') : undefined)))
  const stats = await pipeline.ingestBatch(['a', 'skip', 'bad', 'b'].map((id) => message(id)))
  expect(stats).toMatchObject({ received: 4, processed: 2, skipped: 1, failed: 1 })
  expect(stats.errors.map(({ message: text }) => text)).toEqual(['sink error: internal sink error: no'])
  expect(confirmed).toEqual(['a', 'b'])
})

test('a buffered sink confirms with its flush', async () => {
  const confirmed: string[] = []
  let broken = true
  const sink: Sink = {
    buffered: true,
    send: async () => {},
    flush: async () => {
      if (broken) throw new Error('disk')
    },
  }
  const pipeline = build({ process: () => ProcessingDecision.process, confirm: ({ id }) => confirmed.push(id) }, sink)
  await pipeline.ingest(message('a'))
  expect(await fault(pipeline.flush())).toMatchObject({ kind: 'Sink', error: { kind: 'InternalError' } })
  expect(confirmed).toEqual([])
  broken = false
  await pipeline.ingest(message('b'))
  await pipeline.flush()
  expect(confirmed).toEqual(['a', 'b'])
})

test('a transformer makes several messages, one or none', async () => {
  const sink = new CollectorSink()
  const pipeline = build({ transform: ({ id }) => (id === 'none' ? [] : [message(`${id}1`), message(`${id}2`)]) }, sink)
  expect((await pipeline.ingest(message('a'))).isProcess()).toBe(true)
  expect((await pipeline.ingest(message('none'))).reason?.type).toBe('Filtered')
  expect(sink.messages.map(({ id }) => id)).toEqual(['a1', 'a2'])
})

test('what a part throws becomes the error of its side, with the original as cause', async () => {
  const thrown = new Error('boom')
  const throwing = (error: unknown): Processor => ({
    process: () => {
      throw error
    },
  })
  expect(await fault(build(throwing(thrown)).ingest(message('a')))).toMatchObject({
    kind: 'Processing',
    code: 'ingestor_processing',
    error: { kind: 'Failed', reason: 'boom', code: 'processing_failed' },
  })
  const error = await build(throwing(thrown))
    .ingest(message('a'))
    .catch((failure: unknown) => failure)
  expect(((error as Error).cause as Error).cause).toBe(thrown)
  expect(await fault(build(throwing('text')).ingest(message('a')))).toMatchObject({ error: { reason: 'text' } })
  const aborted = throwing(new ProcessingError('Aborted', { reason: 'enough' }))
  expect(await fault(build(aborted).ingest(message('a')))).toMatchObject({ error: { kind: 'Aborted' } })
  const invalid = throwing(new ValidationError('OutOfRange', { field: 'age', value: 200, min: 0, max: 150 }))
  expect(await fault(build(invalid).ingest(message('a')))).toMatchObject({
    kind: 'Validation',
    error: {
      kind: 'OutOfRange',
      value: 200,
      min: 0,
      max: 150,
      message: 'age is out of range: 200 is not within 0 to 150',
    },
  })
  const wrong = { process: () => 'yes' } as unknown as Processor
  expect(await fault(build(wrong).ingest(message('a')))).toMatchObject({ error: { kind: 'UnexpectedState' } })
  const rejecting = { transform: async () => Promise.reject(thrown) }
  expect(await fault(build(rejecting).ingest(message('a')))).toMatchObject({ error: { kind: 'Failed' } })
})

test('a sink that cannot be reached, refuses, or is full says so', async () => {
  const sinkOf = (error: unknown) => build(new PassthroughProcessor(), new PickySink(() => error))
  const unreachable = new HeadraceError('connector_unreachable', 'no route')
  expect(await fault(sinkOf(unreachable).ingest(message('a')))).toMatchObject({
    kind: 'Sink',
    error: { kind: 'Unavailable', sinkName: 'PickySink' },
  })
  const poison = new HeadraceError('connector_record_too_large', 'too large')
  expect(await fault(sinkOf(poison).ingest(message('a')))).toMatchObject({
    error: { kind: 'Rejected', reason: 'too large' },
  })
  const full = build(new PassthroughProcessor(), new CollectorSink({ max: 1 }))
  await full.ingest(message('a'))
  expect(await fault(full.ingest(message('b')))).toMatchObject({
    error: { kind: 'CapacityExceeded', current: 1, maximum: 1 },
  })
  const known = new SinkError('Rejected', { reason: 'no' })
  const error = await sinkOf(known)
    .ingest(message('a'))
    .catch((failure: unknown) => failure)
  expect((error as Error).cause).toBe(known)
  expect([known.retryable, new SinkError('Unavailable', { sinkName: 's' }).retryable]).toEqual([false, true])
})
