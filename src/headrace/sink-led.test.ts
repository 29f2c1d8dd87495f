import { expect, test } from 'vitest'
import { MemoryStore } from '../checkpoint/memory-store.ts'
import { channelOf } from '../connectors/memory/client.ts'
import type { MemoryOptions } from '../connectors/memory/options.ts'
import { ManualClock } from '../core/clock.ts'
import { freshSeed, Random } from '../core/random.ts'
import { schema, types } from '../core/types.ts'
import { DeadLetters } from './dead-letters.ts'
import { Crash } from './dlq/testing.ts'
import { checkpointSettings } from './durable/settings.ts'
import { startDurable } from './durable/start.ts'
import { Engine } from './engine.ts'
import { guarantees } from './guarantee.ts'
import { Pipeline } from './pipeline.ts'
import { regimeOf } from './regime.ts'
import { compileScript } from './script.ts'

const ROWS = 80
const ROUNDS = 24
const options: MemoryOptions = { capacity: 1 << 12, overflow: 'block', retain: 'all' } as MemoryOptions
const QUERY =
  "CREATE STREAM s (id BIGINT) FROM 'memory://in'; INSERT INTO 'memory://out' SELECT id FROM s WHERE id % 4 <> 3;"
const LED = `SET dlq.enabled = false; SET checkpoint.interval = '1s'; ${QUERY}`

const planOf = async (engine: Engine, text: string) => {
  const script = { file: 'x', text, baseDirectory: '.', name: 'p', parameters: new Map() }
  return (await compileScript(engine, script)).plan
}

/** One instance whose channels outlive the runs of its pipeline. */
class Instance {
  readonly clock = new ManualClock()
  readonly engine = new Engine({ clock: this.clock, batchRows: 3 })
  readonly store = new MemoryStore()
  readonly diary: string[] = []

  async fill(): Promise<void> {
    const channel = channelOf(this.engine.shared, 'in', options)
    channel.schema = schema([{ name: 'id', type: types.bigint, nullable: true }])
    await channel.ring.push(Array.from({ length: ROWS }, (_, id) => ({ values: [id], change: 0 }) as never))
    channel.ring.close()
    // What is written is all kept.
    channelOf(this.engine.shared, 'out', options)
  }

  async run(text: string, fault: { readonly items: number; readonly phase: string; readonly times: number }) {
    const { engine, clock, diary } = this
    const plan = await planOf(engine, text)
    const pipeline = new Pipeline(engine, {
      plan,
      baseDirectory: '.',
      deadLetters: new DeadLetters(() => undefined),
      client: () => {
        throw new Error('no rows for the client')
      },
    })
    let { items, times } = fault
    const durable = await startDurable(
      engine,
      { ...pipeline.facts, pipeline: 'p' },
      checkpointSettings(plan),
      {
        at: this.store,
        allowDroppedState: false,
        takeover: false,
        afterItem: async () => {
          clock.advance(1000)
          await new Promise(setImmediate)
          if (--items === 0) throw new Crash()
        },
        onPhase: (phase, epoch) => {
          diary.push(`${phase} ${epoch}`)
          if (phase === fault.phase && --times === 0) throw new Crash()
        },
      },
      new AbortController().signal,
    )
    try {
      return await pipeline.run(new AbortController().signal, durable)
    } finally {
      await durable.close()
    }
  }

  written(): unknown[] {
    const { ring } = channelOf(this.engine.shared, 'out')
    return ring.slice(1, ROWS + 1).map(({ values }) => values[0])
  }
}

const expected = Array.from({ length: ROWS }, (_, id) => id).filter((id) => id % 4 !== 3)

test('whatever crashes, the offsets that the sink holds are gone on from: every row once and in order', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  let crashes = 0
  let behind = 0
  for (let round = 0; round < ROUNDS; round++) {
    const instance = new Instance()
    await instance.fill()
    for (let left = 3; ; left--) {
      const phase = random.pick(['begin', 'align', 'prepare', 'commit', 'ack', 'persist', 'mark', ''])
      const fault = {
        items: left > 0 ? random.between(1, 20) : -1,
        phase: left > 0 ? phase : '',
        times: random.between(1, 6),
      }
      try {
        const digest = await instance.run(LED, fault)
        expect([digest.complete, digest.rowsIn, digest.rowsOut[0]!.rows]).toEqual([true, ROWS, expected.length])
        break
      } catch (error) {
        const cause = (error as { cause?: unknown }).cause ?? error
        if (!(cause instanceof Crash)) throw error
        crashes++
        // The last epoch is marked: the run is complete, and the next one would be another (rulings 7).
        if (/mark (\d+), ack \1$/.test(instance.diary.join(', '))) break
      }
    }
    const note = `seed ${seed}, round ${round}: ${instance.diary.join(', ')}`
    expect(instance.written(), note).toEqual(expected)
    if (instance.diary.filter((act) => act.startsWith('commit')).length > 5) behind++
  }
  expect([crashes > ROUNDS, behind > ROUNDS / 3], `seed ${seed}: ${crashes}, ${behind}`).toEqual([true, true])
})

test('checkpoints of the clock leave no snapshot; the last one does', async () => {
  const instance = new Instance()
  await instance.fill()
  await instance.run(LED, { items: -1, phase: '', times: 0 })
  const acts = (name: string): number => instance.diary.filter((act) => act.startsWith(name)).length
  expect(acts('commit')).toBeGreaterThan(5)
  expect([acts('persist'), acts('mark'), acts('prune')]).toEqual([1, 1, 1])
})

test('the regime is chosen by the plan, printed, and can be forced', async () => {
  const engine = new Engine({})
  channelOf(engine.shared, 'in', options).schema = schema([{ name: 'id', type: types.bigint, nullable: true }])
  const regime = async (text: string) => regimeOf(await planOf(engine, text))
  expect(await regime(LED)).toBe('sink-led')
  expect(guarantees(await planOf(engine, LED), '.')[0]).toMatchObject({ level: 'exactly_once', regime: 'sink-led' })
  expect(await regime(`SET commit_regime = 'checkpoint'; ${LED}`)).toBe('checkpoint-led')
  // Its dead letters would be committed beside the rows.
  expect(await regime(QUERY)).toBe('checkpoint-led')
  expect(await regime(LED.replace('SELECT id', 'SELECT DISTINCT id'))).toBe('checkpoint-led')
  expect(await regime(LED.replace("'memory://in'", "'memory://in?max_records=5'"))).toBe('checkpoint-led')
  expect(await regime(LED.replace("'memory://out'", "'out/'"))).toBe('checkpoint-led')
  expect(await regime(LED.replace("'memory://in'", "'file:*.jsonl?watch=true'"))).toBe('checkpoint-led')
  await expect(regime(`SET commit_regime = 'sink'; ${LED}`)).rejects.toMatchObject({ code: 'connector_option_invalid' })
})

test('a channel that is closed ends the run: it takes nothing again', async () => {
  const instance = new Instance()
  await instance.fill()
  channelOf(instance.engine.shared, 'out').ring.close()
  const run = instance.run(LED, { items: -1, phase: '', times: 0 })
  await expect(run).rejects.toMatchObject({ code: 'streaming_channel_closed' })
})
