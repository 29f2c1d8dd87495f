import { writeFileSync } from 'node:fs'
import {
  CollectorSink,
  createConsumer,
  createSink,
  FanOutSink,
  FilterProcessor,
  PipelineBuilder,
  StreamConfig,
  StreamProcessor,
  toSink,
} from 'headrace'

writeFileSync('events.jsonl', '{"user":"ann","n":1}\n{"user":"bob","n":2}\n{"user":"ann","n":3}\n')

// Any source is a stream of messages: the payload is the record as it was read.
const consumer = createConsumer('events.jsonl')
const collected = new CollectorSink()
const pipeline = new PipelineBuilder()
  .withProcessor(new FilterProcessor(({ payload }) => Buffer.from(payload).includes('"ann"')))
  .withSink(new FanOutSink([collected, toSink(createSink('ann.jsonl'))], { require: 'all' }))
  .build()

// No committed offset ever passes a message that failed.
const processor = new StreamProcessor(
  consumer,
  pipeline,
  new StreamConfig().withMaxConsecutiveFailures(10).withStatsInterval(null),
)
const stats = await processor.run()
console.log({ processed: stats.processed, skipped: stats.skipped, failed: stats.failed })
