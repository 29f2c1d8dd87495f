import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { freshSeed, Random } from '../../core/random.ts'
import { crc32cTwin } from '../../kernels/crc32c.ts'
import { type LogFiles, systemFiles } from '../../log/log-files.ts'
import { type DeadLetter, DeadLetters } from '../dead-letters.ts'
import { FileQueue, type FileQueueForm } from './file-queue.ts'
import { purgeEntries } from './purge.ts'
import { bytesOf, entryAt, writersOf } from './queue-folder.ts'
import { readQueue } from './queue-state.ts'
import { queueSettings } from './settings.ts'

const checksum = { crc32c: (bytes: Uint8Array) => crc32cTwin(bytes) }
const clock = new ManualClock()
const NOW = clock.nowMicros()

let root: string
let directory: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headrace-dlq-'))
  directory = join(root, 'dlq', 'p')
})
afterEach(() => rmSync(root, { recursive: true }))

const letter = (ordinal: number, more: Partial<DeadLetter> = {}): DeadLetter => ({
  code: 'connector_record_invalid',
  detail: 'column "a": "x" is not a BIGINT',
  stage: 'decode',
  source: 'file:in.jsonl',
  sourceId: 's',
  split: '/in.jsonl',
  ordinal,
  byte: ordinal * 10,
  value: Buffer.from([0xff, 0, ordinal]),
  encoding: 'raw',
  sqlPosition: undefined,
  ...more,
})

interface Opened {
  readonly queue: FileQueue
  readonly notes: string[]
  readonly stop: AbortController
}

function open(
  incarnation: bigint,
  more: Partial<FileQueueForm> & { readonly settings?: never; readonly set?: Record<string, string> } = {},
): Opened {
  const notes: string[] = []
  const stop = new AbortController()
  const { set = {}, ...rest } = more
  const settings = queueSettings({
    settings: new Map(Object.entries(set).map(([key, value]) => [`dlq.${key}`, value])),
  })
  const queue = new FileQueue({
    directory,
    run: {
      pipeline: 'p',
      planHash: 'h',
      version: '1',
      messageBytesMax: settings.message_bytes_max,
      incarnationOf: () => 'f1',
    },
    place: { lineage: 'aaaaaaaa', incarnation },
    settings,
    letters: new DeadLetters(() => undefined),
    checksum,
    clock,
    signal: stop.signal,
    onNote: (text) => notes.push(text),
    ...rest,
  })
  return { queue, notes, stop }
}

const put = async (queue: FileQueue, ...letters: readonly DeadLetter[]): Promise<void> => {
  for (const one of letters) await queue.add(one, NOW)
}
const last = { last: false }
const epoch = async (queue: FileQueue, n: bigint): Promise<Uint8Array> => {
  const token = await queue.sink.prepare!(n, last)
  await queue.sink.commit!(n, token, undefined as never)
  return token
}
/** What a reader sees: ordinals of the entries that wait. */
function seen(): number[] {
  const { entries } = readQueue(directory, checksum)
  return [...entries.values()].map(
    ({ writer, place }) => entryAt(writer, place, checksum).facts.original_message.offset!,
  )
}

describe('epochs', () => {
  test('an entry is seen once its epoch is committed, with its bytes', async () => {
    const { queue } = open(1n)
    await put(queue, letter(1))
    const token = await queue.sink.prepare!(1n, last)
    await put(queue, letter(2))
    expect(seen()).toEqual([])
    await queue.sink.commit!(1n, token, undefined as never)
    expect(seen()).toEqual([1])
    await epoch(queue, 2n)
    expect(seen()).toEqual([1, 2])
    const { entries } = readQueue(directory, checksum)
    const [first, second] = [...entries.values()]
    expect([first!.epoch, second!.epoch]).toEqual([1n, 2n])
    const { facts, bytes } = entryAt(first!.writer, first!.place, checksum)
    expect([...bytes]).toEqual([0xff, 0, 1])
    expect(facts).toMatchObject({
      original_message: { source_uri: 'file:in.jsonl', partition: '/in.jsonl', offset: 1, position: 10, bytes: 3 },
      error_details: { error_type: 'connector_record_invalid', error_category: 'parsing', field: 'a', stage: 'decode' },
      metadata: { pipeline: 'p', pipeline_version: 'h', headrace_version: '1' },
    })
    await queue[Symbol.asyncDispose]()
  })

  test('epochs without entries write nothing', async () => {
    const { queue } = open(1n)
    await epoch(queue, 1n)
    expect(writersOf(directory)).toEqual([])
    await put(queue, letter(1))
    await epoch(queue, 2n)
    const bytes = bytesOf(writersOf(directory)[0]!)
    await epoch(queue, 3n)
    expect(bytesOf(writersOf(directory)[0]!)).toBe(bytes)
    await queue[Symbol.asyncDispose]()
  })

  test('a run goes on where the last one was committed; an epoch that was prepared only is committed by its token', async () => {
    const first = open(1n)
    await put(first.queue, letter(1))
    await epoch(first.queue, 1n)
    await put(first.queue, letter(2))
    const token = await first.queue.sink.prepare!(2n, last)
    await put(first.queue, letter(3))
    await first.queue.sink.prepare!(3n, last)
    await first.queue[Symbol.asyncDispose]()
    const second = open(2n)
    expect(await second.queue.sink.ledger!(2n)).toEqual({ epoch: 1n, incarnation: 2n })
    await second.queue.sink.commit!(2n, token, undefined as never)
    await second.queue.sink.restore!(2n, token)
    expect(seen()).toEqual([1, 2])
    expect(second.queue.fill.entries).toBe(2)
    // The row is read again and fails again: one entry, not two.
    await put(second.queue, letter(3), letter(4))
    await epoch(second.queue, 3n)
    expect(seen()).toEqual([1, 2, 3, 4])
    expect(await second.queue.sink.ledger!(2n)).toEqual({ epoch: 3n, incarnation: 2n })
    await second.queue[Symbol.asyncDispose]()
  })

  test('a run that was replaced cannot add to what its successor committed', async () => {
    const old = open(1n)
    await put(old.queue, letter(1))
    const token = await epoch(old.queue, 1n)
    const successor = open(2n)
    await successor.queue.sink.restore!(1n, token)
    await put(old.queue, letter(2))
    await old.queue.sink.prepare!(2n, last)
    await put(successor.queue, letter(3))
    await epoch(successor.queue, 2n)
    await old.queue.sink.prepare!(3n, last)
    expect(seen()).toEqual([1, 3])
    // Both commit the epoch that both know: as if one had.
    await old.queue.sink.commit!(1n, token, undefined as never)
    expect(seen()).toEqual([1, 3])
    await old.queue[Symbol.asyncDispose]()
    await successor.queue[Symbol.asyncDispose]()
  })

  test('another lineage counts its epochs anew and finds the same failures', async () => {
    const first = open(1n)
    await put(first.queue, letter(1))
    await epoch(first.queue, 7n)
    await first.queue[Symbol.asyncDispose]()
    const next = open(2n, { place: { lineage: 'bbbbbbbb', incarnation: 2n } })
    expect(await next.queue.sink.ledger!(2n)).toMatchObject({ epoch: 0n })
    await next.queue.sink.restore!(0n, undefined)
    await put(next.queue, letter(1))
    await epoch(next.queue, 8n)
    const [entry] = [...readQueue(directory, checksum).entries.values()]
    expect(seen()).toEqual([1])
    expect(entry).toMatchObject({ attempts: 2, state: 'pending' })
    await next.queue[Symbol.asyncDispose]()
  })

  test('failures of one row are told apart by place, sink, and order', async () => {
    const { queue } = open(1n)
    const at = (sqlPosition: string): DeadLetter => letter(1, { stage: 'expression', sqlPosition })
    await put(
      queue,
      letter(1),
      at('a.sql:1:2'),
      at('a.sql:1:2'),
      at('a.sql:3:4'),
      letter(1, { stage: 'sink', sink: 'x' }),
    )
    await epoch(queue, 1n)
    expect(readQueue(directory, checksum).entries.size).toBe(5)
    await queue[Symbol.asyncDispose]()
    // The same again, however the script's file is named.
    const again = open(2n)
    await again.queue.sink.restore!(1n, undefined)
    const other = (sqlPosition: string): DeadLetter => letter(1, { stage: 'expression', sqlPosition })
    await put(again.queue, other('/x/a.sql:1:2'), other('/x/a.sql:1:2'))
    expect(again.queue.fill.entries).toBe(5)
    await again.queue[Symbol.asyncDispose]()
  })
})

test('every length of a cut log gives a prefix of its committed entries, and the next run goes on', async () => {
  const { queue } = open(1n)
  for (let n = 1; n <= 3; n++) {
    await put(queue, letter(n))
    await epoch(queue, BigInt(n))
  }
  await queue[Symbol.asyncDispose]()
  const [writer] = writersOf(directory)
  const path = join(writer!.directory, readdirSync(writer!.directory)[0]!)
  const counts = new Set<number>()
  for (let length = bytesOf(writer!) - 1; length >= 0; length -= 7) {
    truncateSync(path, length)
    const ordinals = seen()
    expect(ordinals).toEqual([1, 2, 3].slice(0, ordinals.length))
    counts.add(ordinals.length)
  }
  expect([...counts]).toEqual([2, 1, 0])
  const next = open(2n)
  await next.queue.sink.restore!(0n, undefined)
  await put(next.queue, letter(9))
  await epoch(next.queue, 1n)
  expect(seen()).toEqual([9])
  await next.queue[Symbol.asyncDispose]()
})

test('damage inside a log is told, not passed over', async () => {
  const { queue } = open(1n)
  await put(queue, letter(1), letter(2, { value: Buffer.alloc(50 * 1024 * 1024) }))
  await epoch(queue, 1n)
  await queue[Symbol.asyncDispose]()
  const [writer] = writersOf(directory)
  const { entries } = readQueue(directory, checksum)
  const { place } = [...entries.values()][0]!
  const path = join(writer!.directory, readdirSync(writer!.directory)[0]!)
  const descriptor = openSync(path, 'r+')
  writeSync(descriptor, Buffer.from([1]), 0, 1, place.offset + 30)
  closeSync(descriptor)
  expect(() => entryAt(writer!, place, checksum)).toThrow('log corrupt')
})

test('originals are kept as they are; of one that is too long its head and its digest', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const whole = Buffer.from(Array.from({ length: 5000 }, () => random.below(256)))
  const long = Buffer.alloc(100 * 1024, 7)
  const { queue } = open(1n, { set: { message_bytes_max: '65KiB' } })
  await put(queue, letter(1, { value: whole }), letter(2, { value: long }), letter(3, { value: Buffer.alloc(0) }))
  await epoch(queue, 1n)
  await queue[Symbol.asyncDispose]()
  const stored = [...readQueue(directory, checksum).entries.values()].map(({ writer, place }) =>
    entryAt(writer, place, checksum),
  )
  expect(Buffer.compare(stored[0]!.bytes, whole), `seed ${seed}`).toBe(0)
  expect(stored[1]!.bytes).toHaveLength(64 * 1024)
  expect(stored[1]!.facts.original_message).toMatchObject({ truncated: true, bytes: 100 * 1024 })
  expect(stored[2]!.bytes).toHaveLength(0)
})

describe('limits', () => {
  test('full: the pipeline waits until entries are purged, and says so', async () => {
    const { queue, notes } = open(1n, { set: { max_entries: '2' } })
    await put(queue, letter(1), letter(2))
    await epoch(queue, 1n)
    let passed = false
    const third = queue.add(letter(3), NOW).then(() => {
      passed = true
    })
    await new Promise(setImmediate)
    for (let i = 0; i < 3; i++) {
      clock.advance(10_000)
      await new Promise(setImmediate)
    }
    expect(passed).toBe(false)
    expect(queue.wait?.detail).toContain('dlq.max_entries = 2')
    expect(queue.fill).toMatchObject({ entries: 2, share: 1 })
    const purged = await purgeEntries(directory, {
      select: ({ entries }) => [...entries.values()].slice(0, 1),
      checksum,
      clock,
    })
    expect(purged).toBe(1)
    while (!passed) {
      clock.advance(10_000)
      await new Promise(setImmediate)
    }
    await third
    expect(queue.wait).toBeUndefined()
    await epoch(queue, 2n)
    expect(seen()).toEqual([2, 3])
    expect(notes).toEqual([
      'dead letters: 2 wait, 100 % of the limit',
      expect.stringContaining('the pipeline waits: the dead letters are full'),
      'dead letters are taken again: the pipeline goes on',
    ])
    await queue[Symbol.asyncDispose]()
  })

  test('a stop ends the wait; nothing of the epoch is seen', async () => {
    const { queue, stop } = open(1n, { set: { max_entries: '1' } })
    await put(queue, letter(1))
    await epoch(queue, 1n)
    const second = queue.add(letter(2), NOW)
    await new Promise(setImmediate)
    stop.abort()
    await expect(second).rejects.toMatchObject({ code: 'dlq_full' })
    expect(seen()).toEqual([1])
    await queue[Symbol.asyncDispose]()
  })

  test('reject fails the epoch, drop_oldest drops and counts', async () => {
    const rejecting = open(1n, { set: { max_entries: '1', overflow: 'reject' } })
    await put(rejecting.queue, letter(1))
    await expect(put(rejecting.queue, letter(2))).rejects.toMatchObject({ code: 'dlq_full' })
    await rejecting.queue[Symbol.asyncDispose]()
    const dropping = open(2n, { set: { max_entries: '2', overflow: 'circular' } })
    await put(dropping.queue, letter(1), letter(2), letter(3), letter(4))
    await epoch(dropping.queue, 1n)
    expect(seen()).toEqual([3, 4])
    expect([dropping.queue.dropped, readQueue(directory, checksum).dropped]).toEqual([2, 2])
    await dropping.queue[Symbol.asyncDispose]()
  })

  test('max_bytes counts whole entries', async () => {
    const { queue } = open(1n, { set: { max_bytes: '4KiB', overflow: 'drop_oldest' } })
    for (let n = 1; n <= 10; n++) await put(queue, letter(n, { value: Buffer.alloc(600) }))
    await epoch(queue, 1n)
    expect(queue.fill.bytes).toBeLessThanOrEqual(4096)
    expect(seen()).toEqual([8, 9, 10])
    await queue[Symbol.asyncDispose]()
  })

  test('retention: what is too old goes with the next epoch, and its log at the next start', async () => {
    const first = open(1n)
    await first.queue.add(letter(1), NOW - 40 * 86_400_000_000)
    await first.queue.sink.prepare!(1n, last).then((token) => first.queue.sink.commit!(1n, token, undefined as never))
    await first.queue[Symbol.asyncDispose]()
    const second = open(2n)
    await second.queue.sink.restore!(1n, undefined)
    await put(second.queue, letter(2))
    await epoch(second.queue, 2n)
    expect(seen()).toEqual([2])
    await second.queue[Symbol.asyncDispose]()
    const third = open(3n)
    await third.queue.sink.restore!(2n, undefined)
    expect(writersOf(directory).map(({ name }) => name)).toEqual(['00000002-aaaaaaaa-2'])
    expect(seen()).toEqual([2])
    await third.queue[Symbol.asyncDispose]()
  })
})

describe('a disk that takes nothing', () => {
  for (const call of ['create', 'write', 'sync', 'syncDirectory'] as const) {
    for (const code of ['EIO', 'ENOSPC']) {
      test(`${call} fails with ${code}: the pipeline waits, then every entry is there once`, async () => {
        let broken = true
        const fault = (): never => {
          throw Object.assign(new Error(`${code}: planned`), { code })
        }
        const files: LogFiles = {
          ...systemFiles,
          [call]: (...args: readonly unknown[]) =>
            broken ? fault() : (systemFiles[call] as (...all: readonly unknown[]) => unknown)(...args),
        }
        const { queue, notes } = open(1n, { files })
        await put(queue, letter(1), letter(2))
        let ready = false
        const token = queue.sink.prepare!(1n, last).finally(() => {
          ready = true
        })
        while (notes.length === 0) await new Promise(setImmediate)
        expect(queue.wait?.detail).toContain(`${code}: planned`)
        await put(queue, letter(3))
        broken = false
        while (!ready) {
          clock.advance(1000)
          await new Promise(setImmediate)
        }
        await queue.sink.commit!(1n, await token, undefined as never)
        expect(seen()).toEqual([1, 2])
        await epoch(queue, 2n)
        expect(seen()).toEqual([1, 2, 3])
        expect(queue.wait).toBeUndefined()
        await queue[Symbol.asyncDispose]()
      })
    }
  }

  test('a file in place of the folder', async () => {
    writeFileSync(join(root, 'dlq'), '')
    const { queue, notes, stop } = open(1n)
    await put(queue, letter(1))
    const token = queue.sink.prepare!(1n, last)
    while (notes.length === 0) await new Promise(setImmediate)
    stop.abort()
    await expect(token).rejects.toMatchObject({ code: 'dlq_full' })
    await queue[Symbol.asyncDispose]()
  })
})
