import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { Broadcast } from '../../src/channels/broadcast.ts'
import { channel } from '../../src/channels/channel.ts'
import { SequenceCounter } from '../../src/core/counters.ts'
import { ChannelConsumerBuilder } from '../../src/processor/channel-consumer.ts'
import { GenericMessage } from '../../src/processor/message.ts'
import { Pipeline } from '../../src/processor/pipeline.ts'
import { PassthroughProcessor } from '../../src/processor/processors/passthrough.ts'
import { CollectorSink } from '../../src/processor/sinks/collector.ts'
import { StreamConfig } from '../../src/processor/stream-config.ts'
import { StreamProcessor } from '../../src/processor/stream-processor.ts'
import { MessageId } from '../../src/processor/values.ts'
import type { Comparison } from './pairs-in-process.ts'

/** Items in flight at once. */
const BURST = 1024
const LISTENERS = 8

interface Item {
  readonly value: number
}

const items: readonly Item[] = Array.from({ length: BURST }, (_, value) => ({ value }))

const channelRun = () => {
  const { sender, receiver } = channel<Item>({ capacity: 2048, trackStats: true })
  return (n: number): number => {
    let sum = 0
    for (let done = 0; done < n; done += BURST) {
      for (const item of items) void sender.push(item)
      for (let i = 0; i < BURST; i++) sum += receiver.poll()!.value
    }
    if (receiver.stats().itemsPopped !== sender.stats().itemsPushed) throw new Error('the counts differ')
    return sum
  }
}

const passThroughRun = () => {
  const stream = new PassThrough({ objectMode: true, highWaterMark: 4096 })
  return (n: number): number => {
    let sum = 0
    for (let done = 0; done < n; done += BURST) {
      for (const item of items) stream.write(item)
      for (let i = 0; i < BURST; i++) sum += (stream.read() as Item).value
    }
    return sum
  }
}

const bareRingRun = () => {
  const slots = new Array<Item | undefined>(2048).fill(undefined)
  let head = 0
  let tail = 0
  return (n: number): number => {
    let sum = 0
    for (let done = 0; done < n; done += BURST) {
      for (const item of items) slots[head++ & 2047] = item
      for (let i = 0; i < BURST; i++) {
        const at = tail++ & 2047
        sum += slots[at]!.value
        slots[at] = undefined
      }
    }
    return sum
  }
}

/** `n` counts deliveries. */
const broadcastRun = () => {
  const broadcast = new Broadcast<Item>({ capacity: 1024 })
  const subscribers = Array.from({ length: LISTENERS }, () => broadcast.subscribe())
  return (n: number): number => {
    let sum = 0
    for (let done = 0; done < n; done += BURST * LISTENERS) {
      for (const item of items) void broadcast.broadcast(item)
      for (const subscriber of subscribers) {
        for (let item = subscriber.tryRead(); item !== undefined; item = subscriber.tryRead()) sum += item.value.value
      }
    }
    return sum
  }
}

const emitterRun = () => {
  const emitter = new EventEmitter()
  const queues = Array.from({ length: LISTENERS }, () => [] as Item[])
  for (const queue of queues) {
    emitter.on('item', (item: Item) => {
      if (queue.length < 1024) queue.push(item)
    })
  }
  return (n: number): number => {
    let sum = 0
    for (let done = 0; done < n; done += BURST * LISTENERS) {
      for (const item of items) emitter.emit('item', item)
      for (const queue of queues) {
        for (const item of queue) sum += item.value
        queue.length = 0
      }
    }
    return sum
  }
}

const MESSAGES = 50_000
const messages = Array.from({ length: MESSAGES }, (_, i) => new GenericMessage(`m${i}`, 'payload', 'bench'))

function filled(n: number) {
  const [consumer, sender] = new ChannelConsumerBuilder().withCapacity(n).build()
  for (let i = 0; i < n; i++) sender.trySend(messages[i % MESSAGES]!)
  void sender.close()
  return consumer
}

const processorRun = (n: number) => () => {
  const consumer = filled(n)
  const sink = new CollectorSink({ max: n })
  const config = new StreamConfig().withStatsInterval(null)
  const processor = new StreamProcessor(consumer, new Pipeline(new PassthroughProcessor(), sink), config, {
    logger: () => undefined,
  })
  return async (): Promise<number> => {
    await processor.run()
    return sink.size + Number(consumer.committed)
  }
}

const handWrittenRun = (n: number) => () => {
  const consumer = filled(n)
  const sink = new CollectorSink({ max: n })
  const processor = new PassthroughProcessor()
  return async (): Promise<number> => {
    for (;;) {
      const consumed = await consumer.consume()
      if (consumed === null) break
      const decision = await processor.process()
      if (decision.isProcess()) await sink.send(consumed.message)
      await consumer.commit(consumed.offset!)
    }
    return sink.size + Number(consumer.committed)
  }
}

const texts = Array.from({ length: BURST }, (_, i) => `order-${i}-${(i * 7919) % 104729}`)

const idRun = () => (n: number) => {
  let sum = 0
  for (let done = 0; done < n; done += BURST) for (const text of texts) sum += MessageId.of(text).length
  return sum
}

const PRINTABLE = /^[\x20-\x7e]{1,256}$/

const regexRun = () => (n: number) => {
  let sum = 0
  for (let done = 0; done < n; done += BURST) {
    for (const text of texts) {
      if (!PRINTABLE.test(text)) throw new Error('no id')
      sum += text.slice(0).length
    }
  }
  return sum
}

const counterRun = () => {
  const counter = new SequenceCounter()
  return (n: number): number => {
    for (let i = 0; i < n; i++) counter.increment()
    return Number(counter.value)
  }
}

const countedRun = () => (n: number) => {
  let count = 0
  for (let i = 0; i < n; i++) count++
  return count
}

/** The bars of the library, successes only. */
export const comparisons = (records: number | undefined): readonly Comparison[] => [
  { name: 'channel push and poll ÷ PassThrough', ours: channelRun, peer: passThroughRun, bar: 3, units: 400 * BURST },
  {
    name: 'channel push and poll ÷ bare ring loop',
    ours: channelRun,
    peer: bareRingRun,
    bar: 0.25,
    units: 4000 * BURST,
  },
  {
    name: 'broadcast to 8, a delivery ÷ EventEmitter with bounded arrays',
    ours: broadcastRun,
    peer: emitterRun,
    bar: 1,
    units: 200 * BURST * LISTENERS,
  },
  {
    name: 'StreamProcessor ÷ the hand-written loop with the same four awaits',
    ours: processorRun(records ?? 200_000),
    peer: handWrittenRun(records ?? 200_000),
    bar: 0.6,
    units: 200_000,
  },
  { name: 'MessageId.of ÷ a regex test and slice', ours: idRun, peer: regexRun, bar: 0.3, units: 2000 * BURST },
  {
    name: 'SequenceCounter.increment ÷ an empty counted loop',
    ours: counterRun,
    peer: countedRun,
    bar: 1 / 3,
    units: 50_000_000,
  },
]
