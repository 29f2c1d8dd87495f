import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WorkerMemory } from '../core/memory.ts'
import { freshSeed, Random } from '../core/random.ts'
import { Checksum, crc32cTwin } from '../kernels/crc32c.ts'
import { Kernels } from '../kernels/kernels.ts'
import { decodeCheckpoint } from './decode.ts'
import { encodeCheckpoint, gather } from './encode.ts'
import { CheckpointError } from './error.ts'
import { StreamCheckpoint } from './stream-checkpoint.ts'

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex')
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The same bytes with the checksum that fits them. */
function sealed(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 4)
  bytes.set(body)
  new DataView(bytes.buffer).setUint32(body.length, crc32cTwin(body.subarray(1)), true)
  return bytes
}

const detailOf = (task: () => unknown): string => {
  try {
    task()
  } catch (error) {
    if (error instanceof CheckpointError) return `${error.kind}: ${error.detail}`
    throw error
  }
  return 'no error'
}
const decodeFault = (bytes: Uint8Array): string => detailOf(() => StreamCheckpoint.fromBytes(bytes))

const SMALLEST = '02010000000000000001000000000000000000000000000000000000000000000000000000000000003d7239b9'
const smallest = (): StreamCheckpoint => new StreamCheckpoint({ id: 1n, epoch: 1n, createdAt: 0n })

const FULL = [
  '022a00000000000000070000000000000000a85d4d8d01000002000000040000007372633164000000000000000400000073726332',
  'ffffffffffffffff010000000500000073696e6b31320000000000000002000000040000007372633188130000000000000400000073',
  '726332000000000000008001000000030000006f703104000000010203042f78b997',
].join('')

function full(reverse: boolean): StreamCheckpoint {
  const order = <T>(entries: [string, T][]): Map<string, T> => new Map(reverse ? entries.reverse() : entries)
  return new StreamCheckpoint({
    id: 42n,
    epoch: 7n,
    createdAt: 1_706_400_000_000n,
    sourceSequences: order([
      ['src1', 100n],
      ['src2', 18_446_744_073_709_551_615n],
    ]),
    sinkPositions: new Map([['sink1', 50n]]),
    watermarks: order([
      ['src1', 5000n],
      ['src2', -9_223_372_036_854_775_808n],
    ]),
    operatorStates: new Map([['op1', Uint8Array.of(1, 2, 3, 4)]]),
  })
}

test('vector 1: the smallest snapshot has 45 bytes', () => {
  expect(hexOf(smallest().toBytes())).toBe(SMALLEST)
  expect(smallest().toBytes()).toHaveLength(45)
  expect(StreamCheckpoint.fromBytes(hex(SMALLEST))).toEqual(smallest())
})

test('vector 2: entries are sorted, whatever the order of the maps', () => {
  expect(hexOf(full(false).toBytes())).toBe(FULL)
  expect(hexOf(full(true).toBytes())).toBe(FULL)
  expect(full(false).toBytes()).toHaveLength(141)
  expect(StreamCheckpoint.fromBytes(hex(FULL))).toEqual(full(false))
})

test.each([
  ['3', `01${'00'.repeat(40)}`, 'unsupported checkpoint version: 1 (expected 2)'],
  [
    '4',
    '0201000000ff00000001000000000000000000000000000000000000000000000000000000000000003d7239b9',
    'CRC mismatch: stored=0xb939723d computed=0xb73f6948',
  ],
  ['5a', SMALLEST.slice(0, -2), 'CRC mismatch: stored=0x39723d00 computed=0x5beac168'],
  ['5b', '020100000000000000010000000000000000000000000000000000b25f51f2', 'truncated u32'],
  ['6a', `${SMALLEST}dead`, 'CRC mismatch: stored=0xaddeb939 computed=0xf161ceeb'],
  [
    '6b',
    '0201000000000000000100000000000000000000000000000000000000000000000000000000000000dead02641933',
    'trailing bytes after checkpoint: 2',
  ],
])('vector %s is refused with its text', (_, bytes, detail) => {
  expect(decodeFault(hex(bytes))).toBe(`IoError: ${detail}`)
})

const header = (rest: string): string => `02${'00'.repeat(24)}${rest}`
const none = '00000000'

test.each([
  ['no bytes', '', 'empty checkpoint data'],
  ['four bytes', '02010203', 'checkpoint too short for CRC'],
  ['header cut', '0201', 'truncated u64'],
  ['name cut', header('010000000500000061'), 'truncated string'],
  ['name length cut', header('010000000500'), 'truncated u32'],
  ['sequence cut', header('01000000010000006101'), 'truncated u64'],
  ['watermark cut', header(`${none}${none}01000000010000006101`), 'truncated i64'],
  ['state cut', header(`${none}${none}${none}0100000001000000610500000001`), 'truncated operator state'],
  ['state length cut', header(`${none}${none}${none}01000000010000006105`), 'truncated u32'],
  ['name not UTF-8', header(`0100000001000000ff${'00'.repeat(8)}`), 'invalid utf8'],
  [
    'name twice',
    header(`${none}02000000${`0100000061${'00'.repeat(8)}`.repeat(2)}`),
    'duplicate name in sink_positions: a',
  ],
])('decoding refuses: %s', (_, body, detail) => {
  const bytes = hex(body)
  expect(decodeFault(bytes.length < 2 || detail.includes('too short') ? bytes : sealed(bytes))).toBe(
    `IoError: ${detail}`,
  )
})

test('an error of decoding has class, hint and the byte where it was met', () => {
  let error: unknown
  try {
    StreamCheckpoint.fromBytes(hex('010000'), 'checkpoints/1.ckpt')
  } catch (caught) {
    error = caught
  }
  expect(error).toMatchObject({
    message: 'checkpoint I/O error: unsupported checkpoint version: 1 (expected 2)',
    code: 'checkpoint_io_error',
    class: 'permanent',
    at: { kind: 'data', source: 'checkpoints/1.ckpt', offset: '0' },
    hint: 'the snapshot is damaged or cut off; use an older one or restore the file',
  })
})

test('entries in any order are read, and names are exact', () => {
  const named = (text: string): string => {
    const bytes = Buffer.from(text)
    return `${hexOf(Uint8Array.of(bytes.length, 0, 0, 0))}${hexOf(bytes)}${'00'.repeat(8)}`
  }
  const body = header(`02000000${named('b')}${named('\ufeffa')}${none}${none}${none}`)
  expect([...StreamCheckpoint.fromBytes(sealed(hex(body))).sourceSequences.keys()]).toEqual(['b', '\ufeffa'])
})

test('names sort by their UTF-8 bytes, not by UTF-16 units', () => {
  const names = ['\u{1f600}', '\uff5e', 'a', 'é', '']
  const bytes = new StreamCheckpoint({
    id: 1n,
    epoch: 1n,
    createdAt: 0n,
    sourceSequences: new Map(names.map((name) => [name, 0n])),
  }).toBytes()
  expect([...StreamCheckpoint.fromBytes(bytes).sourceSequences.keys()]).toEqual(['', 'a', 'é', '\uff5e', '\u{1f600}'])
})

test.each([
  ['id', { id: -1n }, 'id out of range'],
  ['epoch', { epoch: 2n ** 64n }, 'epoch out of range'],
  ['sequence', { sourceSequences: new Map([['s', 2n ** 64n]]) }, "source_sequences['s'] out of range"],
  ['position', { sinkPositions: new Map([['k', -1n]]) }, "sink_positions['k'] out of range"],
  ['watermark', { watermarks: new Map([['s', 2n ** 63n]]) }, "watermarks['s'] out of range"],
  ['name', { watermarks: new Map([['\ud800', 0n]]) }, 'watermarks["\\ud800"] is not valid Unicode'],
])('encoding refuses a bad %s', (_, parts, detail) => {
  const checkpoint = new StreamCheckpoint({ id: 1n, epoch: 1n, createdAt: 0n, ...parts })
  expect(detailOf(() => checkpoint.toBytes())).toBe(`InvalidConfig: ${detail}`)
})

test('a state of 2³² bytes is refused before a byte is written', () => {
  const huge = { byteLength: 2 ** 32, chunks: () => [] }
  const form = { ...smallest(), operatorStates: new Map([['op', huge]]) }
  expect(detailOf(() => encodeCheckpoint(form))).toBe("InvalidConfig: operator_states['op'] out of range")
})

test('a streamed state that gives other than what it announced is refused', () => {
  const wrong = { byteLength: 3, chunks: () => [Uint8Array.of(1), Uint8Array.of(2)] }
  const body = encodeCheckpoint({ ...smallest(), operatorStates: new Map([['op', wrong]]) })
  expect(() => gather(body)).toThrow("operator state 'op' gave 2 bytes and had announced 3")
})

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const nameOf = fc.string({ unit: 'grapheme', maxLength: 12 })
const mapOf = <T>(value: fc.Arbitrary<T>) => fc.array(fc.tuple(nameOf, value), { maxLength: 8 }).map((e) => new Map(e))
const checkpoints = fc
  .record({
    id: u64,
    epoch: u64,
    createdAt: u64,
    sourceSequences: mapOf(u64),
    sinkPositions: mapOf(u64),
    watermarks: mapOf(i64),
    operatorStates: mapOf(fc.uint8Array({ maxLength: 300 })),
  })
  .map((parts) => new StreamCheckpoint(parts))

test('decode is the inverse of encode, at every size of chunks', () => {
  const seed = freshSeed()
  fc.assert(
    fc.property(checkpoints, fc.integer({ min: 1, max: 64 }), (checkpoint, size) => {
      const bytes = checkpoint.toBytes()
      expect(StreamCheckpoint.fromBytes(bytes)).toEqual(checkpoint)
      const streamed = new Map(
        [...checkpoint.operatorStates].map(([name, state]) => [
          name,
          {
            byteLength: state.length,
            *chunks() {
              for (let at = 0; at < state.length; at += size) yield state.slice(at, at + size)
            },
          },
        ]),
      )
      expect(hexOf(gather(encodeCheckpoint({ ...checkpoint, operatorStates: streamed })))).toBe(hexOf(bytes))
    }),
    { seed, numRuns: 300 },
  )
})

test('large states pass in pieces, with the kernel checksum as with its twin', () => {
  const state = new Uint8Array(1_000_003).map((_, i) => i * 31)
  const checkpoint = new StreamCheckpoint({
    id: 9n,
    epoch: 9n,
    createdAt: 9n,
    operatorStates: new Map([
      ['a', state],
      ['b', Uint8Array.of(1)],
      ['c', state.subarray(0, 70_000)],
    ]),
  })
  using crc = new Checksum(new Kernels(new WorkerMemory()))
  const body = encodeCheckpoint(checkpoint, crc.crc32c)
  let longest = 0
  for (const chunk of body.chunks()) longest = Math.max(longest, chunk.length)
  expect(longest).toBeLessThanOrEqual(256 * 1024)
  const bytes = gather(body)
  expect(Buffer.compare(bytes, checkpoint.toBytes())).toBe(0)
  const decoded = decodeCheckpoint(bytes, 'x', crc.crc32c)
  expect(Buffer.compare(new StreamCheckpoint(decoded).toBytes(), bytes)).toBe(0)
})

test('the input may be reused after decoding', () => {
  const bytes = full(false).toBytes()
  const decoded = StreamCheckpoint.fromBytes(bytes)
  bytes.fill(0)
  expect(decoded).toEqual(full(false))
})

test('every truncation, every trailing byte and 10,000 flipped bits are noticed', () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const state = Uint8Array.from({ length: 5000 }, () => random.below(256))
  const bytes = new StreamCheckpoint({
    id: 3n,
    epoch: 2n,
    createdAt: 1n,
    sourceSequences: new Map([['a', 1n]]),
    watermarks: new Map([['a', -5n]]),
    operatorStates: new Map([['op/1/0-255', state]]),
  }).toBytes()
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeFault(bytes.subarray(0, length)), `length ${length}`).toMatch(/^IoError/)
  }
  for (let i = 0; i < 10_000; i++) {
    const bit = random.below(bytes.length * 8)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    if (decodeFault(bytes) === 'no error') expect.fail(`seed ${seed}: bit ${bit} went unnoticed`)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
  }
  for (const length of [1, 2, 4, 100]) {
    expect(decodeFault(Buffer.concat([bytes, new Uint8Array(length)]))).toMatch(/^IoError: CRC mismatch/)
    expect(decodeFault(sealed(Buffer.concat([bytes.subarray(0, -4), new Uint8Array(length)])))).toBe(
      `IoError: trailing bytes after checkpoint: ${length}`,
    )
  }
  const zeroed = bytes.slice()
  zeroed.fill(0, 512, 512 + 4096)
  expect(decodeFault(zeroed)).toMatch(/^IoError: CRC mismatch/)
})

test('random bodies with a right checksum end in a snapshot or in one of the texts', () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const texts =
    /^(no error|IoError: (truncated (u32|u64|i64|string|operator state)|invalid utf8|duplicate name in \w+: .*|trailing bytes after checkpoint: \d+))$/s
  const start = full(false).toBytes().subarray(0, -4)
  for (let i = 0; i < 3000; i++) {
    const body = start.slice(0, random.between(1, start.length))
    for (let flips = random.below(4); flips > 0; flips--) {
      const at = random.below(body.length)
      if (at > 0) body[at] = random.below(256)
    }
    expect(decodeFault(sealed(body)), `seed ${seed}, round ${i}`).toMatch(texts)
  }
})

test.each([0x80000000, 0xffffffff])('a count or length of %i takes no memory', (absurd) => {
  const bytes = full(false).toBytes()
  const body = Buffer.concat([bytes.subarray(0, -4), new Uint8Array(64 * 1024)])
  for (let at = 25; at < 135; at++) {
    const copy = Uint8Array.from(body)
    new DataView(copy.buffer).setUint32(at, absurd, true)
    const damaged = sealed(copy)
    const before = process.memoryUsage().arrayBuffers
    expect(decodeFault(damaged)).toMatch(/^IoError/)
    expect(process.memoryUsage().arrayBuffers - before, `offset ${at}`).toBeLessThanOrEqual(damaged.length)
  }
})

test('decoding takes at most the size of its input beside it', () => {
  const state = new Uint8Array(8 * 1024 * 1024)
  const bytes = new StreamCheckpoint({
    id: 1n,
    epoch: 1n,
    createdAt: 0n,
    operatorStates: new Map([...'abcd'].map((name) => [name, state])),
  }).toBytes()
  const before = process.memoryUsage().arrayBuffers
  const decoded = StreamCheckpoint.fromBytes(bytes)
  const grown = process.memoryUsage().arrayBuffers - before
  expect(decoded.operatorStates.size).toBe(4)
  expect(grown).toBeLessThanOrEqual(bytes.length)
})
