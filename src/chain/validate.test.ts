import { expect, test } from 'vitest'
import { Random } from '../core/random.ts'
import { ChainModel } from '../testkit/chain-model.ts'
import { Batch, type BlockInBatch, DatastreamError, type ValidateOptions, validateBatch } from './chain.ts'
import { ZERO_32 } from './numbers.ts'

const model = new ChainModel(new Random(1))
model.grow(2, { least: 3, most: 3 })
const [before, good] = model.batches as [Batch, Batch]

const fault = (batch: Batch, options: ValidateOptions = {}): string | undefined => {
  try {
    validateBatch(batch, options)
    return undefined
  } catch (error) {
    if (!(error instanceof DatastreamError)) throw error
    expect(error.kind).toBe('InvalidBatchData')
    expect(error.message.startsWith('Invalid batch data: ')).toBe(true)
    return error.path
  }
}

const block = (index: number, change: Partial<BlockInBatch>): Batch =>
  new Batch({ ...good, blocks: good.blocks.map((one, i) => (i === index ? { ...one, ...change } : one)) })
const short = good.id.hash.slice(0, -2)

/** What is wrong · the path that is named · the lowest level that says so. */
const wrongs: readonly (readonly [name: string, batch: Batch, path: string, level: 'off' | 'basic' | 'strict'])[] = [
  ['31 bytes', new Batch({ ...good, id: { ...good.id, hash: short } }), 'id.hash', 'off'],
  ['33 bytes', new Batch({ ...good, l1OriginHash: `${good.id.hash}00` }), 'l1_origin_hash', 'off'],
  ['upper case', block(1, { txRoot: good.id.hash.toUpperCase() }), 'blocks[1].tx_root', 'off'],
  ['2^256', new Batch({ ...good, l1Origin: 2n ** 256n }), 'l1_origin', 'off'],
  ['a negative number', block(0, { number: -1n }), 'blocks[0].number', 'off'],
  ['2^64', new Batch({ ...good, timestamp: 2n ** 64n }), 'timestamp', 'off'],
  ['a number that is no bigint', new Batch({ ...good, timestamp: 5 as unknown as bigint }), 'timestamp', 'off'],
  ['2^32', block(2, { batchIndex: 2 ** 32 }), 'blocks[2].batch_index', 'off'],
  ['a fraction', block(2, { batchIndex: 1.5 }), 'blocks[2].batch_index', 'off'],
  ['batch 0', new Batch({ ...good, id: { ...good.id, number: 0n } }), 'id.number', 'basic'],
  ['no hash', new Batch({ ...good, id: { ...good.id, hash: ZERO_32 } }), 'id.hash', 'basic'],
  ['no L1 origin', new Batch({ ...good, l1Origin: 0n }), 'l1_origin', 'basic'],
  ['no time', new Batch({ ...good, timestamp: 0n }), 'timestamp', 'basic'],
  ['block 0', block(0, { number: 0n }), 'blocks[0].number', 'basic'],
  ['no state root', block(1, { stateRoot: ZERO_32 }), 'blocks[1].state_root', 'basic'],
  ['no parent', block(1, { parentHash: ZERO_32 }), 'blocks[1].parent_hash', 'basic'],
  ['another position', block(1, { batchIndex: 2 }), 'blocks[1].batch_index', 'basic'],
  [
    '1001 blocks',
    new Batch({ ...good, blocks: Array.from({ length: 1001 }, (_, i) => ({ ...good.blocks[0]!, batchIndex: i })) }),
    'blocks',
    'basic',
  ],
  [
    'more than 10 MiB',
    new Batch({ ...good, proofMeta: { ...good.proofMeta, dataProof: new Uint8Array(10 * 1024 * 1024) } }),
    'proof_meta.data_proof',
    'basic',
  ],
  ['numbers that stand', block(1, { number: good.blocks[0]!.number }), 'blocks[1].number', 'strict'],
  ['times that fall', block(1, { timestamp: 1n }), 'blocks[1].timestamp', 'strict'],
]

const LEVELS = ['off', 'basic', 'strict'] as const

test('a good batch passes at every level, and behind the one before', () => {
  for (const level of LEVELS) expect(fault(good, { level, previous: before })).toBeUndefined()
})

for (const [name, batch, path, lowest] of wrongs) {
  test(`${name}: refused from ${lowest} on`, () => {
    for (const level of LEVELS) {
      const refused = LEVELS.indexOf(level) >= LEVELS.indexOf(lowest)
      expect(fault(batch, { level }), level).toBe(refused ? path : undefined)
    }
    expect(fault(batch)).toBe(path)
  })
}

test('the first block of a chain may have no parent', () => {
  const first = new Batch({ ...good, blocks: [{ ...good.blocks[0]!, number: 1n, parentHash: ZERO_32 }] })
  expect(fault(first)).toBeUndefined()
})

test('10 MiB sharp, and 1000 blocks, are taken', () => {
  const dataProof = new Uint8Array(10 * 1024 * 1024 - 72 - 3 * 180)
  expect(fault(new Batch({ ...good, proofMeta: { ...good.proofMeta, dataProof } }), { level: 'basic' })).toBeUndefined()
  const blocks = Array.from({ length: 1000 }, (_, i) => ({ ...good.blocks[0]!, batchIndex: i }))
  expect(fault(new Batch({ ...good, blocks }), { level: 'basic' })).toBeUndefined()
})

test('strict: L1 origin, times and block numbers do not fall from batch to batch', () => {
  expect(fault(new Batch({ ...good, l1Origin: before.l1Origin - 1n }), { previous: before })).toBe('l1_origin')
  expect(fault(new Batch({ ...good, timestamp: before.timestamp - 1n }), { previous: before })).toBe('timestamp')
  expect(fault(block(0, { number: before.blocks[2]!.number }), { previous: before })).toBe('blocks[0].number')
  expect(fault(new Batch({ ...good, l1Origin: 1n }), { previous: before, level: 'basic' })).toBeUndefined()
})
