import { Random } from '../../src/core/random.ts'
import { ChannelConsumerBuilder } from '../../src/processor/channel-consumer.ts'
import { GenericMessage, type Message } from '../../src/processor/message.ts'
import { Pipeline } from '../../src/processor/pipeline.ts'
import { DedupeProcessor } from '../../src/processor/processors/dedupe.ts'
import type { Sink } from '../../src/processor/sink.ts'
import { StreamConfig } from '../../src/processor/stream-config.ts'
import { StreamProcessor } from '../../src/processor/stream-processor.ts'

// node --expose-gc bench/library/memory-slope.ts [MINUTES]: memory of a processor with random failures, MB a minute
// after the first fifth, by least squares.
const minutes = Number(process.argv[2] ?? 10)
const seed = Number(process.argv[3] ?? 1)
const random = new Random(seed)
const sink: Sink = {
  send: async (_message: Message) => {
    if (random.chance(0.001)) throw new Error('refused')
  },
}
const dead: Sink = { send: async () => undefined }
const [consumer, sender] = new ChannelConsumerBuilder().withCapacity(256).build()
const config = new StreamConfig()
  .withBackoff(null)
  .withStatsInterval(null)
  .withFailurePolicy('dead_letter')
  .withDeadLetter(dead)
  .withMaxConsecutiveFailures(null)
const dedupe = new DedupeProcessor({ maxEntries: 10_000, windowMs: 10_000 })
const processor = new StreamProcessor(consumer, new Pipeline(dedupe, sink), config, { logger: () => undefined })
const done = processor.run()

const samples: { readonly minute: number; readonly megabytes: number }[] = []
const started = performance.now()
const elapsed = (): number => (performance.now() - started) / 60_000
let sent = 0
for (let next = 0; elapsed() < minutes; ) {
  for (let i = 0; i < 1000; i++) await sender.send(new GenericMessage(`m${sent++}`, 'payload', 'slope'))
  if (elapsed() < next) continue
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  samples.push({ minute: elapsed(), megabytes: (heapUsed + external) / 2 ** 20 })
  next = elapsed() + minutes / 100
}
await sender.close()
const stats = await done
const late = samples.filter(({ minute }) => minute > minutes / 5)
const meanX = late.reduce((sum, { minute }) => sum + minute, 0) / late.length
const meanY = late.reduce((sum, { megabytes }) => sum + megabytes, 0) / late.length
const covariance = late.reduce((sum, { minute, megabytes }) => sum + (minute - meanX) * (megabytes - meanY), 0)
const variance = late.reduce((sum, { minute }) => sum + (minute - meanX) ** 2, 0)
process.stdout.write(
  `${stats.processed} processed, ${stats.failed} failed in ${minutes} min; memory ${meanY.toFixed(1)} MB, ` +
    `slope ${(covariance / variance).toFixed(3)} MB a minute (bar 1)\n`,
)
