import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FaultyFiles, type FileCall, type PlannedFault } from '../testkit/faulty-files.ts'
import { ownerAfter, refusedBy, sampleBody, sampleBytes } from '../testkit/store-contract.ts'
import { CheckpointError } from './error.ts'
import { FileStore } from './file-store.ts'

async function inFolder(task: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-store-'))
  try {
    await task(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const first = '00000000000000000001.ckpt'
const second = '00000000000000000002.ckpt'

test('files have the names of the layout, and only this user may read them', () =>
  inFolder(async (directory) => {
    const store = new FileStore(join(directory, 'state'))
    await store.create(1n, sampleBody(1), ownerAfter(0n))
    await store.setLatest(1n, ownerAfter(1n))
    await store.create(2n, sampleBody(2), ownerAfter(1n))
    await store.markDone(1n)
    await store.reject(2n)
    const folder = join(directory, 'state/checkpoints')
    expect(readdirSync(folder).sort()).toEqual([
      first,
      '00000000000000000001.done',
      '00000000000000000002.damaged',
      'LATEST',
    ])
    expect(readFileSync(join(folder, 'LATEST'), 'utf8')).toBe(`${first}\n`)
    expect(readFileSync(join(folder, '00000000000000000001.done'))).toHaveLength(0)
    expect(statSync(join(folder, first)).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, first)).nlink).toBe(1)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(store.uri).toBe(`file://${directory}/state`)
  }))

test('a snapshot is synced before it has its name, and its name before anybody is told', () =>
  inFolder(async (directory) => {
    const files = new FaultyFiles()
    const store = new FileStore(join(directory, 'state'), { files, token: tokens() })
    await store.create(1n, sampleBody(1), ownerAfter(0n, 7n))
    files.trace.length = 0
    await store.create(2n, sampleBody(2), ownerAfter(1n, 7n))
    await store.setLatest(2n, ownerAfter(2n, 7n))
    const temp = '.tmp-00000000000000000002-7-t4'
    const pointer = '.tmp-00000000000000000002-7-t5'
    expect(files.trace).toEqual([
      'readdir checkpoints',
      `open ${temp}`,
      `write ${temp}`,
      `sync ${temp}`,
      `fstat ${temp}`,
      `close ${temp}`,
      `link ${temp} ${second}`,
      `unlink ${temp}`,
      'readdir checkpoints',
      'open checkpoints',
      'sync checkpoints',
      'close checkpoints',
      'read LATEST',
      `open ${pointer}`,
      `write ${pointer}`,
      `sync ${pointer}`,
      `fstat ${pointer}`,
      `close ${pointer}`,
      `rename ${pointer} LATEST`,
      'open checkpoints',
      'sync checkpoints',
      'close checkpoints',
    ])
  }))

test('new folders are durable before the first snapshot', () =>
  inFolder(async (directory) => {
    const files = new FaultyFiles()
    await new FileStore(join(directory, 'a/b'), { files }).create(1n, sampleBody(1), ownerAfter(0n))
    const synced = files.trace.filter((line) => line.startsWith('sync')).map((line) => line.slice(5))
    const published = files.trace.findIndex((line) => line.endsWith(first))
    const parents = synced.filter((name) => ['a', 'b', directory.split('/').at(-1)].includes(name))
    expect(new Set(parents).size).toBe(3)
    for (const parent of parents) expect(files.trace.indexOf(`sync ${parent}`)).toBeLessThan(published)
  }))

test('a parent folder that may not be read is passed over', () =>
  inFolder(async (directory) => {
    const state = join(directory, 'closed/state')
    mkdirSync(state, { recursive: true })
    chmodSync(join(directory, 'closed'), 0o300)
    await new FileStore(state).create(1n, sampleBody(1), ownerAfter(0n))
    chmodSync(join(directory, 'closed'), 0o700)
    expect(existsSync(join(state, 'checkpoints', first))).toBe(true)
  }))

function tokens(): () => string {
  let n = 0
  return () => `t${++n}`
}

const leftovers = (directory: string): string[] =>
  readdirSync(join(directory, 'checkpoints')).filter((name) => name.startsWith('.tmp-'))

test('temporary files of lower incarnations are swept, others are not', () =>
  inFolder(async (directory) => {
    const folder = join(directory, 'checkpoints')
    mkdirSync(folder)
    const names = ['1-a', '2-b', '3-c'].map((rest) => `.tmp-00000000000000000009-${rest}`)
    for (const name of [...names, '.tmp-other', 'note']) writeFileSync(join(folder, name), '')
    await new FileStore(directory).sweep(3n)
    expect(readdirSync(folder).sort()).toEqual([names[2], '.tmp-other', 'note'])
    // They do not count as ids.
    expect(await new FileStore(directory).list()).toEqual([])
  }))

test('a damaged LATEST names nothing', () =>
  inFolder(async (directory) => {
    mkdirSync(join(directory, 'checkpoints'))
    writeFileSync(join(directory, 'checkpoints/LATEST'), '\0\0\0')
    expect(await new FileStore(directory).latest()).toBeUndefined()
  }))

test('a folder that may not be written is told with its class', () =>
  inFolder(async (directory) => {
    writeFileSync(join(directory, 'file'), '')
    const fault = await new FileStore(join(directory, 'file/state'))
      .create(1n, sampleBody(1), ownerAfter(0n))
      .catch((e) => e)
    expect(fault).toMatchObject({ kind: 'IoError', outcome: 'absent' })
    expect(fault.detail).toMatch(/^cannot write .*00000000000000000001\.ckpt: ENOTDIR$/)
    const files = new FaultyFiles({ call: 'open', nth: 1, code: 'EACCES', when: 'before' })
    const refused = new FileStore(directory, { files, token: tokens() })
    expect(await refused.create(1n, sampleBody(1), ownerAfter(0n)).catch((e) => e)).toMatchObject({
      outcome: 'absent',
    })
  }))

/** What is told of a snapshot by `create` and `setLatest` on a store with checkpoint 1. */
async function storeSecond(directory: string, fault: PlannedFault): Promise<{ files: FaultyFiles; told: string }> {
  const files = new FaultyFiles(fault)
  const store = new FileStore(directory, { files })
  try {
    await store.create(2n, sampleBody(2), ownerAfter(1n))
    await store.setLatest(2n, ownerAfter(2n))
    return { files, told: 'durable' }
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    return { files, told: error.outcome ?? 'none' }
  }
}

const faults: readonly { call: FileCall; code: string }[] = [
  { call: 'sync', code: 'EIO' },
  { call: 'link', code: 'EIO' },
  { call: 'link', code: 'ENOSPC' },
  { call: 'close', code: 'EIO' },
  { call: 'rename', code: 'EIO' },
  { call: 'unlink', code: 'EIO' },
  { call: 'readdir', code: 'EIO' },
  { call: 'fstat', code: 'EIO' },
  { call: 'mkdir', code: 'EIO' },
  { call: 'read', code: 'EIO' },
  { call: 'open', code: 'EMFILE' },
  { call: 'write', code: 'ENOSPC' },
  { call: 'write', code: 'EIO' },
]

for (const { call, code } of faults) {
  for (const when of ['before', 'after'] as const) {
    test(`${code} of the n-th ${call}, ${when} its effect: what is told is true`, async () => {
      const seen: string[] = []
      for (let nth = 1; ; nth++) {
        let hits = 0
        await inFolder(async (directory) => {
          await new FileStore(directory).create(1n, sampleBody(1), ownerAfter(0n))
          const { files, told } = await storeSecond(directory, { call, nth, code, when })
          hits = files.hits
          if (hits === 0) return
          seen.push(told)
          const label = `${code} of ${call} ${nth}`
          expect(files.broken, label).toEqual([])
          expect(files.openHandles, label).toBe(0)
          const after = new FileStore(directory)
          expect(await after.get(1n), label).toEqual(Buffer.from(sampleBytes(1)))
          const bytes = await after.get(2n)
          if (bytes !== undefined) expect(Buffer.from(bytes), label).toEqual(Buffer.from(sampleBytes(2)))
          if (told === 'absent') expect(bytes, label).toBeUndefined()
          if (told === 'durable') expect(bytes, label).toBeDefined()
          expect(['absent', 'unknown', 'durable'], label).toContain(told)
          // Elsewhere the fault may not stay unseen: a removed name, a link that was made, a LATEST that is not there.
          if (told === 'durable') expect(['unlink', 'link', 'mkdir', 'read'], label).toContain(call)
        })
        if (hits === 0) break
      }
      if (call !== 'mkdir') expect(seen.length).toBeGreaterThan(0)
    })
  }
}

test('a link that was made although the call failed is found by its inode', () =>
  inFolder(async (directory) => {
    await new FileStore(directory).create(1n, sampleBody(1), ownerAfter(0n))
    // The first link is the probe.
    const { told } = await storeSecond(directory, { call: 'link', nth: 2, code: 'EIO', when: 'after' })
    expect(told).toBe('durable')
    expect(leftovers(directory)).toEqual([])
  }))

test('a link that may or may not come is unknown; a refused one is absent', () =>
  inFolder(async (directory) => {
    await new FileStore(directory).create(1n, sampleBody(1), ownerAfter(0n))
    expect((await storeSecond(directory, { call: 'link', nth: 2, code: 'EIO', when: 'before' })).told).toBe('unknown')
    expect((await storeSecond(directory, { call: 'link', nth: 2, code: 'ENOSPC', when: 'before' })).told).toBe('absent')
  }))

test('after a failed sync of the folder nothing is announced, though the snapshot can be read', () =>
  inFolder(async (directory) => {
    const files = new FaultyFiles({ call: 'sync', nth: 5, code: 'EIO', when: 'before' })
    const store = new FileStore(directory, { files })
    await store.create(1n, sampleBody(1), ownerAfter(0n)).catch(() => {})
    const at = files.trace.indexOf('sync checkpoints')
    expect(files.trace.filter((line) => line.startsWith('sync')).length).toBe(5)
    expect(at).toBeGreaterThan(files.trace.findIndex((line) => line.startsWith('link') && line.endsWith(first)))
    expect(await store.get(1n)).toBeDefined()
  }))

test('whoever is overtaken between its link and its look takes its name back', () =>
  inFolder(async (directory) => {
    await new FileStore(directory).create(1n, sampleBody(1), ownerAfter(0n))
    class Overtaken extends FaultyFiles {
      override async link(from: string, to: string): Promise<void> {
        await super.link(from, to)
        if (to.endsWith(second)) await new FileStore(directory).create(3n, sampleBody(3), ownerAfter(2n))
      }
    }
    await refusedBy(3n, new FileStore(directory, { files: new Overtaken() }).create(2n, sampleBody(2), ownerAfter(1n)))
    expect((await new FileStore(directory).list()).map(({ id }) => id)).toEqual([1n, 3n])
  }))

test('a claim below, made in the same moment, stops the writer without taking its snapshot back', () =>
  inFolder(async (directory) => {
    await new FileStore(directory).create(1n, sampleBody(1), ownerAfter(0n))
    class Crossed extends FaultyFiles {
      override async link(from: string, to: string): Promise<void> {
        if (to.endsWith('3.ckpt')) await new FileStore(directory).create(2n, sampleBody(2), ownerAfter(1n))
        await super.link(from, to)
      }
    }
    const store = new FileStore(directory, { files: new Crossed() })
    await refusedBy(2n, store.create(3n, sampleBody(3), ownerAfter(1n)), 'unknown')
    expect((await new FileStore(directory).list()).map(({ id }) => id)).toEqual([1n, 2n, 3n])
  }))
