import { expect, test } from 'vitest'
import { CheckpointError } from '../checkpoint/error.ts'
import { MemoryStore } from '../checkpoint/memory-store.ts'
import type { Sink } from '../connectors/contract.ts'
import { channelOf } from '../connectors/memory/client.ts'
import type { MemoryOptions } from '../connectors/memory/options.ts'
import { ManualClock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { freshSeed, Random } from '../core/random.ts'
import { rowAt } from '../core/row-batch.ts'
import { schema, types } from '../core/types.ts'
import { EpochAborted } from '../runtime/delivery/cycle.ts'
import { DeadLetters } from './dead-letters.ts'
import { checkpointSettings } from './durable/settings.ts'
import { startDurable } from './durable/start.ts'
import { Engine } from './engine.ts'
import { Pipeline } from './pipeline.ts'
import { compileScript } from './script.ts'

const ROWS = 60
const ROUNDS = Number(process.env['HEADRACE_FAULT_ROUNDS'] ?? 60)
const phases = ['write', 'prepare', 'persist', 'commit', 'mark'] as const
type Phase = (typeof phases)[number]

/** What a reader of the target sees, and everything that was called, in order. */
class Target {
  readonly rows: number[] = []
  readonly diary: string[] = []
  readonly #staged = new Map<bigint, readonly number[]>()
  #open: number[] = []
  #epoch = 0n
  readonly #fails: (phase: Phase) => boolean

  constructor(fails: (phase: Phase) => boolean) {
    this.#fails = fails
  }

  sink(): Sink {
    this.#open = []
    const note = (phase: Phase, what: string): void => {
      this.diary.push(what)
      if (this.#fails(phase)) throw new HeadraceError('connector_unreachable', `${what} failed`)
    }
    return {
      write: async (batch) => {
        note('write', 'write')
        for (let row = 0; row < batch.rows; row++) this.#open.push(rowAt(batch, row).values[0] as number)
        return []
      },
      flush: async () => [],
      prepare: async (epoch) => {
        const rows = this.#open
        this.#open = []
        note('prepare', `prepare ${epoch}`)
        this.#staged.set(epoch, rows)
        return new Uint8Array(0)
      },
      commit: async (epoch) => {
        note('commit', `commit ${epoch}`)
        if (this.#epoch >= epoch) return []
        this.rows.push(...this.#staged.get(epoch)!)
        this.#epoch = epoch
        return []
      },
      abort: async (epoch) => {
        this.diary.push(`abort ${epoch}`)
        this.#staged.delete(epoch)
      },
      ledger: async (incarnation) => ({ epoch: this.#epoch, incarnation }),
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
}

/** A store that fails before or behind the effect of `create`, and at `markDone`. */
class FailingStore extends MemoryStore {
  readonly #fails: (phase: Phase) => boolean
  readonly #target: Target
  readonly #random: Random

  constructor(fails: (phase: Phase) => boolean, target: Target, random: Random) {
    super()
    this.#fails = fails
    this.#target = target
    this.#random = random
  }

  override async create(...args: Parameters<MemoryStore['create']>): Promise<void> {
    const isClaim = args[2].incarnation > this.#claimed
    if (isClaim) {
      this.#claimed = args[2].incarnation
      return await super.create(...args)
    }
    this.#target.diary.push(`persist ${args[0]}`)
    if (!this.#fails('persist')) return await super.create(...args)
    if (this.#random.chance(0.5)) throw new CheckpointError('IoError', 'refused', { outcome: 'absent' })
    await super.create(...args)
    throw new CheckpointError('IoError', 'no answer', { outcome: 'unknown', like: 'connector_commit_ambiguous' })
  }

  override async markDone(id: bigint): Promise<void> {
    this.#target.diary.push(`mark ${id}`)
    if (this.#fails('mark')) throw new CheckpointError('IoError', 'no mark')
    await super.markDone(id)
  }

  #claimed = 0n
}

const options: MemoryOptions = { capacity: 1 << 12, overflow: 'block', retain: 'all' } as MemoryOptions

/** Runs a pipeline from a channel into the target, again and again, until it has ended. */
async function runAll(target: Target, store: MemoryStore): Promise<number> {
  const clock = new ManualClock()
  const engine = new Engine({ clock, batchRows: 3 })
  const text = "CREATE STREAM s (id BIGINT) FROM 'memory://in'; SELECT id FROM s;"
  const { plan } = await compileScript(engine, {
    file: 'x',
    text,
    baseDirectory: '.',
    name: 'p',
    parameters: new Map(),
  })
  const channel = channelOf(engine.shared, 'in', options)
  channel.schema = schema([{ name: 'id', type: types.bigint, nullable: true }])
  await channel.ring.push(Array.from({ length: ROWS }, (_, id) => ({ values: [id], change: 0 }) as never))
  channel.ring.close()
  const settings = checkpointSettings({ settings: new Map([['checkpoint.interval', 'off']]) })
  const signal = new AbortController().signal
  for (let runs = 1; ; runs++) {
    const pipeline = new Pipeline(engine, {
      plan,
      baseDirectory: '.',
      deadLetters: new DeadLetters(() => undefined),
      client: () => target.sink(),
    })
    // Asked for, not awaited: rows flow meanwhile, and a step may fail while it waits for its turn.
    const afterItem = async (take: () => Promise<unknown>): Promise<void> => void take().catch(() => undefined)
    const durableOptions = { at: store, allowDroppedState: false, takeover: false, afterItem }
    const durable = await startDurable(engine, { ...pipeline.facts, pipeline: 'p' }, settings, durableOptions, signal)
    let ticking = true
    const tick = (): void => {
      clock.advance(1000)
      if (ticking) setImmediate(tick)
    }
    tick()
    try {
      await pipeline.run(signal, durable)
      return runs
    } catch (error) {
      const cause = error instanceof EpochAborted ? error.cause : error
      if (!(cause instanceof HeadraceError) || cause.code === 'internal_assertion') throw error
    } finally {
      ticking = false
      await durable.close()
    }
  }
}

const all = Array.from({ length: ROWS }, (_, id) => id)

test('whatever phase fails, before or behind its effect, every row arrives once and in order', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const hits = new Map<Phase, number>(phases.map((phase) => [phase, 0]))
  for (let round = 0; round < ROUNDS; round++) {
    let left = 5
    const fails = (phase: Phase): boolean => {
      if (left === 0 || !random.chance(0.2)) return false
      left--
      hits.set(phase, hits.get(phase)! + 1)
      return true
    }
    const target = new Target(fails)
    await runAll(target, new FailingStore(fails, target, random))
    expect(target.rows, `seed ${seed}, round ${round}: ${target.diary.join(', ')}`).toEqual(all)
  }
  for (const [phase, count] of hits) expect(count, `seed ${seed}: ${phase}`).toBeGreaterThan(5)
})

test('the acts come in their order, and nothing is aborted that may be stored', async () => {
  let unknown = true
  const target = new Target(() => false)
  const store = new (class extends FailingStore {
    override async create(...args: Parameters<MemoryStore['create']>): Promise<void> {
      await super.create(...args)
      if (args[0] !== 2n || !unknown) return
      unknown = false
      throw new CheckpointError('IoError', 'no answer', { outcome: 'unknown', like: 'connector_commit_ambiguous' })
    }
  })(() => false, target, new Random(1))
  await runAll(target, store)
  expect(target.rows).toEqual(all)
  const acts = target.diary.filter((act) => act !== 'write')
  expect(acts.slice(0, 5)).toEqual(['prepare 1', 'persist 2', 'commit 1', 'mark 2', 'prepare 2'])
  expect(acts.filter((act) => act.startsWith('abort'))).toEqual([])
})

test('rows whose write fails do not count as delivered by a checkpoint that waits behind them', async () => {
  let writes = 0
  const target = new Target((phase) => phase === 'write' && ++writes === 4)
  await runAll(target, new MemoryStore())
  expect(target.rows).toEqual(all)
})
