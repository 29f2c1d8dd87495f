import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createStream } from '../channels/stream.ts'
import { ManualClock } from '../core/clock.ts'
import { SequenceCounter, WATERMARK_UNSET, WatermarkCell } from '../core/counters.ts'
import { freshSeed, Random } from '../core/random.ts'
import { type LogFiles, systemFiles } from '../log/log-files.ts'
import { type CheckpointSettings, StreamCheckpointConfig } from './config.ts'
import { CheckpointError } from './error.ts'
import { type ManagerDeps, StreamCheckpointManager } from './manager.ts'

const FLIPS = Number(process.env['HEADRACE_WAL_FLIPS'] ?? 200)
/** Pushes of the log that is cut at every length. */
const PUSHES = FLIPS >= 10_000 ? 6 : 2

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-wal-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const walFolder = (): string => join(folder, 'wal')
const segments = (): string[] => readdirSync(walFolder()).sort()

interface Opened {
  readonly manager: StreamCheckpointManager
  readonly sequence: SequenceCounter
  readonly watermark: WatermarkCell
  push(): Promise<void> | undefined
  advance(micros: bigint): void
}

/** A manager with one pushed source, opened. */
async function open(settings: CheckpointSettings = {}, deps: ManagerDeps = {}, names = ['src']): Promise<Opened> {
  const config = new StreamCheckpointConfig({ dataDir: folder, walMode: 'sync', ...settings })
  const manager = new StreamCheckpointManager(config, deps)
  const sequence = new SequenceCounter()
  const watermark = new WatermarkCell()
  for (const name of names) {
    const isOurs = name === 'src'
    manager.registerSource(name, isOurs ? sequence : new SequenceCounter(), isOurs ? watermark : new WatermarkCell())
  }
  await manager.open()
  const journal = manager.journal('src')
  return {
    manager,
    sequence,
    watermark,
    push() {
      sequence.increment()
      return journal.pushed(sequence.value, watermark.value)
    },
    advance(micros) {
      if (watermark.advance(micros)) journal.advanced(sequence.value, watermark.value)
    },
  }
}

async function fault(task: () => unknown): Promise<CheckpointError> {
  try {
    await task()
  } catch (error) {
    if (error instanceof CheckpointError) return error
    throw error
  }
  throw new Error('no error')
}

/** The system's files, counting calls; `before` may fail one. */
function watched(before: (call: string) => void): LogFiles {
  const wrap =
    <A extends unknown[], R>(name: string, call: (...args: A) => R) =>
    (...args: A): R => {
      before(name)
      return call(...args)
    }
  return {
    create: wrap('create', systemFiles.create),
    openAppend: wrap('openAppend', systemFiles.openAppend),
    write: wrap('write', systemFiles.write),
    sync: async (descriptor) => {
      before('sync')
      await systemFiles.sync(descriptor)
    },
    syncDirectory: wrap('syncDirectory', systemFiles.syncDirectory),
    truncate: wrap('truncate', systemFiles.truncate),
    close: systemFiles.close,
  }
}

test('pushes behind the last snapshot come back', async () => {
  const first = await open()
  for (let i = 0; i < 3; i++) await first.push()
  first.advance(50n)
  await first.manager.checkpoint()
  first.advance(70n)
  for (let i = 0; i < 4; i++) await first.push()
  // No close: the process ends here.
  const second = await open()
  expect([second.sequence.value, second.watermark.value]).toEqual([7n, 70n])
  second.manager.applyRestore()
  expect([second.sequence.value, second.watermark.value]).toEqual([7n, 70n])
  await second.push()
  await second.manager.close()
  const third = await open({}, {}, ['other', 'src'])
  expect(third.sequence.value).toBe(8n)
  await third.manager.close()
  await first.manager.close()
})

test('a stream is restored by its manager', async () => {
  const config = new StreamCheckpointConfig({ dataDir: folder, walMode: 'sync' })
  const start = async () => {
    const manager = new StreamCheckpointManager(config)
    const probe = createStream<string>({ name: 'orders' })
    manager.registerSource('orders', probe.source.sequenceCounter, probe.source.watermarkCell)
    await manager.open()
    const stream = createStream<string>({ name: 'orders', journal: manager.journal('orders') })
    manager.registerSource('orders', stream.source.sequenceCounter, stream.source.watermarkCell)
    await manager.replayWal()
    return { manager, source: stream.source }
  }
  const first = await start()
  await first.source.push('a')
  await first.source.pushRows({ rows: ['b', 'c', 'd'] })
  first.source.watermark(9)
  await first.source.push('e')
  const second = await start()
  expect([second.source.sequence, second.source.currentWatermark()]).toEqual([5n, 9n])
  await second.manager.close()
  await first.manager.close()
})

test('sources with offsets of their own are not moved', async () => {
  const first = await open()
  await first.push()
  await first.manager.close()
  const manager = new StreamCheckpointManager(new StreamCheckpointConfig({ dataDir: folder, walMode: 'sync' }))
  const sequence = new SequenceCounter()
  manager.registerSource('src', sequence, new WatermarkCell(), { ownOffsets: true })
  await manager.open()
  expect(sequence.value).toBe(0n)
  await manager.close()
})

test('the files are as specified', async () => {
  const { manager, push, advance } = await open()
  await push()
  advance(5n)
  manager.markCommitted(await manager.checkpoint())
  await manager.close()
  expect(segments()).toEqual(['wal-00000000000000000001.log'])
  const bytes = readFileSync(join(walFolder(), segments()[0]!))
  expect(bytes.subarray(0, 16).toString('latin1')).toBe('HRWAL01\n\u0001\0\0\0\0\0\0\0')
  const kinds: string[] = []
  for (let at = 16; at < bytes.length; at += 8 + bytes.readUInt32LE(at)) {
    kinds.push(`${bytes[at + 8]}:${bytes.readUInt32LE(at)}`)
  }
  // A binding (twice: the segment began with it), an entry, a watermark with the barrier, the mark, the commit.
  expect(kinds).toEqual(['3:10', '3:10', '1:25', '1:49', '2:17', '4:9'])
})

test('pushes that wait together share a flush', async () => {
  let syncs = 0
  const files = watched((call) => {
    if (call === 'sync') syncs++
  })
  const { manager, push } = await open({}, { files })
  await Promise.all(Array.from({ length: 200 }, () => push()))
  expect(syncs).toBe(1)
  await manager.close()
})

test('an async log is flushed by time and at every checkpoint', async () => {
  const clock = new ManualClock()
  let syncs = 0
  const files = watched((call) => {
    if (call === 'sync') syncs++
  })
  const { manager, push } = await open({ walMode: 'async', walSyncIntervalMs: 500 }, { clock, files })
  expect(push()).toBeUndefined()
  expect(syncs).toBe(0)
  clock.advance(500)
  while (syncs === 0) await new Promise(setImmediate)
  push()
  await manager.checkpoint()
  expect(syncs).toBe(2)
  push()
  await manager.syncWal()
  expect((await open()).sequence.value).toBe(3n)
  await manager.close()
})

test('an async log loses nothing when its ring is full', async () => {
  const { manager, push } = await open({ walMode: 'async', changelogCapacity: 4 })
  for (let i = 0; i < 50; i++) push()
  expect([manager.changelog()?.len(), manager.changelog()?.overflowCount()]).toEqual([2, 0])
  await manager.syncWal()
  expect([manager.changelog()?.len(), (await open()).sequence.value]).toEqual([0, 50n])
  await manager.close()
})

test('without a log the ring holds pushes, watermarks and a barrier for each source', async () => {
  const { manager, push, advance } = await open({ walMode: null, changelogCapacity: 8 }, {}, ['src', 'two'])
  push()
  advance(3n)
  manager.trigger()
  const ring = manager.changelog()!
  const seen = Array.from({ length: ring.len() }, () => ring.pop()!).map((entry) => [
    entry.sourceId,
    entry.opType(),
    entry.sequence,
    entry.watermark,
  ])
  expect(seen).toEqual([
    [0, 'push', 1n, WATERMARK_UNSET],
    [0, 'watermark', 1n, 3n],
    [0, 'barrier', 1n, 3n],
    [1, 'barrier', 0n, WATERMARK_UNSET],
  ])
  await manager.close()
})

test('a push after the manager was closed is not acknowledged', async () => {
  const { manager, push } = await open()
  await push()
  await manager.close()
  expect((await fault(() => push())).message).toBe('checkpoint I/O error: the write-ahead log is closed')
  expect((await open()).sequence.value).toBe(1n)
})

test('members refuse where there is no log', async () => {
  const memory = new StreamCheckpointManager(new StreamCheckpointConfig({ changelogCapacity: 4 }))
  expect((await fault(() => memory.syncWal())).kind).toBe('DataDirRequired')
  expect((await fault(() => memory.replayWal())).kind).toBe('DataDirRequired')
  expect((await fault(() => memory.journal('none'))).kind).toBe('InvalidConfig')
  const off = StreamCheckpointManager.disabled()
  expect((await fault(() => off.replayWal())).kind).toBe('WalRequiresCheckpoint')
  expect([off.journal('any').pushed(1n, 1n), off.changelog()]).toEqual([undefined, undefined])
})

test('segments before the oldest snapshot that is kept are removed', async () => {
  const { manager, push } = await open({ walSegmentBytes: 200, maxRetained: 2 })
  for (let i = 0; i < 20; i++) {
    for (let k = 0; k < 5; k++) await push()
    await manager.checkpoint()
  }
  expect(segments().length).toBeLessThan(8)
  expect(segments()[0]).not.toBe('wal-00000000000000000001.log')
  const again = await open({ walSegmentBytes: 200 })
  again.manager.applyRestore()
  expect(again.sequence.value).toBe(100n)
  await again.push()
  expect(again.sequence.value).toBe(101n)
  await again.manager.close()
  await manager.close()
})

/** A log of several segments without snapshots; gives the pushes that each segment ends with. */
async function fill(pushes: number, segmentBytes: number): Promise<void> {
  const { manager, push } = await open({ walSegmentBytes: segmentBytes })
  for (let i = 0; i < pushes; i++) await push()
  await manager.close()
}

test('every cut of the last segment is repaired, and counted', async () => {
  await fill(PUSHES, 1 << 20)
  const path = join(walFolder(), segments()[0]!)
  const whole = readFileSync(path)
  for (let length = whole.length; length >= 0; length--) {
    writeFileSync(path, whole)
    truncateSync(path, length)
    const { manager, sequence, push } = await open()
    // The binding stands twice in front, then 33 bytes for each push.
    const expected = Math.max(0, Math.min(PUSHES, Math.floor((length - 16 - 2 * 18) / 33)))
    expect(sequence.value, `length ${length}`).toBe(BigInt(expected))
    const isWhole = length === 16 || length === 16 + 18 || (length >= 52 && (length - 52) % 33 === 0)
    expect(manager.repairedWalBytes > 0, `length ${length}`).toBe(!isWhole && length > 0)
    sequence.set(BigInt(expected))
    await push()
    await manager.close()
    const again = await open()
    expect(again.sequence.value, `length ${length}`).toBe(BigInt(expected + 1))
    await again.manager.close()
    for (const name of segments()) if (!path.endsWith(name)) rmSync(join(walFolder(), name))
  }
})

test('damage in an earlier segment is refused with its place', async () => {
  await fill(12, 120)
  const [first] = segments()
  expect(segments().length).toBeGreaterThan(2)
  const path = join(walFolder(), first!)
  const bytes = readFileSync(path)
  bytes[16 + 18 + 10]! ^= 1
  writeFileSync(path, bytes)
  const error = await fault(() => open())
  expect([error.kind, error.message]).toEqual(['IoError', 'checkpoint I/O error: WAL corrupt: segment 1 offset 34'])
  expect(error.retryable).toBe(false)
  rmSync(path)
  const gone = segments()[1]!
  rmSync(join(walFolder(), gone))
  expect((await fault(() => open())).message).toContain('WAL corrupt: segment 4 offset 0')
})

test('a flipped bit is repaired or refused, never believed', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  await fill(12, 120)
  const names = segments()
  const whole = names.map((name) => readFileSync(join(walFolder(), name)))
  const outcomes = { repaired: 0, refused: 0 }
  for (let flip = 0; flip < FLIPS; flip++) {
    const file = random.below(names.length)
    const bytes = Buffer.from(whole[file]!)
    const bit = random.below(bytes.length * 8)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    for (const name of segments()) rmSync(join(walFolder(), name))
    for (const [i, name] of names.entries()) writeFileSync(join(walFolder(), name), i === file ? bytes : whole[i]!)
    const at = `seed ${seed}, flip ${flip}: bit ${bit} of ${names[file]}`
    let opened: Opened
    try {
      opened = await open()
    } catch (error) {
      expect((error as Error).message, at).toContain(`WAL corrupt: segment ${file + 1} offset`)
      outcomes.refused++
      continue
    }
    // Only the last segment may lose its tail.
    expect(file, at).toBe(names.length - 1)
    const before = 12n - BigInt(pushesIn(whole[file]!))
    expect(opened.sequence.value >= before && opened.sequence.value < 12n, at).toBe(true)
    expect(opened.manager.repairedWalBytes, at).toBeGreaterThan(0)
    outcomes.repaired++
    await opened.manager.close()
  }
  console.info(`seed ${seed}: ${FLIPS} flips, ${outcomes.repaired} repaired, ${outcomes.refused} refused`)
  expect(outcomes.repaired > 0 && outcomes.refused > 0).toBe(true)
})

function pushesIn(bytes: Buffer): number {
  let pushes = 0
  for (let at = 16; at < bytes.length; at += 8 + bytes.readUInt32LE(at)) if (bytes[at + 8] === 1) pushes++
  return pushes
}

test('a flush that fails fails its pushes, and the log goes on in a new segment', async () => {
  let broken = false
  const files = watched((call) => {
    if (broken && call === 'sync') throw Object.assign(new Error('disk'), { code: 'EIO' })
  })
  const { manager, push } = await open({}, { files })
  await push()
  broken = true
  const failed = await Promise.allSettled([push(), push()])
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  broken = false
  await push()
  await manager.close()
  expect(segments()).toHaveLength(2)
  expect((await open()).sequence.value).toBe(4n)
})

/** The system's files on a disk that keeps, when the power goes, what was synced and nothing else. */
function losing(before: (call: string) => void): { readonly files: LogFiles; powerLoss(): void } {
  const paths = new Map<number, string>()
  const synced = new Map<string, number>()
  /** Names that are on the disk. */
  const named = new Set<string>()
  const plain = watched(before)
  const files: LogFiles = {
    ...plain,
    create(path) {
      const descriptor = plain.create(path)
      paths.set(descriptor, path)
      synced.set(path, 0)
      return descriptor
    },
    async sync(descriptor) {
      const path = paths.get(descriptor)!
      const { length } = readFileSync(path)
      await plain.sync(descriptor)
      synced.set(path, length)
    },
    syncDirectory(path) {
      plain.syncDirectory(path)
      for (const created of synced.keys()) if (created.startsWith(path)) named.add(created)
    },
  }
  return {
    files,
    powerLoss() {
      for (const [path, length] of synced) {
        if (named.has(path)) truncateSync(path, length)
        else rmSync(path, { force: true })
      }
    },
  }
}

test.each(['kill', 'power loss'])('a %s at any call of a group flush loses no acknowledged push', async (how) => {
  const run = async (dieAt: number): Promise<{ readonly acknowledged: bigint; readonly calls: number }> => {
    rmSync(walFolder(), { recursive: true, force: true })
    let calls = 0
    let acknowledged = 0n
    const { files, powerLoss } = losing(() => {
      if (++calls >= dieAt) throw Object.assign(new Error('the process is dead'), { code: 'EIO' })
    })
    try {
      const { push, sequence } = await open({ walSegmentBytes: 150 }, { files })
      for (let group = 0; group < 4; group++) {
        const waiting = [push(), push(), push()]
        const reached = sequence.value
        await Promise.all(waiting)
        acknowledged = reached
      }
    } catch {
      // Dead.
    }
    if (how === 'power loss') powerLoss()
    return { acknowledged, calls }
  }
  const { calls } = await run(Number.POSITIVE_INFINITY)
  expect(calls).toBeGreaterThan(8)
  for (let dieAt = 1; dieAt <= calls; dieAt++) {
    const { acknowledged } = await run(dieAt)
    const { sequence, manager } = await open({ walSegmentBytes: 150 })
    expect(sequence.value >= acknowledged, `died at call ${dieAt}`).toBe(true)
    await manager.close()
  }
})
