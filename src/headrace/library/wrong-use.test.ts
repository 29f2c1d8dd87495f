import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { HeadraceError, HeadraceErrors } from '../../core/errors.ts'
import * as headrace from '../headrace.ts'

// What plain JavaScript may call, no compiler having looked at it: every wrong call is an error with a code, a message and
// a hint, never a TypeError out of the inside.

const folder = mkdtempSync(join(tmpdir(), 'headrace-wrong-use-'))
afterAll(() => rmSync(folder, { recursive: true }))
const form = { instance: await headrace.Headrace.open({ state: false, baseDirectory: folder }) }

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid are the subject.
const api: any = headrace

const passthrough = new headrace.PassthroughProcessor()
const [consumer] = new headrace.ChannelConsumerBuilder().build()
const pipeline = new headrace.PipelineBuilder()
  .withProcessor(passthrough)
  .withSink(new headrace.CollectorSink())
  .build()
const writer = await headrace.createSink('memory://wrong', {}, form).createWriter()
const reader = await headrace.createSource('memory://wrong', {}, { ...form, schema: { fields: [] } }).createReader()

const JUNK: readonly unknown[] = [
  undefined,
  null,
  17,
  -1.5,
  Number.NaN,
  'x',
  '',
  true,
  {},
  { zzz: 1 },
  [],
  [1],
  () => 1,
]

async function thrown(task: () => unknown): Promise<unknown> {
  try {
    await task()
    return undefined
  } catch (error) {
    return error
  }
}

/** By name: something to call with one or two values that may be anything. */
const CALLS: Readonly<Record<string, (a: unknown, b?: unknown) => unknown>> = {
  createSource: (a, b) => api.createSource(a, b, form),
  'createSource form': (a) => api.createSource('a.csv', {}, a),
  createSink: (a, b) => api.createSink(a, b, form),
  createConsumer: (a, b) => api.createConsumer(a, b, form),
  'createConsumer form': (a) => api.createConsumer('a.csv', {}, a),
  toConsumer: (a, b) => api.toConsumer(a, b),
  toSink: (a, b) => api.toSink(a, b),
  copy: (a, b) => api.copy(a, b),
  'copy options': (a) => api.copy(api.createSource('a', {}, form), api.createSink('b', {}, form), a),
  checkAll: (a, b) => api.checkAll(a, b),
  parseUri: (a, b) => api.parseUri(a, b),
  registerConnector: (a, b) => new api.ConnectorRegistry().registerConnector(a, b),
  registerSource: (a, b) => new api.ConnectorRegistry().registerSource(a, b),
  registerSink: (a, b) => new api.ConnectorRegistry().registerSink(a, b),
  ConnectorRegistry: (a) => new api.ConnectorRegistry(a),
  describe: (a) => new api.ConnectorRegistry().describe(a),
  registerFormat: (a, b) => api.registerFormat(a, b),
  schemaOf: (a) => api.schemaOf(a),
  decodeOffset: (a, b) => api.decodeOffset(a, b),
  encodeOffset: (a, b) => api.encodeOffset(a, b),
  sourceBuilder: (a, b) => api.sourceBuilder(a).path(b).build(),
  'sourceBuilder option': (a, b) => api.sourceBuilder('file').path('x').option(a, b).build(),
  'fileSource path': (a) => api.fileSource().path(a).build(form),
  'fileSource format': (a) => api.fileSource().path('x').format(a).build(form),
  DeadLetterSink: (a, b) => new api.DeadLetterSink(a, b),
  open: (a) => api.Headrace.open(a),
  sql: (a, b) => form.instance.sql(a as string, b as never),
  'sql options': (a) => form.instance.sql('SELECT 1', {}, a as never),
  explain: (a, b) => form.instance.explain(a as string, b as never),
  validate: (a, b) => form.instance.validate(a as string, b as never),
  stream: (a, b) => form.instance.stream(a as string, b as never),
  pipeline: (a) => form.instance.pipeline(a as string),
  checkpoint: (a) => form.instance.checkpoint(a as string),
  createReader: (a) => api.createSource('memory://w', {}, form).createReader(a),
  createWriter: (a) => api.createSink('memory://w', {}, form).createWriter(a),
  validateSchema: (a) => api.createSink('memory://w', {}, form).validateSchema(a),
  write: (a) => writer.write(a as never),
  writeBatch: (a) => writer.writeBatch(a as never),
  update: (a, b) => writer.update(a as never, b as never),
  delete: (a) => writer.delete(a as never),
  read: (a) => reader.read(a as never, { waitMs: 0 }),
  seek: (a, b) => reader.seek(a as never, b as never),
  commit: (a, b) => reader.commit(a as never, b as never),
  MessageId: (a) => api.MessageId.of(a),
  newOrGenerate: (a) => api.MessageId.newOrGenerate(a),
  SourceName: (a) => api.SourceName.of(a),
  Timestamp: (a) => api.Timestamp.of(a),
  GenericMessage: (a, b) => new api.GenericMessage(a, b),
  'GenericMessage of four': (a, b) => new api.GenericMessage(a, b, 'source'),
  'GenericMessage from': (a) => api.GenericMessage.from(a),
  'GenericMessage parts': (a, b) => api.GenericMessage.from({ payload: a, source: 's', timestamp: b }),
  'decision from JSON': (a) => api.ProcessingDecision.fromJSON(a),
  withCapacity: (a) => new api.ChannelConsumerBuilder().withCapacity(a),
  withSourceName: (a) => new api.ChannelConsumerBuilder().withSourceName(a),
  ProcessorChain: (a, b) => new api.ProcessorChain(a, b),
  FilterProcessor: (a, b) => new api.FilterProcessor(a, b),
  MapTransformer: (a) => new api.MapTransformer(a),
  DedupeProcessor: (a) => new api.DedupeProcessor(a),
  'DedupeProcessor values': (a, b) => new api.DedupeProcessor({ windowMs: a, maxEntries: b }),
  RateLimitProcessor: (a) => new api.RateLimitProcessor(a),
  'RateLimitProcessor values': (a, b) => new api.RateLimitProcessor({ perSecond: a, burst: b }),
  TimeWindowProcessor: (a) => new api.TimeWindowProcessor(a),
  ValidationProcessor: (a) => new api.ValidationProcessor(a),
  CollectorSink: (a) => new api.CollectorSink(a),
  FanOutSink: (a, b) => new api.FanOutSink(a, b),
  LoggingSink: (a) => new api.LoggingSink(a),
  TracingSink: (a) => new api.TracingSink(a),
  RetrySink: (a, b) => new api.RetrySink(a, b),
  withProcessor: (a) => new api.PipelineBuilder().withProcessor(a),
  withSink: (a) => new api.PipelineBuilder().withSink(a),
  StreamProcessor: (a, b) => new api.StreamProcessor(a, b),
  'StreamProcessor config': (a, b) => new api.StreamProcessor(consumer, pipeline, a, b),
  run: (a) => new api.StreamProcessor(consumer, pipeline).run({ zzz: a }),
  stop: (a) => new api.StreamProcessor(consumer, pipeline).stop(a),
  StreamConfig: (a) => new api.StreamConfig(a),
  ...Object.fromEntries(
    [
      'AutoCommit',
      'StatsInterval',
      'MaxConsecutiveFailures',
      'FailurePolicy',
      'Backoff',
      'MaxRetries',
      'CommitEvery',
      'MaxUncommitted',
      'DeadLetter',
    ].map((name) => [
      `with${name}`,
      (a: unknown) => api.StreamConfig.prototype[`with${name}`].call(new api.StreamConfig(), a),
    ]),
  ),
  channel: (a) => api.channel(a),
  'channel values': (a, b) => api.channel({ capacity: a, overflow: b }),
  createStream: (a) => api.createStream(a),
  subscribe: (a) => api.createStream().sink.subscribe(a),
  watermark: (a) => api.createStream().source.watermark(a),
  pushBatch: (a) => api.createStream().source.pushBatch(a),
  pushRows: (a) => api.createStream().source.pushRows(a),
  recvTimeout: (a) => (typeof a === 'number' && a > 0 ? 0 : api.createStream().sink.subscribe().recvTimeout(a)),
  pollBatch: (a) => api.createStream().sink.subscribe().pollBatch(a),
  pollEach: (a, b) => api.createStream().sink.subscribe().pollEach(a, b),
  Broadcast: (a) => new api.Broadcast(a),
  'Broadcast values': (a, b) => new api.Broadcast({ slowTimeoutMs: a, policy: b }),
  'broadcast read': (a) => new api.Broadcast().read(a),
  'broadcast unsubscribe': (a) => new api.Broadcast().unsubscribe(a),
  'bus topic': (a, b) => new api.Bus().topic(a, b),
  StreamCheckpointConfig: (a) => new api.StreamCheckpointConfig(a),
}

test.each(Object.keys(CALLS))('%s: anything wrong is told, with a code and what to do', async (name) => {
  const raw: string[] = []
  for (const a of JUNK) {
    for (const b of CALLS[name]!.length === 1 ? [undefined] : JUNK) {
      const error = await thrown(() => CALLS[name]!(a, b))
      // Numbers that a bigint cannot be made of: as everywhere, `RangeError`.
      if (error === undefined || (name === 'watermark' && error instanceof RangeError)) continue
      if (error instanceof HeadraceError || error instanceof HeadraceErrors) {
        if (typeof error.hint !== 'string') raw.push(`no hint: ${error.code}: ${error.message}`)
        continue
      }
      raw.push(`${String(a)}, ${String(b)}: ${String(error)} ${String((error as Error).stack?.split('\n')[1])}`)
    }
  }
  expect([...new Set(raw)].slice(0, 3)).toEqual([])
})
