import { expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { WorkerMemory } from '../../core/memory.ts'
import { parseOptions } from '../../core/options.ts'
import { freshSeed, Random } from '../../core/random.ts'
import { rowAt } from '../../core/row-batch.ts'
import { types } from '../../core/types.ts'
import { parseUri } from '../../core/uri.ts'
import { Kernels } from '../../kernels/kernels.ts'
import type { SourceContext } from '../contract.ts'
import { nexmark } from './connector.ts'
import { NexmarkSource } from './source.ts'

const COLUMNS = [
  { name: 'auction', type: types.bigint },
  { name: 'price', type: types.bigint },
  { name: 'channel', type: types.string },
  { name: 'extra', type: types.string },
]

/** One generator per set of options, as in one instance. */
const shared = new Map<string, unknown>()

function open(text: string, batchRows: number): NexmarkSource {
  const uri = parseUri(text)
  const given = uri.params.map(({ name, value }) => ({ name, value, origin: 'URI parameter' }))
  const memory = new WorkerMemory()
  const context = {
    uri,
    options: parseOptions(nexmark.options, given, { side: 'source', subject: 'source nexmark' }),
    pipeline: undefined,
    part: 'events',
    lineage: undefined,
    writer: 0,
    incarnation: 0n,
    clock: systemClock,
    memory,
    kernels: new Kernels(memory),
    baseDirectory: '.',
    shared: {
      get: <T>(key: string, create: () => T): T => {
        if (!shared.has(key)) shared.set(key, create())
        return shared.get(key) as T
      },
    },
    schema: { fields: COLUMNS.map(({ name, type }) => ({ name, type, nullable: false })) },
    columns: COLUMNS.map(({ name }) => ({ name, path: [name], required: true })),
    systemColumns: [],
    batchRows,
    decoder: () => {
      throw new Error('nexmark decodes nothing')
    },
  } satisfies SourceContext
  return new NexmarkSource(context)
}

async function read(source: NexmarkSource, split: string, from: string | undefined, most: number): Promise<string[]> {
  const rows: string[] = []
  await using reader = source.open(split)
  for await (const item of reader.read(from, new AbortController().signal)) {
    if (item.kind !== 'batch' || item.batch === undefined) continue
    for (let row = 0; row < item.batch.rows; row++) {
      rows.push(JSON.stringify([item.next, rowAt(item.batch, row).values]))
      if (rows.length === most) return rows
    }
  }
  return rows
}

const valuesOf = (row: string): string => JSON.stringify(JSON.parse(row)[1])

test('the row after a resume is the row of a straight run', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  for (let generator = 1; generator <= 5; generator++) {
    const uri = `nexmark://bid?events=20000&rate=1000&partitions=4&out_of_order=100&seed=${generator}`
    const source = open(uri, 100)
    const split = String(random.below(4))
    const straight = (await read(source, split, undefined, 100_000)).map(valuesOf)
    for (let i = 0; i < 40; i++) {
      const index = random.below(5000)
      const resumed = await read(
        open(uri, 1 + random.below(50)),
        split,
        `g1:${50 * (Number(split) + 4 * Math.floor(index / 200))}`,
        20,
      )
      const at = straight.indexOf(valuesOf(resumed[0]!))
      expect(at, `seed ${seed}`).toBeGreaterThanOrEqual(0)
      expect(resumed.map(valuesOf), `seed ${seed}`).toEqual(straight.slice(at, at + resumed.length))
    }
  }
})

test('every offset resumes exactly behind its batch', async () => {
  const uri = 'nexmark://bid?events=5000&partitions=2&out_of_order=100&seed=3'
  const rows = await read(open(uri, 64), '1', undefined, 100_000)
  const straight = rows.map(valuesOf)
  const offsets = [...new Set(rows.map((row) => JSON.parse(row)[0] as string))]
  for (const offset of offsets) {
    const behind = rows.findLastIndex((row) => JSON.parse(row)[0] === offset) + 1
    const resumed = await read(open(uri, 17), '1', offset, 30)
    expect(resumed.map(valuesOf)).toEqual(straight.slice(behind, behind + 30))
  }
})

test('an unknown table names the nearest', () => {
  expect(() => open('nexmark://bids', 10)).toThrow('nexmark has no table "bids"')
})
