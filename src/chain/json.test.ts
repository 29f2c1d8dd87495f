import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  Batch,
  bytes32,
  Checkpoint,
  DatastreamError,
  decodeBatch,
  decodeCheckpoint,
  decodeEpoch,
  decodeFinalityTag,
  decodeSourceMetadata,
  Epoch,
  encodeBatch,
  encodeCheckpoint,
  encodeEpoch,
  encodeFinalityTag,
  encodeSourceMetadata,
  type FinalityTag,
  SourceMetadata,
  toHex,
  u256,
} from './chain.ts'
import { decodeBatches } from './decode.ts'

const h = (digit: string): string => `0x${digit.repeat(64)}`
const U256 = 2n ** 256n - 1n
const U64 = 2n ** 64n - 1n

const bytes = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => `0x${Buffer.from(array).toString('hex')}`)
const hash = bytes(32)
const big = (max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(fc.constantFrom(0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, max), fc.bigInt({ min: 0n, max }))
const block = fc.record({
  batchIndex: fc.nat(4_294_967_295),
  hash,
  parentHash: hash,
  stateRoot: hash,
  txRoot: hash,
  receiptRoot: hash,
  number: big(U256),
  timestamp: big(U64),
})
const proofMeta = fc.record({
  dataProof: fc.uint8Array({ maxLength: 40 }),
  namespaceId: bytes(8),
  commitment: hash,
  inclusionProof: fc.uint8Array({ maxLength: 40 }),
})
const batch = fc
  .record({
    id: fc.record({ number: big(U256), hash }),
    l1Origin: big(U256),
    l1OriginHash: hash,
    blocks: fc.array(block, { maxLength: 4 }),
    proofMeta,
    timestamp: big(U64),
  })
  .map((fields) => new Batch(fields))

test('every batch comes back from its JSON, whatever white space and order of fields it has', () => {
  fc.assert(
    fc.property(batch, fc.boolean(), (value, isOdd) => {
      const text = encodeBatch(value)
      expect(decodeBatch(text)).toEqual(value)
      expect(decodeBatch(Buffer.from(text))).toEqual(value)
      // The same value as another writer puts it: numbers keep their text.
      const spaced = text.replaceAll('":', '": ').replaceAll(',"', ',\n  "')
      expect(decodeBatch(isOdd ? ` ${spaced}\n` : spaced)).toEqual(value)
      expect(decodeBatches(`[${text},${text}]`)).toEqual([value, value])
      expect(decodeBatches(`[${spaced} , ${text}]`)).toEqual([value, value])
    }),
    { numRuns: 300 },
  )
})

const plain = new Batch({
  id: { number: 500n, hash: h('9') },
  l1Origin: 19_000_000n,
  l1OriginHash: h('7'),
  blocks: [
    {
      batchIndex: 0,
      hash: h('5'),
      parentHash: h('4'),
      stateRoot: h('c'),
      txRoot: h('d'),
      receiptRoot: h('e'),
      number: 10_000n,
      timestamp: 1_733_047_200n,
    },
  ],
  timestamp: 1_733_047_201n,
})

test('the JSON of a batch and of a checkpoint', () => {
  expect(encodeBatch(plain)).toBe(
    `{"id":{"number":"0x1f4","hash":"${h('9')}"},"l1_origin":"0x121eac0","l1_origin_hash":"${h('7')}",` +
      `"blocks":[{"batch_index":0,"hash":"${h('5')}","parent_hash":"${h('4')}","state_root":"${h('c')}",` +
      `"tx_root":"${h('d')}","receipt_root":"${h('e')}","number":"0x2710","timestamp":1733047200}],` +
      `"proof_meta":{"data_proof":"0x","namespace_id":"0x0000000000000000","commitment":"${h('0')}",` +
      `"inclusion_proof":"0x"},"timestamp":1733047201}`,
  )
  const checkpoint = Checkpoint.fromBatch(plain, 1_733_047_201n).withMetadata('last_block_number', '0x2710')
  expect(encodeCheckpoint(checkpoint)).toBe(
    `{"last_batch_id":"0x1f4","last_batch_hash":"${h('9')}","last_l1_block":"0x121eac0","timestamp":1733047201,` +
      `"metadata":{"last_block_number":"0x2710"}}`,
  )
  expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint)
})

/** The text of `plain` with one value in the place of another. */
const changed = (before: string, after: string): string => {
  const text = encodeBatch(plain)
  expect(text).toContain(before)
  return text.replace(before, after)
}

test('256-bit numbers are read as hex, as decimal text and as literals of any length', () => {
  const read = (value: string): bigint => decodeBatch(changed('"number":"0x1f4"', `"number":${value}`)).id.number
  expect(read('"500"')).toBe(500n)
  expect(read('500')).toBe(500n)
  expect(read(`"0x${'f'.repeat(64)}"`)).toBe(U256)
  expect(read(`"${U256}"`)).toBe(U256)
  expect(read(String(U256))).toBe(U256)
  expect(read('9007199254740993')).toBe(9007199254740993n)
  expect(read('"0X1F4"')).toBe(500n)
  const timestamp = (value: string): bigint => decodeBatch(changed('1733047201}', `${value}}`)).timestamp
  expect(timestamp(String(U64))).toBe(U64)
  expect(timestamp('9007199254740993')).toBe(9007199254740993n)
})

const refusals: readonly (readonly [name: string, text: () => string, path: string])[] = [
  ['2^256', () => changed('"number":"0x1f4"', `"number":${U256 + 1n}`), 'id.number'],
  ['2^256 as text', () => changed('"number":"0x1f4"', `"number":"${U256 + 1n}"`), 'id.number'],
  ['2^256 as hex', () => changed('"number":"0x1f4"', `"number":"0x1${'0'.repeat(64)}"`), 'id.number'],
  ['a number of a million digits', () => changed('"number":"0x1f4"', `"number":${'9'.repeat(1_000_000)}`), 'id.number'],
  ['a negative number', () => changed('"number":"0x1f4"', '"number":-1'), 'id.number'],
  ['a negative text', () => changed('"number":"0x1f4"', '"number":"-1"'), 'id.number'],
  ['a fraction', () => changed('"number":"0x1f4"', '"number":500.0'), 'id.number'],
  ['an exponent', () => changed('"number":"0x1f4"', '"number":5e2'), 'id.number'],
  ['an empty text', () => changed('"number":"0x1f4"', '"number":""'), 'id.number'],
  ['0x alone', () => changed('"number":"0x1f4"', '"number":"0x"'), 'id.number'],
  ['2^64', () => changed('1733047201}', `${U64 + 1n}}`), 'timestamp'],
  ['a fractional timestamp', () => changed('1733047201}', '1733047201.5}'), 'timestamp'],
  ['a timestamp with an exponent', () => changed('1733047201}', '1e9}'), 'timestamp'],
  ['a negative timestamp', () => changed('1733047201}', '-1}'), 'timestamp'],
  ['a timestamp as text', () => changed('1733047201}', '"1733047201"}'), 'timestamp'],
  ['a block timestamp', () => changed('1733047200}', '1e9}'), 'blocks[0].timestamp'],
  ['31 bytes', () => changed(h('9'), h('9').slice(0, -2)), 'id.hash'],
  ['33 bytes', () => changed(h('9'), `${h('9')}00`), 'id.hash'],
  ['31 bytes in a block', () => changed(h('c'), h('c').slice(0, -2)), 'blocks[0].state_root'],
  ['a hash without 0x', () => changed(h('9'), h('9').slice(2)), 'id.hash'],
  ['a digit that is none', () => changed(h('9'), `${h('9').slice(0, -1)}g`), 'id.hash'],
  ['2^32', () => changed('"batch_index":0', '"batch_index":4294967296'), 'blocks[0].batch_index'],
  ['a missing field', () => changed(`"tx_root":"${h('d')}",`, ''), 'blocks[0].tx_root'],
  ['null', () => changed('"number":"0x1f4"', '"number":null'), 'id.number'],
  ['no array', () => changed('"blocks":[', '"blocks":{},"x":['), 'blocks'],
  ['half a byte', () => changed('"data_proof":"0x"', '"data_proof":"0x1"'), 'proof_meta.data_proof'],
  ['7 bytes', () => changed('0x0000000000000000', '0x00000000000000'), 'proof_meta.namespace_id'],
]

for (const [name, text, path] of refusals) {
  test(`${name} is refused, with the path`, () => {
    const error = refusal(() => decodeBatch(text()))
    expect(error.kind).toBe('SerializationError')
    expect(error.message.startsWith(`Serialization error: ${path}: `), error.message).toBe(true)
    expect(error.message.length).toBeLessThan(300)
    expect(refusal(() => decodeBatches(`[${encodeBatch(plain)},${text()}]`)).path).toBe(`[1].${path}`)
  })
}

test('unknown fields are ignored, upper-case hex is read, what is no JSON is refused', () => {
  expect(decodeBatch(changed('{"id"', '{"new":{"x":[1.5e3]},"id"'))).toEqual(plain)
  expect(decodeBatch(changed(h('c'), h('c').toUpperCase().replace('0X', '0x')))).toEqual(plain)
  expect(refusal(() => decodeBatch('{')).message).toMatch(/^Serialization error: /)
  expect(refusal(() => decodeBatch('[]')).message).toMatch(/an array is not an object/)
  expect(refusal(() => decodeBatches('{}')).message).toMatch(/no array/)
})

test('the other types come back from their JSON', () => {
  const epoch = new Epoch({
    id: { number: 3n, hash: h('1') },
    startBlock: 10n,
    endBlock: 19n,
    startBatch: 5n,
    endBatch: 7n,
    startTimestamp: 100n,
    endTimestamp: U64,
  })
  expect(decodeEpoch(encodeEpoch(epoch))).toEqual(epoch)
  expect([epoch.blockCount(), epoch.batchCount(), epoch.isEmpty()]).toEqual([10n, 3n, false])
  expect([epoch.containsBlock(19), epoch.containsBlock(20n), epoch.containsBatch(5)]).toEqual([true, false, true])
  expect(new Epoch({ ...epoch, startBlock: 20n }).blockCount()).toBe(0n)
  expect(new Epoch({ ...epoch, startBlock: 20n }).isEmpty()).toBe(true)
  const tag: FinalityTag = {
    batchId: { number: 3n, hash: h('1') },
    l1Block: U256,
    l1BlockHash: h('2'),
    status: 'rolled_back',
    timestamp: 7n,
    txHash: h('3'),
  }
  expect(encodeFinalityTag(tag)).toContain('"status":"RolledBack"')
  expect(decodeFinalityTag(encodeFinalityTag(tag))).toEqual(tag)
  const metadata = new SourceMetadata('n', '1', 'u', true).withMaxBatchSize(9).withAvailable(false)
  expect(decodeSourceMetadata(encodeSourceMetadata(metadata))).toEqual(metadata)
})

test('checkpoints', () => {
  const zero = Checkpoint.default()
  expect([zero.lastBatchId, zero.isValid()]).toEqual([0n, false])
  const checkpoint = new Checkpoint(7, h('1'), 8, 9)
  expect(checkpoint.isValid()).toBe(true)
  expect(checkpoint.withMetadata('k', 'v').getMetadata('k')).toBe('v')
  expect(checkpoint.getMetadata('k')).toBeUndefined()
  expect(new Checkpoint(7, h('1'), 8, 0).isValid()).toBe(false)
  expect(() => new Checkpoint(2 ** 53, h('1'), 8, 9)).toThrow(RangeError)
  expect(() => new Checkpoint(-1n, h('1'), 8, 9)).toThrow(RangeError)
})

test('numbers and hashes as texts', () => {
  expect([u256('0x0'), u256('15'), toHex(255), toHex(U256)]).toEqual([0n, 15n, '0xff', `0x${'f'.repeat(64)}`])
  expect(() => toHex(U256 + 1n)).toThrow(RangeError)
  expect(() => u256('1.5')).toThrow(/number below/)
  expect(bytes32(`0x${'AB'.repeat(32)}`)).toBe(`0x${'ab'.repeat(32)}`)
  expect(() => bytes32('0x00')).toThrow(/32 bytes/)
})

function refusal(task: () => unknown): DatastreamError {
  try {
    task()
  } catch (error) {
    if (error instanceof DatastreamError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
