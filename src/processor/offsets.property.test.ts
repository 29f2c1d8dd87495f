import { ok, deepStrictEqual as same } from 'node:assert/strict'
import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { checkProperty, type Property, propertyForm, settle, smallestCount } from '../testkit/properties.ts'
import { type CommitMode, ConsumedMessage, type StreamConsumer } from './consumer.ts'
import { ProcessingDecision, SkipReason } from './decision.ts'
import { StreamError } from './errors.ts'
import { GenericMessage, type Message } from './message.ts'
import { Pipeline } from './pipeline.ts'
import type { Sink } from './sink.ts'
import { type FailurePolicy, StreamConfig } from './stream-config.ts'
import { StreamProcessor } from './stream-processor.ts'
import { silent } from './testing.ts'

const PARTITIONS = 3
const MESSAGES = 40

const KINDS = {
  process: 40,
  skip: 10,
  failProcessor: 5,
  failSink: 5,
  failConsume: 3,
  failCommit: 6,
  failFlush: 4,
  failDeadLetter: 3,
  commit: 3,
  workDuringCommit: 4,
  crash: 3,
  run: 3,
} as const
type Kind = keyof typeof KINDS

interface Command {
  readonly do: Kind
  /** Which partition, or how many messages. */
  readonly n: number
  /** Of a run, and of work beside a commit: what happens to its messages, one after the other. */
  readonly script: readonly Kind[]
}

const POLICIES = [
  'cumulative hold',
  'individual hold',
  'cumulative retry',
  'cumulative dead_letter',
  'cumulative hold buffered',
  'individual hold buffered',
  'individual dead_letter buffered',
] as const

/** What survives a crash: the log of messages, the commits, and what the sinks have made safe. */
class World {
  readonly mode: CommitMode
  readonly buffered: boolean
  readonly policy: FailurePolicy
  readonly commitEvery: number
  /** Committed up to here (cumulative), by partition. */
  readonly upTo = new Array<number>(PARTITIONS).fill(-1)
  /** Committed one by one. */
  readonly single = new Set<string>()
  readonly safe = new Set<string>()
  readonly skipped = new Set<string>()
  /** Sent to a buffered sink and not flushed: lost by a crash. */
  unsafe: string[] = []
  /** What happens to the next message, call or commit. */
  outcome: Kind = 'process'
  script: Kind[] = []
  limit = Number.POSITIVE_INFINITY
  partition = 0
  /** Flushes and commits go on when it is open. */
  gate: PromiseWithResolvers<void> | undefined

  constructor(policy: string, commitEvery: number) {
    const [mode, failure, buffered] = policy.split(' ')
    this.mode = mode as CommitMode
    this.policy = failure as FailurePolicy
    this.buffered = buffered === 'buffered'
    this.commitEvery = commitEvery
  }

  fails(kind: Kind): void {
    if (this.outcome === kind) throw new Error(kind)
  }

  /** Messages that are committed, and those that were when the processor was started. */
  get committed(): number {
    return this.upTo.reduce((sum, offset) => sum + offset + 1, this.single.size)
  }

  startedWith = 0

  isCommitted(partition: number, offset: number): boolean {
    return offset <= this.upTo[partition]! || this.single.has(`${partition}:${offset}`)
  }

  /** No committed offset covers a message that is not done. */
  check(): void {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let offset = 0; offset < MESSAGES; offset++) {
        const id = `${partition}:${offset}`
        if (!this.isCommitted(partition, offset)) continue
        ok(this.safe.has(id) || this.skipped.has(id), `${id} is committed and not done`)
      }
    }
  }
}

class WorldConsumer implements StreamConsumer {
  readonly commitMode: CommitMode
  readonly #world: World
  /** The next offset of each partition, after a start what is not committed. */
  readonly #next: number[]

  constructor(world: World) {
    this.#world = world
    this.commitMode = world.mode
    this.#next = world.upTo.map((offset) => offset + 1)
  }

  async consume(): Promise<ConsumedMessage | null> {
    const world = this.#world
    world.outcome = world.script.shift() ?? world.outcome
    if (world.outcome === 'failConsume') {
      world.outcome = 'process'
      throw new Error('failConsume')
    }
    if (world.limit-- <= 0) return null
    for (let tried = 0; tried < PARTITIONS; tried++) {
      const partition = (world.partition + tried) % PARTITIONS
      while (this.#next[partition]! < MESSAGES && world.isCommitted(partition, this.#next[partition]!))
        this.#next[partition]!++
      const offset = this.#next[partition]!
      if (offset >= MESSAGES) continue
      this.#next[partition] = offset + 1
      world.partition = partition + 1
      const message = new GenericMessage(`${partition}:${offset}`, '', 'world')
      return ConsumedMessage.withOffset(message, String(offset), String(partition))
    }
    return null
  }

  async commit(offset: string, partition?: string): Promise<void> {
    await this.#world.gate?.promise
    this.#world.fails('failCommit')
    const [at, to] = [Number(partition), Number(offset)]
    if (this.#world.mode === 'individual') this.#world.single.add(`${at}:${to}`)
    else {
      ok(to > this.#world.upTo[at]!, 'a commit went back')
      this.#world.upTo[at] = to
    }
  }

  async close(): Promise<void> {}

  sourceName(): string {
    return 'world'
  }
}

class WorldSink implements Sink {
  readonly #world: World
  readonly buffered: boolean = false

  constructor(world: World) {
    this.#world = world
  }

  async send({ id }: Message): Promise<void> {
    this.#world.fails('failSink')
    if (this.buffered) this.#world.unsafe.push(id)
    else this.#world.safe.add(id)
  }
}

class BufferedWorldSink extends WorldSink {
  override readonly buffered = true
  readonly #world: World

  constructor(world: World) {
    super(world)
    this.#world = world
  }

  /** Covers what was sent before it was called. */
  async flush(): Promise<void> {
    const count = this.#world.unsafe.length
    await this.#world.gate?.promise
    this.#world.fails('failFlush')
    for (const id of this.#world.unsafe.splice(0, count)) this.#world.safe.add(id)
  }
}

function start(world: World): StreamProcessor {
  const processor = {
    process({ id }: Message): ProcessingDecision {
      world.fails('failProcessor')
      world.fails('failDeadLetter')
      if (world.outcome !== 'skip') return ProcessingDecision.process
      world.skipped.add(id)
      return ProcessingDecision.skip(SkipReason.duplicate)
    },
  }
  const deadLetter: Sink = {
    send: async ({ id }) => {
      world.fails('failDeadLetter')
      world.safe.add(id)
    },
  }
  const sink = world.buffered ? new BufferedWorldSink(world) : new WorldSink(world)
  world.startedWith = world.committed
  const config = new StreamConfig()
    .withBackoff(null)
    .withStatsInterval(null)
    .withMaxConsecutiveFailures(null)
    .withFailurePolicy(world.policy)
    .withMaxRetries(1)
    .withCommitEvery(world.commitEvery)
    .withDeadLetter(world.policy === 'dead_letter' ? deadLetter : null)
  return new StreamProcessor(new WorldConsumer(world), new Pipeline(processor, sink), config, {
    logger: silent,
    clock: new ManualClock(),
  })
}

function draw(random: Random): Command {
  const kinds = Object.entries(KINDS) as [Kind, number][]
  let at = random.float() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
  const kind = kinds.find(([, weight]) => (at -= weight) < 0)?.[0] ?? 'process'
  const n = random.below(12)
  return {
    do: kind,
    n,
    script: kind === 'run' || kind === 'workDuringCommit' ? Array.from({ length: n }, () => random.pick(IN_RUNS)) : [],
  }
}

/** What may happen inside a run: mostly nothing. */
const IN_RUNS: readonly Kind[] = [
  ...new Array<Kind>(6).fill('process'),
  'skip',
  'failProcessor',
  'failSink',
  'failConsume',
  'failCommit',
  'failFlush',
  'failDeadLetter',
]

const property: Property<Command> = {
  name: 'stream processor',
  policies: POLICIES,
  draw,
  nameOf: (command) => command.do,
  async run(commands, policy, count) {
    const world = new World(policy, [1, 1, 3, 7][(commands[0]?.n ?? 0) % 4]!)
    let processor = start(world)
    const restart = (): void => {
      world.unsafe = []
      processor = start(world)
    }
    for (const command of commands) {
      count(command.do)
      world.partition = command.n
      world.outcome = command.do
      world.limit = Number.POSITIVE_INFINITY
      const before = processor.stats().toJSON()
      switch (command.do) {
        case 'crash':
          restart()
          break
        case 'run':
          world.outcome = 'process'
          world.script = [...command.script]
          world.limit = command.n
          await settled(processor.run())
          world.script = []
          sums(processor, world)
          world.check()
          restart()
          continue
        case 'commit':
          await processor.commit()
          break
        case 'workDuringCommit': {
          world.outcome = 'process'
          world.gate = Promise.withResolvers()
          const committing = settled(processor.commit())
          await settle()
          world.script = [...command.script]
          const working = (async () => {
            for (let i = 0; i < command.n; i++) await settled(processor.processOne())
          })()
          await settle()
          world.gate.resolve()
          world.gate = undefined
          await Promise.all([committing, working])
          world.script = []
          world.check()
          sums(processor, world)
          continue
        }
        default:
          await settled(processor.processOne())
      }
      world.check()
      sums(processor, world)
      ok(processor.stats().consumed <= before.consumed + 1)
    }
    // In the end nothing fails any more: after a restart all that is left is done, and committed.
    world.outcome = 'process'
    world.limit = Number.POSITIVE_INFINITY
    restart()
    await processor.run()
    world.check()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let offset = 0; offset < MESSAGES; offset++)
        ok(world.isCommitted(partition, offset), `${partition}:${offset}`)
    }
  },
}

/** Resolves when it has succeeded, or failed with an error of the processor. */
async function settled(task: Promise<unknown>): Promise<void> {
  try {
    await task
  } catch (error) {
    ok(error instanceof StreamError, String(error))
  }
}

function sums(processor: StreamProcessor, world: World): void {
  const { consumed, processed, skipped, failed, committed, heldCommits } = processor.stats()
  same(consumed, processed + skipped + failed)
  ok(committed + heldCommits <= consumed)
  same(committed, world.committed - world.startedWith)
}

test('no committed offset ever passes a message that is not done', async () => {
  const form = propertyForm(21)
  const table = await checkProperty(property, form)
  console.info(table)
  if (form.seeds >= 1000) expect(smallestCount(table)).toBeGreaterThanOrEqual(100)
}, 900_000)
