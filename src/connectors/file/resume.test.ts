import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshSeed, Random } from '../../core/random.ts'
import { rowAt } from '../../core/row-batch.ts'
import { field, type Schema, schema, types } from '../../core/types.ts'
import { Harness } from '../../testkit/harness.ts'
import type { Source } from '../contract.ts'

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-resume-'))
})
afterAll(() => rmSync(cwd, { recursive: true }))

const at = (name: string): string => join(cwd, name)
/** Whether a descriptor of this process is a file below `directory`. */
function isIn(directory: string, descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(directory)
  } catch {
    return false
  }
}

const never = new AbortController().signal
const SYSTEM = ['_offset', '_row_number', '_filename', '_source']
const system = [
  field('_offset', types.bigint),
  field('_row_number', types.bigint),
  field('_filename', types.string),
  field('_source', types.string),
]

/** A row or a reject, as it is told apart from all others. */
interface Given {
  readonly what: unknown
  /** Position behind its item. */
  readonly next: string
}

interface Run {
  readonly given: readonly Given[]
  readonly state: Uint8Array
}

/** Reads the only split from a position on. */
async function readOn(
  harness: Harness,
  uri: string,
  form: {
    readonly schema: Schema
    readonly from?: string
    readonly state?: Uint8Array | undefined
    readonly beforeRead?: () => void
  },
): Promise<Run> {
  const all = { fields: [...form.schema.fields, ...system] }
  await using source = await harness.openSource(uri, all, SYSTEM, form.state)
  const given: Given[] = []
  for (const split of await splitsOf(source)) {
    form.beforeRead?.()
    await using reader = source.open(split)
    for await (const item of reader.read(form.from, never)) {
      if (item.kind !== 'batch') continue
      const { batch, rejects = [], next } = item
      const rows = Array.from({ length: batch?.rows ?? 0 }, (_, row) => rowAt(batch!, row).values)
      const bad = rejects.map((one) => ({ ...one, bytes: Buffer.from(one.bytes).toString() }))
      for (const what of [...rows, ...bad]) given.push({ what, next })
    }
  }
  return { given, state: source.state!()! }
}

async function splitsOf(source: Source): Promise<string[]> {
  const splits: string[] = []
  for await (const event of source.splits(never)) if (event.kind === 'added') splits.push(event.split.id)
  return splits
}

const plain = (given: readonly Given[]): string =>
  JSON.stringify(
    given.map(({ what }) => what),
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  )

const TEXTS = ['x', 'Zürich 😀', '', 'a"b', 'two\nlines', 'x'.repeat(300), ',', '#']

function fileOf(format: string, random: Random): { readonly text: string; readonly schema: Schema } {
  const count = random.between(1, 60)
  const ab = schema([field('a', types.bigint), field('b', types.string)])
  const rows = Array.from({ length: count }, (_, i) => ({ a: i, b: random.pick(TEXTS) }))
  const last = random.chance(0.5) ? '\n' : ''
  switch (format) {
    case 'csv': {
      const line = ({ a, b }: { a: number; b: string }): string =>
        random.chance(0.1) ? `${a}` : random.chance(0.1) ? `q${a},x` : `${a},"${b.replaceAll('"', '""')}"`
      return { text: `a,b\n${rows.map(line).join(random.pick(['\n', '\r\n']))}${last}`, schema: ab }
    }
    case 'csv without header': {
      const line = ({ a, b }: { a: number; b: string }): string =>
        random.chance(0.2) ? `${a}` : `${a},"${b.replaceAll('"', '""')}"`
      const positions = schema([field('col_0', types.bigint), field('col_1', types.string)])
      return { text: `${rows.map(line).join('\n')}${last}`, schema: positions }
    }
    case 'text': {
      const lines = rows.map(({ b }) => b)
      return { text: lines.join('\n') + last, schema: schema([field('line', types.string)]) }
    }
    case 'json': {
      const text = JSON.stringify(rows, undefined, random.pick([undefined, 1]))
      return { text: random.chance(0.3) ? text.slice(0, -1) : text, schema: ab }
    }
    default: {
      const line = (row: object): string =>
        random.chance(0.1) ? '{"a":' : random.chance(0.1) ? ' ' : JSON.stringify(row)
      return { text: (random.chance(0.2) ? '\ufeff' : '') + rows.map(line).join('\n') + last, schema: ab }
    }
  }
}

const FORMATS = {
  jsonl: 'jsonl',
  csv: 'csv',
  'csv without header': 'csv?header=false&ragged=pad',
  text: 'txt',
  json: 'json',
} as const
/** Of each format, compression and run. */
const FILES = Number(process.env['ROUNDS'] ?? 3)
const CODECS = { plain: Buffer.from, gzip: gzipSync, zstd: zstdCompressSync } as const

for (const [format, form] of Object.entries(FORMATS)) {
  for (const [codec, pack] of Object.entries(CODECS)) {
    test(`${format}, ${codec}: read on from any position, the rest is what was left`, async () => {
      const seed = Number(process.env['SEED'] ?? freshSeed())
      const random = new Random(seed)
      const [extension, query] = form.split('?')
      for (let i = 0; i < FILES; i++) {
        const { text, schema: columns } = fileOf(format, random)
        const name = `${format.slice(0, 4)}-${codec}-${i}.${extension}`.replaceAll(' ', '')
        writeFileSync(at(name), pack(Buffer.from(text)))
        const harness = new Harness({ baseDirectory: cwd, batchRows: random.pick([1, 3, 8]) })
        const uri = `file:${name}?${query ?? ''}&compression=${codec === 'plain' ? 'none' : codec}`.replace('?&', '?')
        const whole = await readOn(harness, uri, { schema: columns })
        const last = whole.given.at(-1)?.next
        const positions = new Set(whole.given.map((one) => one.next))
        const cuts = [...positions].filter((next) => next === last || random.chance(0.4))
        for (const next of cuts) {
          const behind = whole.given.findLastIndex((one) => one.next === next) + 1
          const state = random.chance(0.5) ? whole.state : undefined
          const rest = await readOn(harness, uri, { schema: columns, from: next, state })
          expect(plain(rest.given), `seed ${seed}, file ${name}, from ${next}`).toBe(plain(whole.given.slice(behind)))
        }
      }
    })
  }
}

const numbers = schema([field('a', types.bigint)])
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `{"a":${from + i}}\n`).join('')
/** Reads a file of 100 rows; gives its state and the position behind the first 40. */
async function interrupted(name: string): Promise<{ harness: Harness; from: string; state: Uint8Array }> {
  writeFileSync(at(name), lines(0, 100))
  const harness = new Harness({ baseDirectory: cwd, batchRows: 10 })
  const { given, state } = await readOn(harness, `file:${name}`, { schema: numbers })
  return { harness, from: given[39]!.next, state }
}
const valuesOf = (run: Run): unknown[] => run.given.map(({ what }) => (what as readonly unknown[])[0])

test('ends are fixed when files are found: a reopened source reads the same files to the same ends', async () => {
  const { harness, from, state } = await interrupted('fixed.jsonl')
  appendFileSync(at('fixed.jsonl'), lines(100, 120))
  expect(valuesOf(await readOn(harness, 'file:fixed.jsonl', { schema: numbers, from, state })).at(-1)).toBe(99)
  expect(valuesOf(await readOn(harness, 'file:fixed.jsonl', { schema: numbers, state })).at(-1)).toBe(99)
  expect(valuesOf(await readOn(harness, 'file:fixed.jsonl', { schema: numbers })).at(-1)).toBe(119)
  writeFileSync(at('a-late.jsonl'), lines(0, 5))
  await using glob = await harness.openSource('file:*.jsonl', numbers, [], state)
  expect(await splitsOf(glob)).toEqual([at('fixed.jsonl')])
})

test('a file that was renamed is found by inode and first bytes; its rows say its old name', async () => {
  const { harness, from, state } = await interrupted('old.jsonl')
  renameSync(at('old.jsonl'), at('new.jsonl'))
  const rest = await readOn(harness, 'file:old.jsonl', { schema: numbers, from, state })
  expect(valuesOf(rest)).toEqual(Array.from({ length: 60 }, (_, i) => 40 + i))
  expect(rest.given[0]!.what).toEqual([40, 40, 41, at('old.jsonl'), `file:${at('old.jsonl')}`])
})

test.each([
  ['gone', 'connector_not_found', (path: string) => rmSync(path)],
  ['replaced', 'connector_incarnation_changed', (path: string) => writeFileSync(path, lines(1000, 1100))],
  ['shorter than the position', 'connector_incarnation_changed', (path: string) => truncateSync(path, 200)],
  ['shorter than its end', 'connector_incarnation_changed', (path: string) => truncateSync(path, 850)],
])('a file that is %s is an error that names it, never read again in silence', async (what, code, change) => {
  const name = `changed-${what.replaceAll(' ', '-')}.jsonl`
  const { harness, from, state } = await interrupted(name)
  change(at(name))
  for (const position of [from, undefined]) {
    const form = { schema: numbers, state, ...(position === undefined ? {} : { from: position }) }
    const fault = readOn(harness, `file:${name}`, form)
    await expect(fault).rejects.toMatchObject({ message: expect.stringContaining(at(name)), hint: expect.any(String) })
    await expect(fault).rejects.toMatchObject({ code })
  }
})

test('a file that was read to its end may go', async () => {
  const { harness, state } = await interrupted('done.jsonl')
  const { given } = await readOn(harness, 'file:done.jsonl', { schema: numbers })
  rmSync(at('done.jsonl'))
  const from = given.at(-1)!.next
  expect((await readOn(harness, 'file:done.jsonl', { schema: numbers, from, state })).given).toEqual([])
})

test('a state of another kind or version is refused', async () => {
  const harness = new Harness({ baseDirectory: cwd })
  const broken = Buffer.from('{"version":99}')
  await expect(harness.openSource('file:x.jsonl', numbers, [], broken)).rejects.toMatchObject({
    code: 'connector_offset_invalid',
  })
})

test.runIf(process.platform === 'linux')(
  'more files than read_files_max: one is closed for another and opened again',
  async () => {
    const names = ['m1.jsonl', 'm2.jsonl', 'm3.jsonl']
    for (const name of names) writeFileSync(at(name), lines(0, 2000))
    const harness = new Harness({ baseDirectory: cwd, batchRows: 100 })
    await using source = await harness.openSource('file:m*.jsonl?read_files_max=1&read_bytes=4096', numbers)
    const open = (): number => readdirSync('/proc/self/fd').filter((fd) => isIn(cwd, fd)).length
    const readers = (await splitsOf(source)).map((split) => source.open(split))
    const items = readers.map((reader) => reader.read(undefined, never)[Symbol.asyncIterator]())
    const seen: number[][] = items.map(() => [])
    for (let ended = 0; ended < items.length; ) {
      for (const [i, each] of items.entries()) {
        const { value: item, done } = await each.next()
        if (done === true) ended++
        else if (item.kind === 'batch')
          for (let row = 0; row < item.batch!.rows; row++) seen[i]!.push(rowAt(item.batch!, row).values[0] as number)
        expect(open()).toBeLessThanOrEqual(1)
      }
    }
    for (const reader of readers) await reader[Symbol.asyncDispose]()
    expect(seen).toEqual(names.map(() => Array.from({ length: 2000 }, (_, i) => i)))
    expect(open()).toBe(0)
  },
)

test('a path that does not exist yet is waited for; the wait ends', async () => {
  const { ManualClock } = await import('../../core/clock.ts')
  const clock = new ManualClock()
  const harness = new Harness({ baseDirectory: cwd, clock })
  const uri = 'file:later.jsonl?wait=5s&retry_interval=1s'
  for (const appears of [true, false]) {
    rmSync(at('later.jsonl'), { force: true })
    await using source = await harness.openSource(uri, numbers)
    const found = splitsOf(source)
    const settled = found.then(
      () => 'found',
      (error: { code: string }) => error.code,
    )
    for (let second = 0; second < 6; second++) {
      await new Promise(setImmediate)
      if (appears && second === 3) writeFileSync(at('later.jsonl'), lines(0, 1))
      clock.advance(1000)
    }
    expect(await settled).toBe(appears ? 'found' : 'connector_not_found')
  }
})
