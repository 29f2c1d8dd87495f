import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshSeed, Random } from '../core/random.ts'
import { AppendLog } from './append-log.ts'
import { type LogFiles, systemFiles } from './log-files.ts'

/** Bitwise CRC-32C, sharing nothing with the kernels. */
const checksum = {
  crc32c(bytes: Uint8Array): number {
    let crc = 0xffffffff
    for (const byte of bytes) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    }
    return (crc ^ 0xffffffff) >>> 0
  },
}

async function inFolder(task: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-log-'))
  try {
    await task(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const text = (payload: Uint8Array): string => Buffer.from(payload).toString()
const bytes = (value: string): Uint8Array => Buffer.from(value)
const contents = (log: AppendLog, from?: bigint): string[] =>
  [...log.read(from)].map((record) => `${record.sequence}:${record.kind}:${text(record.payload)}`)

test('records come back in order after it is opened again', () =>
  inFolder(async (directory) => {
    const log = AppendLog.open({ directory, checksum })
    expect(log.append(1, bytes('a'))).toBe(1n)
    expect(log.append(2, bytes(''))).toBe(2n)
    await log.flush()
    await log[Symbol.asyncDispose]()
    const again = AppendLog.open({ directory, checksum })
    expect(contents(again)).toEqual(['1:1:a', '2:2:'])
    expect(again.append(1, bytes('c'))).toBe(3n)
    expect(contents(again, 2n)).toEqual(['2:2:', '3:1:c'])
    await again[Symbol.asyncDispose]()
  }))

test('damage before a whole record is cut, or refused on demand; a torn end is always cut', () =>
  inFolder(async (directory) => {
    const log = AppendLog.open({ directory, checksum })
    for (const value of ['one', 'two', 'three']) log.append(1, bytes(value))
    await log[Symbol.asyncDispose]()
    const path = join(directory, readdirSync(directory)[0]!)
    const whole = readFileSync(path)
    const second = 32 + 8 + 4
    const open = () => AppendLog.open({ directory, checksum, refusesDamage: true })
    for (const at of [second + 4, second + 8, second + 10]) {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1
      writeFileSync(path, flipped)
      expect(open).toThrow(`log corrupt: segment 1 offset ${second}`)
      expect(readFileSync(path).equals(flipped)).toBe(true)
      expect(contents(AppendLog.open({ directory, checksum }))).toEqual(['1:1:one'])
    }
    for (let length = second; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length))
      expect(contents(open())).toEqual(length < second + 12 ? ['1:1:one'] : ['1:1:one', '2:1:two'])
    }
  }))

test('segments roll, and whole segments are trimmed', () =>
  inFolder(async (directory) => {
    const log = AppendLog.open({ directory, checksum, segmentBytes: 60 })
    for (let i = 1; i <= 9; i++) {
      log.append(1, bytes(`record ${i}`))
      await log.flush()
    }
    const before = readdirSync(directory).length
    expect(before).toBeGreaterThan(2)
    log.trim(5n)
    expect(readdirSync(directory).length).toBeLessThan(before)
    expect(log.firstSequence).toBeLessThanOrEqual(5n)
    expect(contents(log, 5n)).toEqual([5, 6, 7, 8, 9].map((i) => `${i}:1:record ${i}`))
    expect(() => [...log.read(1n)]).toThrow('was removed')
    await log[Symbol.asyncDispose]()
  }))

test('flushes that wait together share one sync', () =>
  inFolder(async (directory) => {
    let syncs = 0
    const files: LogFiles = {
      ...systemFiles,
      sync: (descriptor) => {
        syncs++
        return systemFiles.sync(descriptor)
      },
    }
    const log = AppendLog.open({ directory, checksum, files })
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => {
        log.append(1, bytes(String(i)))
        return log.flush()
      }),
    )
    expect(syncs).toBeLessThanOrEqual(2)
    await log[Symbol.asyncDispose]()
  }))

test('a record written while a sync runs waits for the next one', () =>
  inFolder(async (directory) => {
    const gate = Promise.withResolvers<void>()
    let syncs = 0
    const files: LogFiles = {
      ...systemFiles,
      sync: async (descriptor) => {
        if (++syncs === 1) await gate.promise
        await systemFiles.sync(descriptor)
      },
    }
    const log = AppendLog.open({ directory, checksum, files })
    log.append(1, bytes('a'))
    const first = log.flush()
    await new Promise(setImmediate)
    log.append(1, new Uint8Array(1024 * 1024))
    const second = log.flush()
    gate.resolve()
    await first
    await second
    expect(syncs).toBe(2)
    await log[Symbol.asyncDispose]()
  }))

test('every cut of the last group leaves a prefix of whole records', () =>
  inFolder(async (directory) => {
    const log = AppendLog.open({ directory, checksum })
    const records = ['one', 'two', 'three'].map((word) => word.repeat(3))
    for (const record of records) log.append(7, bytes(record))
    await log[Symbol.asyncDispose]()
    const path = join(directory, readdirSync(directory)[0]!)
    const whole = readFileSync(path)
    for (let length = whole.length; length >= 0; length--) {
      writeFileSync(path, whole)
      truncateSync(path, length)
      const cut = AppendLog.open({ directory, checksum })
      const left = contents(cut)
      expect(left).toEqual(records.slice(0, left.length).map((record, i) => `${i + 1}:7:${record}`))
      expect(cut.append(7, bytes('next'))).toBe(BigInt(left.length + 1))
      await cut[Symbol.asyncDispose]()
      const reopened = AppendLog.open({ directory, checksum })
      expect(contents(reopened).at(-1)).toBe(`${left.length + 1}:7:next`)
      await reopened[Symbol.asyncDispose]()
      for (const name of readdirSync(directory)) if (!path.endsWith(name)) rmSync(join(directory, name))
    }
  }))

test('a flipped bit never gives a wrong record', () =>
  inFolder(async (directory) => {
    const seed = freshSeed()
    const random = new Random(seed)
    const log = AppendLog.open({ directory, checksum })
    const records = Array.from({ length: 20 }, (_, i) => `record ${i} ${'x'.repeat(random.below(30))}`)
    for (const record of records) log.append(3, bytes(record))
    await log[Symbol.asyncDispose]()
    const path = join(directory, readdirSync(directory)[0]!)
    const whole = readFileSync(path)
    for (let i = 0; i < 500; i++) {
      const damaged = Buffer.from(whole)
      const at = random.below(damaged.length)
      damaged[at]! ^= 1 << random.below(8)
      writeFileSync(path, damaged)
      if (at < 28) {
        expect(() => AppendLog.open({ directory, checksum }), `seed ${seed}, byte ${at}`).toThrow('log corrupt')
        continue
      }
      const opened = AppendLog.open({ directory, checksum })
      const left = contents(opened)
      expect(left, `seed ${seed}, byte ${at}`).toEqual(
        records.slice(0, left.length).map((record, k) => `${k + 1}:3:${record}`),
      )
      await opened[Symbol.asyncDispose]()
      for (const name of readdirSync(directory)) if (!path.endsWith(name)) rmSync(join(directory, name))
    }
  }))

test('damage in an earlier segment is refused with its place', () =>
  inFolder(async (directory) => {
    const log = AppendLog.open({ directory, checksum, segmentBytes: 50 })
    for (let i = 0; i < 6; i++) {
      log.append(1, bytes(`record ${i}`))
      await log.flush()
    }
    await log[Symbol.asyncDispose]()
    const path = join(directory, readdirSync(directory).sort()[0]!)
    const damaged = readFileSync(path)
    damaged[damaged.length - 1]! ^= 1
    writeFileSync(path, damaged)
    expect(() => AppendLog.open({ directory, checksum })).toThrow(/log corrupt: segment 1 offset \d+/)
  }))

for (const failing of ['write', 'sync'] as const) {
  test(`a failed ${failing} fails the waiting flush, and the log goes on in a new segment`, () =>
    inFolder(async (directory) => {
      let broken = false
      const fault = (): never => {
        throw Object.assign(new Error('disk'), { code: 'EIO' })
      }
      const files: LogFiles = {
        ...systemFiles,
        write: (descriptor, data) => (broken && failing === 'write' ? fault() : systemFiles.write(descriptor, data)),
        sync: async (descriptor) => (broken && failing === 'sync' ? fault() : systemFiles.sync(descriptor)),
      }
      const log = AppendLog.open({ directory, checksum, files })
      log.append(1, bytes('kept'))
      await log.flush()
      broken = true
      log.append(1, bytes('lost'))
      await expect(log.flush()).rejects.toThrow(`cannot ${failing} the log`)
      broken = false
      expect(log.append(1, bytes('after'))).toBe(2n)
      await log.flush()
      await log[Symbol.asyncDispose]()
      const again = AppendLog.open({ directory, checksum })
      expect(contents(again)).toEqual(['1:1:kept', '2:1:after'])
      expect(readdirSync(directory)).toHaveLength(2)
      await again[Symbol.asyncDispose]()
    }))
}

test('a full segment is left only when it is durable', () =>
  inFolder(async (directory) => {
    const synced: number[] = []
    const files: LogFiles = {
      ...systemFiles,
      sync: (descriptor) => {
        synced.push(descriptor)
        return systemFiles.sync(descriptor)
      },
    }
    const log = AppendLog.open({ directory, checksum, files, segmentBytes: 100 })
    // Larger than what may wait: written before any flush.
    for (let i = 0; i < 3; i++) log.append(1, new Uint8Array(1024 * 1024))
    expect([readdirSync(directory).length, synced.length]).toEqual([1, 0])
    await log.flush()
    log.append(1, bytes('next'))
    await log.flush()
    expect([readdirSync(directory).length, synced.length]).toEqual([2, 2])
    await log[Symbol.asyncDispose]()
  }))

test('a segment whose header could not be written is made again', () =>
  inFolder(async (directory) => {
    let broken = true
    const files: LogFiles = {
      ...systemFiles,
      write: (descriptor, data) => {
        if (broken) throw Object.assign(new Error('disk'), { code: 'ENOSPC' })
        systemFiles.write(descriptor, data)
      },
    }
    const log = AppendLog.open({ directory, checksum, files })
    log.append(1, bytes('lost'))
    await expect(log.flush()).rejects.toThrow('cannot write the log')
    expect(readdirSync(directory)).toEqual([])
    broken = false
    expect(log.append(1, bytes('kept'))).toBe(1n)
    await log.flush()
    await log[Symbol.asyncDispose]()
    const again = AppendLog.open({ directory, checksum })
    expect(contents(again)).toEqual(['1:1:kept'])
    await again[Symbol.asyncDispose]()
  }))
