import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { SequenceCounter, WatermarkCell } from '../core/counters.ts'
import { StreamCheckpointConfig } from './config.ts'
import { CheckpointError } from './error.ts'
import { StreamCheckpointManager } from './manager.ts'
import { MemoryStore } from './memory-store.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-manager-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const kindOf = async (task: () => unknown): Promise<string | undefined> => {
  try {
    await task()
  } catch (error) {
    return error instanceof CheckpointError ? error.kind : String(error)
  }
  return undefined
}

interface Registered {
  readonly sequence: SequenceCounter
  readonly watermark: WatermarkCell
  state: Uint8Array
}

function register(manager: StreamCheckpointManager): Registered {
  const registered: Registered = {
    sequence: new SequenceCounter(),
    watermark: new WatermarkCell(),
    state: new Uint8Array(0),
  }
  manager.registerSource('src', registered.sequence, registered.watermark)
  manager.registerSink('sink', 0n)
  manager.registerOperator(
    'op',
    () => registered.state,
    (bytes) => {
      registered.state = bytes
    },
  )
  return registered
}

test('the default configuration is on, manual and in memory', async () => {
  const manager = new StreamCheckpointManager()
  expect([manager.isEnabled(), manager.epoch(), manager.lastCheckpointId()]).toEqual([true, 0n, undefined])
  const live = register(manager)
  live.sequence.add(7)
  expect([manager.trigger(), manager.epoch(), manager.lastCheckpointId()]).toEqual([1n, 1n, 1n])
  expect(manager.restore().sourceSequences.get('src')).toBe(7n)
  expect(await kindOf(() => manager.persist())).toBe('DataDirRequired')
  expect(await kindOf(() => manager.load())).toBe('DataDirRequired')
  expect(await kindOf(() => manager.restore(9n))).toBe('NoCheckpoint')
  await manager.close()
})

test('a manager that is off does nothing and says why', async () => {
  const invalid = new StreamCheckpointManager(new StreamCheckpointConfig({ intervalMs: 0 }))
  expect(invalid.disabledReason()?.message).toBe('invalid checkpoint config: interval_ms must be > 0')
  for (const manager of [invalid, StreamCheckpointManager.disabled()]) {
    expect([manager.isEnabled(), manager.trigger(), manager.changelog()]).toEqual([false, undefined, undefined])
    const calls = ['checkpoint', 'restore', 'applyRestore', 'persist', 'load', 'prune'] as const
    for (const call of calls) expect(await kindOf(() => manager[call]())).toBe('Disabled')
    expect(await kindOf(() => manager.syncWal())).toBe('WalRequiresCheckpoint')
    await manager.open()
    await manager.close()
  }
})

test('what is captured does not follow what goes on', () => {
  const manager = new StreamCheckpointManager()
  const live = register(manager)
  live.state = new Uint8Array([1])
  manager.trigger()
  live.state[0] = 9
  live.sequence.increment()
  const { operatorStates, sourceSequences } = manager.restore()
  expect([operatorStates.get('op')![0], sourceSequences.get('src')]).toEqual([1, 0n])
})

test('another process takes up counters, watermarks, positions and states; ids and epochs go on', async () => {
  const config = new StreamCheckpointConfig({ dataDir: folder })
  const first = new StreamCheckpointManager(config)
  await first.open()
  const live = register(first)
  live.sequence.set(2n ** 64n - 1n)
  live.watermark.advance(-5n)
  live.state = new Uint8Array([1, 2, 3])
  first.updateSink('sink', 40n)
  expect(await first.checkpoint()).toBe(1n)
  await first.close()
  const second = new StreamCheckpointManager(config)
  await second.open()
  const fresh = register(second)
  second.applyRestore()
  expect([fresh.sequence.value, fresh.watermark.value, [...fresh.state]]).toEqual([2n ** 64n - 1n, -5n, [1, 2, 3]])
  expect([await second.checkpoint(), second.epoch()]).toEqual([2n, 2n])
  expect(second.restore().sinkPositions.get('sink')).toBe(40n)
  await second.close()
})

test('a stored name without a registration is refused before anything moves, unless allowed', async () => {
  const config = new StreamCheckpointConfig({ dataDir: folder })
  const first = new StreamCheckpointManager(config)
  register(first).sequence.add(3)
  first.registerSource('gone', new SequenceCounter(1n), new WatermarkCell())
  await first.checkpoint()
  const second = new StreamCheckpointManager(config)
  await second.open()
  const live = register(second)
  expect(() => second.applyRestore()).toThrow("checkpoint I/O error: source 'gone' of the checkpoint is not registered")
  expect(live.sequence.value).toBe(0n)
  second.applyRestore(undefined, { allowUnused: true })
  expect(live.sequence.value).toBe(3n)
})

test('the newest beyond max_retained stay, never fewer than the latest', async () => {
  const manager = new StreamCheckpointManager(new StreamCheckpointConfig({ maxRetained: 2 }))
  for (let i = 0; i < 5; i++) manager.trigger()
  expect([1n, 2n, 3n, 4n, 5n].map((id) => manager.getCheckpoint(id)?.epoch)).toEqual([
    undefined,
    undefined,
    undefined,
    4n,
    5n,
  ])
  expect(await manager.prune(0)).toEqual([4n])
  expect(manager.lastCheckpointId()).toBe(5n)
})

test('a failed persist leaves the list, and neither its id nor its epoch is used again', async () => {
  const store = new MemoryStore()
  const create = store.create.bind(store)
  store.create = async (...args) => {
    if (args[0] === 2n) throw new CheckpointError('IoError', 'no')
    await create(...args)
  }
  const manager = new StreamCheckpointManager(new StreamCheckpointConfig(), { store })
  await manager.open()
  expect(await manager.checkpoint()).toBe(1n)
  expect(await kindOf(() => manager.checkpoint())).toBe('IoError')
  expect([manager.getCheckpoint(2n), manager.failures]).toEqual([undefined, 1])
  expect([await manager.checkpoint(), manager.epoch()]).toEqual([3n, 3n])
  expect(manager.restore().id).toBe(3n)
})

test('a store that does not answer is a timeout', async () => {
  const clock = new ManualClock()
  const store = new MemoryStore()
  store.create = () => new Promise(() => {})
  const manager = new StreamCheckpointManager(new StreamCheckpointConfig({ persistTimeoutMs: 50 }), { clock, store })
  const taken = kindOf(() => manager.checkpoint())
  clock.advance(50)
  expect(await taken).toBe('Timeout')
})

test('the timer takes a checkpoint at every step of the clock, until it is closed', async () => {
  const clock = new ManualClock()
  const manager = new StreamCheckpointManager(new StreamCheckpointConfig({ intervalMs: 100 }), { clock })
  await manager.open()
  for (let i = 1; i <= 3; i++) {
    clock.advance(100)
    await new Promise(setImmediate)
    expect(manager.epoch()).toBe(BigInt(i))
  }
  await manager.close()
  clock.advance(1000)
  await new Promise(setImmediate)
  expect(manager.epoch()).toBe(3n)
})

test('with a claim the one before is fenced', async () => {
  const config = new StreamCheckpointConfig({ dataDir: folder })
  const first = new StreamCheckpointManager(config)
  await first.open({ claim: true })
  await first.checkpoint()
  const second = new StreamCheckpointManager(config)
  await second.open({ claim: true })
  const error = await first.checkpoint().catch((cause: unknown) => cause)
  expect(error).toMatchObject({ kind: 'IoError', class: 'fenced', detail: 'fenced by a newer instance (checkpoint 3)' })
  expect(await second.checkpoint()).toBe(4n)
  await first.close()
  await second.close()
})

test('only unusable snapshots are an error, never an empty start', async () => {
  const config = new StreamCheckpointConfig({ dataDir: folder })
  const first = new StreamCheckpointManager(config)
  await first.checkpoint()
  await first.close()
  const file = readdirSync(join(folder, 'checkpoints')).find((name) => name.endsWith('.ckpt'))!
  writeFileSync(join(folder, 'checkpoints', file), 'x')
  const second = new StreamCheckpointManager(config)
  expect(await kindOf(() => second.open())).toBe('IoError')
})

test('tells a logger and counters of what happens', async () => {
  const clock = new ManualClock()
  const counts = new Map<string, number>()
  const lines: string[] = []
  const metrics = {
    counter: (name: string, labels: Readonly<Record<string, string>>) => ({
      add: (amount: number) => {
        const key = [name, ...Object.values(labels)].join(' ')
        counts.set(key, (counts.get(key) ?? 0) + amount)
      },
    }),
  }
  const store = new MemoryStore()
  const config = new StreamCheckpointConfig({ maxCheckpointBytes: 50 })
  const manager = new StreamCheckpointManager(config, {
    clock,
    store,
    metrics,
    logger: (level, message) => lines.push(`${level} ${message}`),
  })
  await manager.open()
  await manager.checkpoint()
  store.create = () => Promise.reject(new CheckpointError('IoError', 'full'))
  await expect(manager.checkpoint()).rejects.toThrow('full')
  await manager.close()
  expect(manager.failures).toBe(1)
  expect([...counts]).toEqual([
    ['headrace_checkpoints_total ok', 1],
    ['headrace_checkpoints_total failed', 1],
    ['headrace_checkpoint_failures_total persist', 1],
  ])
  expect(lines).toEqual([
    'warn a checkpoint is near its largest size',
    'warn a checkpoint is near its largest size',
    'warn a checkpoint was not stored',
  ])
})

test('in memory the interval runs from the construction, without open', async () => {
  const clock = new ManualClock()
  const manager = new StreamCheckpointManager(new StreamCheckpointConfig({ intervalMs: 100 }), { clock })
  for (let tick = 1; tick <= 3; tick++) {
    clock.advance(100)
    // The tick ends, and the next one is waited for.
    await new Promise(setImmediate)
    expect(manager.lastCheckpointId()).toBe(BigInt(tick))
  }
  await manager.close()
})
