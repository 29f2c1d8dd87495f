import { describe, expect, test } from 'vitest'
import type { SourceItem, SplitReader } from '../connectors/contract.ts'
import { CHANGE } from '../core/change.ts'
import { type Clock, ManualClock, systemClock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { parseOptions } from '../core/options.ts'
import { freshSeed, Random } from '../core/random.ts'
import { rowAt } from '../core/row-batch.ts'
import { schema } from '../core/types.ts'
import { parseUri } from '../core/uri.ts'
import { endpoint } from '../headrace/endpoint.ts'
import { ChainModel } from '../testkit/chain-model.ts'
import { ChainServer } from '../testkit/chain-server.ts'
import { Harness } from '../testkit/harness.ts'
import { Batch, MemoryBatchSource, toSource } from './chain.ts'
import { memoryChain } from './memory-source.ts'
import { chainMetrics } from './metrics.ts'
import { chainSchemas, type RowForm, rowCount, rowValues } from './rows.ts'

const U256 = 2n ** 256n - 1n
const text = (values: unknown): string =>
  JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))

/** Pauses are one turn of the event loop. */
const quick: Clock = { ...systemClock, sleep: () => new Promise((resolve) => void setImmediate(resolve)) }

/** Puts the model's chain into `chain+memory://name`, from the first batch that is another one. */
class Published {
  readonly model: ChainModel
  readonly #harness: Harness
  readonly #name: string
  #known: Batch[] = []

  constructor(harness: Harness, name: string, seed: number) {
    this.#harness = harness
    this.#name = name
    this.model = new ChainModel(new Random(seed))
  }

  publish(): void {
    const chain = memoryChain(this.#harness.engine.shared, this.#name)
    const { batches } = this.model
    const from = batches.findIndex((batch, i) => this.#known[i] !== batch)
    if (from >= 0) for (const batch of batches.slice(from)) chain.push(batch)
    this.#known = [...batches]
  }

  /** What all rows come to. */
  rows(form: RowForm): string[] {
    return this.model.batches.flatMap((batch) =>
      Array.from({ length: rowCount(batch, form) }, (_, i) => text(rowValues(batch, i, form))),
    )
  }
}

/** Adds up changes; a row that is taken back must be there. */
class Folded {
  rows: string[] = []

  apply(item: SourceItem): void {
    if (item.kind === 'idle' || item.batch === undefined) return
    for (let i = 0; i < item.batch.rows; i++) {
      const { values, change } = rowAt(item.batch, i)
      const row = text(values)
      if (change === CHANGE.insert) this.rows.push(row)
      else {
        // Newest first: what is taken back is the last that came.
        expect(this.rows.pop()).toBe(row)
      }
    }
  }
}

describe.each(['batch', 'block'] as const)('rows=%s', (form) => {
  test('after reorganisations, crashes and restarts the folded rows are those of the chain', async () => {
    const seed = freshSeed()
    console.info(`seed ${seed}`)
    for (let round = 0; round < 40; round++) {
      const random = new Random(seed + round)
      const harness = new Harness({ baseDirectory: '/', batchRows: random.between(1, 9), clock: quick })
      const published = new Published(harness, 'c', seed + round)
      published.model.grow(random.between(1, 20), { least: 1 })
      published.publish()
      const uri = `chain+memory://c?rows=${form}`
      const stop = new AbortController()
      const open = (state?: Uint8Array) => harness.openSource(uri, chainSchemas[form], [], state)
      let source = await open()
      let reader: SplitReader = source.open('chain')
      let items = reader.read(undefined, stop.signal)[Symbol.asyncIterator]()
      let folded = new Folded()
      let saved: { rows: string[]; offset: string | undefined; state: Uint8Array | undefined } | undefined
      let offset: string | undefined
      const save = (): void => {
        saved = { rows: [...folded.rows], offset, state: source.state!() }
      }
      for (let step = 0; step < 120; step++) {
        if (random.chance(0.1)) published.model.grow(random.between(1, 3), { least: random.chance(0.5) ? 0 : 1 })
        const { length } = published.model.batches
        if (random.chance(0.06) && length > 3) {
          published.model.reorganise(random.between(1, Math.min(9, length - 2)), random.between(1, 2))
          published.model.grow(1)
        }
        published.publish()
        // A barrier may fall before an item has been taken, when the reader has made it already.
        const next = items.next()
        if (random.chance(0.1)) {
          await turns()
          save()
        }
        const { value, done } = await next
        expect(done).toBe(false)
        folded.apply(value as SourceItem)
        offset = (value as SourceItem).next
        if (random.chance(0.2)) save()
        if (saved !== undefined && random.chance(0.08)) {
          await reader[Symbol.asyncDispose]()
          await source[Symbol.asyncDispose]()
          folded = new Folded()
          folded.rows = [...saved.rows]
          offset = saved.offset
          source = await open(saved.state)
          reader = source.open('chain')
          items = reader.read(saved.offset, stop.signal)[Symbol.asyncIterator]()
        }
      }
      published.model.grow(2)
      published.publish()
      const wanted = published.rows(form)
      for (let more = 0; text(folded.rows) !== text(wanted); more++) {
        if (more > 300) expect(folded.rows, `seed ${seed}, round ${round}`).toEqual(wanted)
        const { value } = await items.next()
        folded.apply(value as SourceItem)
      }
      stop.abort()
      await items.next()
      await reader[Symbol.asyncDispose]()
    }
  }, 60_000)
})

const all = async (harness: Harness, uri: string, form: RowForm = 'batch', from?: string): Promise<unknown[][]> => {
  const { rows } = await harness.read(
    uri,
    chainSchemas[form],
    from === undefined ? {} : { from: new Map([['chain', from]]) },
  )
  return rows.map(({ row, next }) => [row.change, row.values[0], next])
}

test('max_batches and exit_when_idle end the source; a batch without blocks moves the position alone', async () => {
  const harness = new Harness({ baseDirectory: '/', batchRows: 100 })
  const published = new Published(harness, 'c', 1)
  published.model.grow(2)
  published.model.grow(1, { least: 0, most: 0 })
  published.publish()
  expect((await all(harness, 'chain+memory://c?max_batches=2')).length).toBe(2)
  expect((await all(harness, 'chain+memory://c?exit_when_idle=true')).length).toBe(3)
  const blocks = published.model.batches.flatMap((batch) => batch.blocks).length
  expect((await all(harness, 'chain+memory://c?exit_when_idle=true&rows=block', 'block')).length).toBe(blocks)
})

test('from: a number is the batch before, latest needs a position', async () => {
  const harness = new Harness({ baseDirectory: '/', batchRows: 100 })
  const published = new Published(harness, 'c', 1)
  published.model.grow(5)
  published.publish()
  const numbers = async (query: string): Promise<unknown[]> =>
    (await all(harness, `chain+memory://c?exit_when_idle=true&${query}`)).map(([, number]) => number)
  expect(await numbers('from=3')).toEqual([4, 5])
  expect(await numbers('from=0x3')).toEqual([4, 5])
  await expect(numbers('from=latest')).rejects.toMatchObject({ code: 'connector_offset_gone' })
  await expect(numbers('from=x')).rejects.toMatchObject({ code: 'connector_option_invalid' })
})

test('without its state a position is proved by the batch that it names', async () => {
  const harness = new Harness({ baseDirectory: '/', batchRows: 1 })
  const published = new Published(harness, 'c', 1)
  published.model.grow(5)
  published.publish()
  const uri = 'chain+memory://c?exit_when_idle=true'
  const rows = await all(harness, uri)
  expect((await all(harness, uri, 'batch', String(rows[2]![2]))).map(([, number]) => number)).toEqual([4, 5])
  // The short form, as it is documented.
  const short = `b1:3:${published.model.batches[2]!.id.hash}`
  expect((await all(harness, uri, 'batch', short)).map(([, number]) => number)).toEqual([4, 5])
  published.model.reorganise(4)
  published.publish()
  await expect(all(harness, uri, 'batch', short)).rejects.toMatchObject({ code: 'connector_incarnation_changed' })
  await expect(all(harness, uri, 'batch', 'b1:x')).rejects.toMatchObject({ code: 'connector_offset_invalid' })
})

test('the upstream is known by its first batch', async () => {
  const harness = new Harness({ baseDirectory: '/', batchRows: 4 })
  const published = new Published(harness, 'c', 1)
  published.model.grow(3)
  published.publish()
  const uri = 'chain+memory://c'
  await using source = await harness.openSource(uri, chainSchemas.batch)
  expect(await source.incarnation()).toBe(published.model.batches[0]!.id.hash)
  await using again = await harness.openSource(uri, chainSchemas.batch, [], source.state!())
  expect(await again.incarnation()).toBe(published.model.batches[0]!.id.hash)
})

test('numbers above 2^63−1 are hex beside NULL', async () => {
  const harness = new Harness({ baseDirectory: '/' })
  const model = new ChainModel(new Random(1))
  model.grow(1, { least: 1, most: 1 })
  const [batch] = model.batches
  const [block] = batch!.blocks
  const big = new Batch({
    ...batch!,
    id: { number: U256, hash: batch!.id.hash },
    l1Origin: 2n ** 63n,
    timestamp: 2n ** 64n - 1n,
    blocks: [{ ...block!, number: 2n ** 63n - 1n }],
  })
  memoryChain(harness.engine.shared, 'big').push(big)
  const { rows } = await harness.read('chain+memory://big?max_batches=1&rows=block', chainSchemas.block)
  const value = (name: string): unknown =>
    rows[0]!.row.values[chainSchemas.block.fields.findIndex((column) => column.name === name)]
  expect([value('batch_number'), value('batch_number_hex')]).toEqual([null, `0x${'f'.repeat(64)}`])
  expect([value('l1_block'), value('l1_block_hex')]).toEqual([null, '0x8000000000000000'])
  expect([value('block_number'), value('block_number_hex')]).toEqual([9223372036854775807n, '0x7fffffffffffffff'])
  expect(value('timestamp')).toBeNull()
})

test('a declared column that the source does not have, or has with another type, is refused', async () => {
  const harness = new Harness({ baseDirectory: '/' })
  const [first] = chainSchemas.batch.fields
  const read = (name: string, type = first!.type) =>
    harness.read('chain+memory://c?exit_when_idle=true', schema([{ name, type, nullable: true }]))
  await expect(read('nothing')).rejects.toMatchObject({ code: 'connector_schema_mismatch' })
  await expect(read('batch_hash')).rejects.toThrow('column "batch_hash" is STRING, not BIGINT')
})

test('a withdrawal below what is kept is refused with the way out', async () => {
  const harness = new Harness({ baseDirectory: '/', batchRows: 100, clock: quick })
  const published = new Published(harness, 'c', 1)
  published.model.grow(12)
  published.publish()
  const source = await harness.openSource('chain+memory://c?rollback_depth=5', chainSchemas.batch)
  const reader = source.open('chain')
  const items = reader.read(undefined, new AbortController().signal)[Symbol.asyncIterator]()
  await items.next()
  published.model.reorganise(6)
  published.publish()
  const error = await (async () => {
    for (let i = 0; i < 9; i++) await items.next()
  })().catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(HeadraceError)
  expect(error).toMatchObject({ code: 'chain_rollback_too_deep', hint: expect.stringContaining('rollback_depth') })
  await reader[Symbol.asyncDispose]()
})

test('a NOT NULL column that is NULL is a bad row with the batch as its bytes', async () => {
  const harness = new Harness({ baseDirectory: '/' })
  const published = new Published(harness, 'c', 1)
  published.model.grow(1)
  const [batch] = published.model.batches
  memoryChain(harness.engine.shared, 'c').push(new Batch({ ...batch!, l1Origin: 2n ** 63n }))
  const column = { ...chainSchemas.batch.fields[3]!, nullable: false }
  const { rows, rejects } = await harness.read('chain+memory://c?max_batches=1', schema([column]))
  expect(rows).toEqual([])
  expect(rejects.map(({ code, detail }) => [code, detail])).toEqual([
    ['row_not_null_violated', 'column "l1_block" is NULL'],
  ])
})

test('URIs and options', async () => {
  const code = async (uri: string): Promise<string> => {
    const harness = new Harness({ baseDirectory: '/', clock: new ManualClock() })
    try {
      const source = await harness.openSource(uri, chainSchemas.batch)
      await source[Symbol.asyncDispose]()
      return 'ok'
    } catch (error) {
      return (error as HeadraceError).code
    }
  }
  expect(await code('chain+http://h:1/prefix')).toBe('ok')
  expect(await code('chain+https://[::1]:1/prefix?api_key=x&timeout=5s')).toBe('ok')
  expect(await code('chain+ws://h:1?http_url=http://h:2')).toBe('ok')
  expect(await code('chain+http://a,b/prefix')).toBe('connector_uri_invalid')
  expect(await code('chain+http://u:p@h/')).toBe('connector_uri_invalid')
  expect(await code('chain+http:///')).toBe('connector_uri_invalid')
  expect(await code('chain+file:///x?extension=rlp')).toBe('chain_config_invalid')
  expect(await code('chain+http://h?poll_intervall=1s')).toBe('connector_option_unknown')
  expect(await code('chain+http://h?rollback_depth=-1')).toBe('connector_option_invalid')
  const { connector, options } = await endpoint('chain+http://h?rollback_depth=0', 'source')
  expect([connector.changes!(options), connector.bounded!(options)]).toEqual(['append', false])
})

async function turns(): Promise<void> {
  for (let i = 0; i < 6; i++) await new Promise(setImmediate)
}

test('toSource makes a connector of a source of one’s own', async () => {
  const model = new ChainModel(new Random(1))
  model.grow(3)
  const connector = toSource(new MemoryBatchSource(model.batches), { rows: 'block', scheme: 'mine' })
  expect([connector.name, connector.schemes, connector.options['rows']!.default]).toEqual(['mine', ['mine'], 'block'])
  expect((await connector.discover!({ options: { rows: 'block' } } as never)).key).toEqual([
    'batch_number',
    'batch_index',
  ])
  const options = parseOptions(connector.options, [{ name: 'exit_when_idle', value: 'true', origin: 'URI' }], {
    side: 'source',
    subject: 'source mine',
  })
  const harness = new Harness({ baseDirectory: '/' })
  const columns = chainSchemas.block.fields.map(({ name }) => ({ name, path: [name], required: false }))
  const { engine } = harness
  await using source = await connector.openSource!({
    ...engine,
    uri: parseUri('mine://x'),
    options,
    schema: chainSchemas.block,
    columns,
    systemColumns: [],
    batchRows: 100,
  } as never)
  await using reader = source.open('chain')
  const folded = new Folded()
  for await (const item of reader.read(undefined, new AbortController().signal)) folded.apply(item)
  expect(folded.rows).toEqual(
    model.batches.flatMap((batch) => batch.blocks.map((_, i) => text(rowValues(batch, i, 'block')))),
  )
})

test('a probe says whether the source is healthy, and how to help', async () => {
  await using server = await ChainServer.start(new ChainModel(new Random(1)))
  const probe = async (uri: string) => {
    const { connector, uri: parsed, options } = await endpoint(uri, 'source')
    const { engine } = new Harness({ baseDirectory: '/' })
    return await connector.probe!(
      {
        ...engine,
        shared: engine.shared,
        uri: parsed,
        options,
        baseDirectory: '/',
      } as never,
      'source',
    )
  }
  expect(await probe(`chain+http://127.0.0.1:${server.port}`)).toMatchObject([{ name: 'health', ok: true }])
  const [check] = await probe('chain+file:///nowhere')
  expect(check).toMatchObject({ ok: false, detail: expect.stringMatching(/^IO error/), hint: expect.any(String) })
})

test('SQL sources count into the metrics of their instance', async () => {
  const harness = new Harness({ baseDirectory: '/' })
  const published = new Published(harness, 'c', 1)
  published.model.grow(4)
  published.publish()
  await all(harness, 'chain+memory://c?max_batches=3')
  expect(chainMetrics(harness.engine.shared).batchesFetched).toEqual(new Map([['MemoryBatchSource', 3]]))
})
