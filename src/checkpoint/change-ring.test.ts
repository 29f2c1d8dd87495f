import { deepStrictEqual } from 'node:assert/strict'
import { expect, test } from 'vitest'
import { WATERMARK_UNSET } from '../core/counters.ts'
import { freshSeed, Random } from '../core/random.ts'
import { crc32cTwin } from '../kernels/crc32c.ts'
import { encodeFrame } from '../log/frame.ts'
import { StreamChangelogEntry } from './change-entry.ts'
import { StreamChangelogBuffer } from './change-ring.ts'
import { CheckpointError } from './error.ts'
import { decodeWalRecord, encodeBinding, encodeCommit, encodeMark, WAL_KIND } from './wal-records.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const entry7 = StreamChangelogEntry.create(3, 'push', 1n, WATERMARK_UNSET)

test('vector 7: a change entry has 24 bytes', () => {
  const bytes = '030000000000000001000000000000000000000000000080'
  expect(hex(entry7.toBytes())).toBe(bytes)
  const read = StreamChangelogEntry.fromBytes(Buffer.from(bytes, 'hex'))
  expect([read, read.opType()]).toEqual([entry7, 'push'])
})

test('vector 8: log records of an entry and of a mark', () => {
  const checksum = { crc32c: (bytes: Uint8Array) => crc32cTwin(bytes) }
  expect(hex(encodeFrame(WAL_KIND.entries, entry7.toBytes(), checksum))).toBe(
    '19000000f873438801030000000000000001000000000000000000000000000080',
  )
  expect(hex(encodeFrame(WAL_KIND.mark, encodeMark(42n, 7n), checksum))).toBe(
    '11000000070d20db022a000000000000000700000000000000',
  )
})

test('padding and reserved bytes are ignored, other operations have no name', () => {
  const bytes = entry7.toBytes()
  bytes.fill(0xff, 3, 8)
  expect(StreamChangelogEntry.fromBytes(bytes)).toEqual(entry7)
  bytes[2] = 9
  expect(StreamChangelogEntry.fromBytes(bytes).opType()).toBeUndefined()
  expect(['push', 'watermark', 'barrier'].map((op) => StreamChangelogEntry.create(0, op as 'push', 0n, 0n).op)).toEqual(
    [0, 1, 2],
  )
})

test('values outside their range, and other lengths, are refused', () => {
  for (const make of [
    () => StreamChangelogEntry.create(65_536, 'push', 0n, 0n),
    () => StreamChangelogEntry.create(0, 256, 0n, 0n),
    () => StreamChangelogEntry.create(0, 'push', 2n ** 64n, 0n),
    () => StreamChangelogEntry.create(0, 'push', 0n, 2n ** 63n),
  ]) {
    expect(make).toThrow('out of range')
  }
  expect(() => StreamChangelogEntry.fromBytes(new Uint8Array(23))).toThrow('checkpoint I/O error')
  expect(() => new StreamChangelogBuffer(0)).toThrow(
    new CheckpointError('InvalidConfig', 'changelog_capacity must be > 0'),
  )
})

test('log records that are not whole do not decode', () => {
  expect(decodeWalRecord(WAL_KIND.binding, encodeBinding(7, 'ä'))).toEqual({ kind: 'binding', sourceId: 7, name: 'ä' })
  expect(decodeWalRecord(WAL_KIND.commit, encodeCommit(9n))).toEqual({ kind: 'commit', id: 9n })
  for (const kind of [WAL_KIND.entries, WAL_KIND.mark, WAL_KIND.binding, WAL_KIND.commit]) {
    expect(decodeWalRecord(kind, new Uint8Array(5))).toBeUndefined()
  }
  const binding = encodeBinding(7, 'ä')
  binding[binding.length - 1] = 0xff
  expect(decodeWalRecord(WAL_KIND.binding, binding)).toBeUndefined()
  expect(decodeWalRecord(5, new Uint8Array(5))).toEqual({ kind: 'other' })
})

test.each(['drop_new', 'overwrite_oldest'] as const)('a ring with %s does what an array does', (policy) => {
  const seed = freshSeed()
  const random = new Random(seed)
  for (let round = 0; round < 100; round++) {
    const capacity = 1 + random.below(9)
    const ring = new StreamChangelogBuffer(capacity, policy)
    const model: StreamChangelogEntry[] = []
    let overflows = 0
    for (let step = 0; step < 100; step++) {
      const same = (actual: unknown, expected: unknown): void =>
        deepStrictEqual(actual, expected, `seed ${seed}, round ${round}, step ${step}`)
      const act = random.below(10)
      if (act < 6) {
        const entry = StreamChangelogEntry.create(random.below(9), 'push', BigInt(step), -BigInt(step))
        const isFull = model.length === capacity
        if (isFull) overflows++
        if (isFull && policy === 'overwrite_oldest') model.shift()
        const stored = model.length < capacity
        if (stored) model.push(entry)
        same(ring.push(entry), stored)
      } else if (act < 8) {
        same(ring.pop(), model.shift())
      } else if (act < 9) {
        const out = [entry7]
        const max = random.below(4)
        const expected = model.splice(0, max)
        same(ring.drain(max, out), expected.length)
        same(out, [entry7, ...expected])
      } else {
        const bytes = ring.takeBytes()
        same(
          hex(bytes),
          model
            .splice(0)
            .map((entry) => hex(entry.toBytes()))
            .join(''),
        )
      }
      same(
        [ring.len(), ring.isEmpty(), ring.isFull(), ring.overflowCount(), ring.capacity()],
        [model.length, model.length === 0, model.length === capacity, overflows, capacity],
      )
    }
    const rest: StreamChangelogEntry[] = []
    ring.drainAll(rest)
    expect(rest).toEqual(model)
  }
})
