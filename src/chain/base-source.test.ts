import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { Random } from '../core/random.ts'
import { ChainModel } from '../testkit/chain-model.ts'
import {
  BaseBatchSource,
  Batch,
  type BatchItem,
  type BatchSourceOptions,
  batchStream,
  ChainMetrics,
  Checkpoint,
  DatastreamError,
  type FinalityTag,
  MemoryBatchSource,
  MemoryCheckpointStorage,
  type Rollback,
  runIngest,
} from './chain.ts'

const model = (count: number): ChainModel => {
  const chain = new ChainModel(new Random(7))
  chain.grow(count)
  return chain
}

/** Answers from a list of batches that the test changes. */
class Listed extends BaseBatchSource {
  batches: readonly Batch[]
  asked: (bigint | undefined)[] = []
  page = 20

  constructor(batches: readonly Batch[], options: BatchSourceOptions = {}) {
    super(options)
    this.batches = batches
  }

  protected async fetch(from: bigint | undefined): Promise<readonly Batch[]> {
    this.asked.push(from)
    return this.batches.filter(({ id }) => from === undefined || id.number >= from).slice(0, this.page)
  }
}

const numbers = async (source: BaseBatchSource, most: number): Promise<number[]> => {
  const found: number[] = []
  for (let batch = await source.next(); batch !== null && found.length < most; batch = await source.next()) {
    found.push(Number(batch.id.number))
    if (found.length === most) break
  }
  return found
}

const kindOf = async (task: Promise<unknown>): Promise<string> =>
  await task.then(
    () => 'none',
    (error: unknown) => (error instanceof DatastreamError ? `${error.kind}: ${error.message}` : String(error)),
  )

test('batches come in order of their numbers, each once, whatever order an answer has', async () => {
  const { batches } = model(5)
  const source = new Listed([batches[2]!, batches[0]!, batches[1]!, batches[1]!, batches[4]!, batches[3]!])
  expect(await numbers(source, 9)).toEqual([1, 2, 3, 4, 5])
  expect(await source.next()).toBeNull()
})

test('a batch is processed when the next one is asked for, or acknowledged', async () => {
  const { batches } = model(3)
  const source = new Listed(batches)
  await expect(source.checkpoint()).rejects.toThrow('Checkpoint error: none available')
  await source.next()
  await expect(source.checkpoint()).rejects.toThrow('none available')
  const second = await source.next()
  expect((await source.checkpoint()).lastBatchId).toBe(1n)
  await source.ack(second!)
  const checkpoint = await source.checkpoint()
  expect(checkpoint.lastBatchId).toBe(2n)
  const last = second!.blocks.at(-1)!
  expect(checkpoint.getMetadata('last_block_hash')).toBe(last.hash)
  expect(checkpoint.getMetadata('last_block_number')).toBe(`0x${last.number.toString(16)}`)
})

test('explicit: only ack counts, and never past an older batch that waits', async () => {
  const { batches } = model(4)
  const source = new Listed(batches, { ackMode: 'explicit' })
  const [one, two, three] = [await source.next(), await source.next(), await source.next()]
  await source.ack(three!)
  await expect(source.checkpoint()).rejects.toThrow('none available')
  await source.ack(one!)
  expect((await source.checkpoint()).lastBatchId).toBe(1n)
  await source.ack(two!)
  expect((await source.checkpoint()).lastBatchId).toBe(3n)
  await source.ack(one!)
  expect((await source.checkpoint()).lastBatchId).toBe(3n)
})

test('a checkpoint is gone on behind, and given back as it was set', async () => {
  const { batches } = model(5)
  const source = new Listed(batches)
  const set = Checkpoint.fromBatch(batches[2]!, 5n).withMetadata('mine', 'x')
  await source.setCheckpoint(set)
  expect(await source.checkpoint()).toBe(set)
  expect(await numbers(source, 1)).toEqual([4])
  expect(source.asked).toEqual([4n])
  await source.setCheckpoint(Checkpoint.default())
  expect(await numbers(source, 1)).toEqual([1])
})

test('a gap is asked for once more, then refused; the position does not move', async () => {
  const { batches } = model(4)
  const source = new Listed(batches.filter((_, i) => i !== 1))
  await source.next()
  expect(await kindOf(source.next())).toBe('InvalidBatchData: Invalid batch data: gap: expected batch 2, got 3')
  expect(source.asked).toEqual([undefined, 2n])
  source.batches = batches
  expect(await numbers(source, 2)).toEqual([2, 3])
})

test('a batch that breaks a rule is refused, and asked for again', async () => {
  const { batches } = model(3)
  const bad = new Batch({ ...batches[1]!, l1Origin: 0n })
  const source = new Listed([batches[0]!, bad, batches[2]!])
  await source.next()
  expect(await kindOf(source.next())).toBe('InvalidBatchData: Invalid batch data: batch 2: l1_origin: is zero')
  source.batches = batches
  expect(await numbers(source, 2)).toEqual([2, 3])
})

test('a wrong parent whose chain stands is a lie, not a reorganisation', async () => {
  const { batches } = model(3)
  const [first, ...rest] = batches[1]!.blocks
  const lie = new Batch({ ...batches[1]!, blocks: [{ ...first!, parentHash: `0x${'ab'.repeat(32)}` }, ...rest] })
  const source = new Listed([batches[0]!, lie])
  const rollbacks: Rollback[] = []
  source.on('rollback', (rollback) => rollbacks.push(rollback))
  await source.next()
  expect(await kindOf(source.next())).toMatch(/batch 2: blocks\[0\]\.parent_hash: it is not the hash/)
  expect(rollbacks).toEqual([])
})

for (const depth of [1, 2, 10, 999, 1000]) {
  test(`a reorganisation of depth ${depth} goes back to the last common batch`, async () => {
    const chain = model(1100)
    const source = new Listed(chain.batches)
    const rollbacks: Rollback[] = []
    source.on('rollback', (rollback) => rollbacks.push(rollback))
    expect((await numbers(source, 2000)).length).toBe(1100)
    chain.reorganise(depth, 2)
    source.batches = chain.batches
    source.asked = []
    expect((await source.next())!.id.number).toBe(BigInt(1101 - depth))
    // The batch in hand is not processed: the position is the last one that stands.
    expect((await source.checkpoint()).lastBatchHash).toBe(chain.batches[1099 - depth]!.id.hash)
    expect([1101 - depth, ...(await numbers(source, 2000))]).toEqual(
      Array.from({ length: depth + 2 }, (_, i) => 1101 - depth + i),
    )
    const [one, ...more] = rollbacks
    expect(more).toEqual([])
    expect([one!.from.number, one!.to.number, one!.depth]).toEqual([1100n, BigInt(1100 - depth), BigInt(depth)])
    // Asked for in ranges, not one by one.
    expect(source.asked.length).toBeLessThan(40 + depth / 5)
    expect((await source.checkpoint()).lastBatchHash).toBe(chain.newest!.id.hash)
  })
}

test('a reorganisation of depth 1001 is refused with the way out', async () => {
  const chain = model(1100)
  const source = new Listed(chain.batches)
  await numbers(source, 2000)
  chain.reorganise(1001, 2)
  source.batches = chain.batches
  const error = (await source.next().catch((caught: unknown) => caught)) as DatastreamError
  expect(error.kind).toBe('InvalidBatchData')
  expect(error.code).toBe('chain_rollback_too_deep')
  expect(error.message).toMatch(/^Invalid batch data: batch 1100: .* 1000 batches at most$/)
  expect(error.hint).toMatch(/rollbackDepth.*--from-checkpoint/s)
  expect((await source.checkpoint()).lastBatchId).toBe(1100n)
  // The way out that it names.
  await source.setCheckpoint(Checkpoint.fromBatch(chain.batches[98]!, 1n))
  expect(await numbers(source, 1)).toEqual([100])
})

test('after a restart the history of the storage leads back', async () => {
  const chain = model(50)
  const storage = new MemoryCheckpointStorage()
  await runIngest(new Listed(chain.batches), () => undefined, { storage, exitWhenIdle: true })
  chain.reorganise(7, 2)
  const told: Rollback[] = []
  const handled: number[] = []
  const source = new Listed(chain.batches)
  const onRollback = (rollback: Rollback): void => void told.push(rollback)
  const result = await runIngest(source, (batch) => void handled.push(Number(batch.id.number)), {
    storage: storage.clone(),
    exitWhenIdle: true,
    onRollback,
  })
  expect(told.map(({ to, depth }) => [to.number, depth])).toEqual([[43n, 7n]])
  expect(handled).toEqual([44, 45, 46, 47, 48, 49, 50, 51, 52])
  expect(result).toEqual({ batches: 9, rollbacks: 1 })
  expect((await storage.loadCheckpoint())!.lastBatchHash).toBe(chain.newest!.id.hash)
})

test('who is killed while being told of a rollback is told again, even when it was a lie of the source', async () => {
  const chain = model(10)
  const storage = new MemoryCheckpointStorage()
  await runIngest(new Listed(chain.batches), () => undefined, { storage, exitWhenIdle: true })
  // For one answer the source has another chain behind 6.
  const lie = new ChainModel(new Random(7))
  lie.batches.push(...chain.batches)
  lie.reorganise(4, 1)
  const killed = new Error('killed')
  const dies = (rollback: Rollback): void => {
    expect(rollback.to.number).toBe(6n)
    throw killed
  }
  const dying = runIngest(new Listed(lie.batches), () => undefined, { storage, onRollback: dies, onError: () => true })
  await expect(dying).rejects.toBe(killed)
  expect((await storage.loadCheckpoint())!.lastBatchId).toBe(6n)
  const told: Rollback[] = []
  const handled: bigint[] = []
  await runIngest(new Listed(chain.batches), (batch) => void handled.push(batch.id.number), {
    storage,
    exitWhenIdle: true,
    onRollback: (rollback) => void told.push(rollback),
  })
  expect(told.map(({ from, to, depth }) => [from.number, to.number, depth])).toEqual([[10n, 6n, 4n]])
  expect(handled).toEqual([7n, 8n, 9n, 10n])
  expect((await storage.loadCheckpoint())!.getMetadata('rolled_back_from')).toBeUndefined()
})

test('a tag that withdraws a batch makes the source look before it goes on', async () => {
  const chain = model(10)
  const source = new Listed(chain.batches)
  const rollbacks: Rollback[] = []
  source.on('rollback', (rollback) => rollbacks.push(rollback))
  await numbers(source, 20)
  chain.reorganise(3, 0)
  source.batches = chain.batches
  const tag: FinalityTag = {
    batchId: { number: 8n, hash: chain.hash() },
    l1Block: 1n,
    l1BlockHash: chain.hash(),
    status: 'rolled_back',
    timestamp: 1n,
  }
  expect(await source.next()).toBeNull()
  source.finality(tag)
  expect(await numbers(source, 3)).toEqual([8, 9, 10])
  expect(rollbacks.map(({ depth }) => depth)).toEqual([3n])
})

test('while the source has nothing of what was read, nothing is decided', async () => {
  const chain = model(10)
  const source = new Listed(chain.batches)
  await numbers(source, 20)
  chain.reorganise(2, 2)
  const all = chain.batches
  // Only the newest batch is there: the others come later.
  source.batches = all.slice(10)
  expect(await source.next()).toBeNull()
  source.batches = all
  expect(await numbers(source, 9)).toEqual([9, 10, 11, 12])
})

test('without continuity holes are passed over and parents are not looked at', async () => {
  const { batches } = model(5)
  const source = new Listed([batches[0]!, batches[2]!, batches[4]!], { continuity: false })
  expect(await numbers(source, 9)).toEqual([1, 3, 5])
})

test('verifyBatchHash refuses what it says false to', async () => {
  const source = new Listed(model(2).batches, { verifyBatchHash: ({ id }) => id.number < 2n })
  await source.next()
  expect(await kindOf(source.next())).toMatch(/batch 2: id\.hash: the hash is not that of the batch/)
})

test('two readers at once are refused, and nothing is lost', async () => {
  const source = new Listed(model(3).batches)
  const [first, second, third] = await Promise.all([
    source.next(),
    kindOf(source.next()),
    kindOf(source.setCheckpoint(Checkpoint.default())),
  ])
  expect([second, third]).toEqual(
    new Array(2).fill('InternalError: Internal error: next() of this source is still running'),
  )
  expect(first!.id.number).toBe(1n)
  expect(await numbers(source, 2)).toEqual([2, 3])
})

test('settings out of range are refused', () => {
  const refused = (options: object): string => {
    try {
      new Listed([], options as BatchSourceOptions)
      return 'none'
    } catch (error) {
      return (error as DatastreamError).kind
    }
  }
  expect(refused({ rollbackDepth: -1 })).toBe('ConfigError')
  expect(refused({ rollbackDepth: 1.5 })).toBe('ConfigError')
  expect(refused({ validation: 'lax' })).toBe('ConfigError')
  expect(refused({ pollInterval: '1 fortnight' })).toBe('ConfigError')
  expect(refused({ pollInterval: '2m' })).toBe('none')
})

test('a stream gives batches and errors, waits when there is nothing, and ends with a finished source', async () => {
  const clock = new ManualClock()
  const { batches } = model(4)
  const source = new MemoryBatchSource(batches.slice(0, 2), { clock })
  const items: BatchItem[] = []
  const reading = (async () => {
    for await (const item of source.fetchBatchStream(2)) items.push(item)
  })()
  await turns()
  source.push(batches[3]!)
  clock.advance(2000)
  await turns()
  expect(items.map((item) => (item.ok ? item.batch.id.number : item.error.kind))).toEqual([2n, 'InvalidBatchData'])
  source.push(batches[2]!)
  source.push(batches[3]!)
  source.finish()
  clock.advance(2000)
  await reading
  expect(items.slice(2).map((item) => (item.ok ? item.batch.id.number : item.error.kind))).toEqual([3n, 4n])
})

test('a signal ends a stream and a read with its reason', async () => {
  const stop = new AbortController()
  const source = new MemoryBatchSource([])
  const items: BatchItem[] = []
  const reading = (async () => {
    for await (const item of batchStream(source, undefined, { signal: stop.signal })) items.push(item)
  })()
  await turns()
  stop.abort(new Error('enough'))
  await reading
  expect(items).toEqual([])
  await expect(source.next({ signal: stop.signal })).rejects.toThrow('enough')
})

test('the metrics have the promised names and labels', async () => {
  const metrics = new ChainMetrics()
  const { batches } = model(2)
  const source = new Listed([batches[0]!, new Batch({ ...batches[1]!, timestamp: 0n })], { metrics })
  const storage = new MemoryCheckpointStorage()
  await source.healthCheck()
  const running = runIngest(source, () => undefined, { storage, metrics, name: 'Listed', onError: () => true })
  await expect(running).rejects.toThrow('is zero')
  const lines = metrics.text().split('\n')
  expect(lines).toContain('# TYPE cdk_datastream_batches_fetched untyped')
  expect(lines).toContain('cdk_datastream_batches_fetched{source="Listed"} 1')
  expect(lines).toContain('# TYPE cdk_datastream_checkpoints_saved untyped')
  expect(lines).toContain('cdk_datastream_checkpoints_saved{source="Listed"} 1')
  expect(lines).toContain('# TYPE cdk_datastream_errors_total counter')
  expect(lines).toContain('cdk_datastream_errors_total{source="Listed",kind="InvalidBatchData"} 1')
  expect(lines).toContain('# TYPE cdk_datastream_source_health gauge')
  expect(lines).toContain('cdk_datastream_source_health{source="Listed"} 1')
})

test('a handler that fails is given the same batch again after a pause, and nothing is stored', async () => {
  const clock = new ManualClock()
  const storage = new MemoryCheckpointStorage()
  const seen: bigint[] = []
  const running = runIngest(
    new Listed(model(2).batches, { clock }),
    (batch) => {
      seen.push(batch.id.number)
      if (seen.length < 3) throw new Error('not yet')
    },
    { storage, clock, exitWhenIdle: true, onError: () => false },
  )
  await turns()
  expect(await storage.loadCheckpoint()).toBeNull()
  clock.advance(1200)
  await turns()
  clock.advance(2400)
  await running
  expect(seen).toEqual([1n, 1n, 1n, 2n])
})

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
}
