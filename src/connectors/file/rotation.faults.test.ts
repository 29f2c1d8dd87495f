import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { freshSeed, Random } from '../../core/random.ts'
import { field, schema, types } from '../../core/types.ts'
import { Harness } from '../../testkit/harness.ts'
import { type RunRow, SourceRun, type SourceSnapshot } from '../../testkit/source-run.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-rotation-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const KEPT_FILES = 7
const ROUNDS = Number(process.env['ROUNDS'] ?? 3)
const columns = schema([field('num', types.bigint)])

/** A log, who writes it, and who reads it: across crashes, with what a checkpoint kept. */
class World {
  readonly #random: Random
  readonly #uri: string
  readonly #csv: boolean
  readonly #clock = new ManualClock()
  readonly #harness: Harness
  #run: SourceRun | undefined
  #snapshot: SourceSnapshot | undefined
  /** Rows before the snapshot. */
  #committed: RunRow[] = []
  #current: RunRow[] = []
  #cut = ''
  written = 0

  constructor(random: Random, uri: string) {
    this.#random = random
    this.#uri = uri
    this.#csv = uri.includes('format=csv')
    this.#harness = new Harness({ baseDirectory: cwd, batchRows: random.pick([1, 7, 100]), clock: this.#clock })
    this.#begin()
  }

  get path(): string {
    return join(cwd, 'app.log')
  }

  #begin(): void {
    writeFileSync(this.path, this.#csv ? 'num\n' : '')
  }

  /** A few lines; the last one may come in two parts. */
  append(): void {
    let text = this.#cut
    for (let left = this.#random.between(1, 40); left > 0; left--) {
      text += this.#csv ? `${this.written}\n` : `{"num":${this.written}}\n`
      this.written++
    }
    const keep = this.#random.chance(0.3) ? this.#random.between(1, 4) : 0
    this.#cut = keep === 0 ? '' : text.slice(-keep)
    appendFileSync(this.path, keep === 0 ? text : text.slice(0, -keep))
  }

  finishLine(): void {
    appendFileSync(this.path, this.#cut)
    this.#cut = ''
  }

  rename(): void {
    this.finishLine()
    let last = 1
    while (existsSync(`${this.path}.${last}`)) last++
    for (let n = last; n > 1; n--) renameSync(`${this.path}.${n - 1}`, `${this.path}.${n}`)
    renameSync(this.path, `${this.path}.1`)
    this.#begin()
  }

  get hasOldest(): boolean {
    return existsSync(`${this.path}.${KEPT_FILES}`)
  }

  removeOldest(): void {
    rmSync(`${this.path}.${KEPT_FILES}`)
  }

  /** `copytruncate`: what was not read is lost to the reader. */
  copyAndTruncate(n: number): void {
    this.finishLine()
    copyFileSync(this.path, join(cwd, `old-${n}`))
    truncateSync(this.path, 0)
    if (this.#csv) appendFileSync(this.path, 'num\n')
  }

  async start(): Promise<void> {
    this.#current = []
    this.#run = await SourceRun.start(this.#harness, {
      uri: this.#uri,
      schema: columns,
      clock: this.#clock,
      from: this.#snapshot,
    })
  }

  async advance(ms: number): Promise<void> {
    if (this.#run === undefined) this.#clock.advance(ms)
    else await this.#run.advance(ms)
  }

  checkpoint(): void {
    const run = this.#run!
    this.#snapshot = run.snapshot()
    this.#committed.push(...run.rows.slice(this.#current.length))
    this.#current = [...run.rows]
  }

  /** Rows since the last checkpoint are forgotten. */
  async crash(): Promise<void> {
    await this.#run!.stop()
    this.#run = undefined
  }

  get isRunning(): boolean {
    return this.#run !== undefined
  }

  get rows(): readonly RunRow[] {
    return this.#committed
  }

  async issues(): Promise<readonly { readonly code: string }[]> {
    return (await this.#run!.source.health()).issues
  }
}

/** The oldest file goes when its rows are in a checkpoint: another one may get its inode. */
async function removeOldest(world: World): Promise<void> {
  if (!world.isRunning) await world.start()
  for (let second = 0; second < 40; second++) await world.advance(1000)
  world.checkpoint()
  world.removeOldest()
}

const numbersOf = (rows: readonly RunRow[]): number[] => rows.map(({ values }) => Number(values[0]))
const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)
const range = (to: number): number[] => Array.from({ length: to }, (_, i) => i)

const BASE = 'watch=true&watch_strategy=polling&rotate_wait=2s'
const RENAMED = {
  'a pattern': `file:app.log?format=jsonl&rotation_pattern=app.log.*&${BASE}`,
  'a glob': `file:app.log*?format=jsonl&${BASE}`.replace('app.log*?', 'app.lo*?'),
  'a pattern, few open files': `file:app.log?format=jsonl&rotation_pattern=app.log.*&read_files_max=1&${BASE}`,
  'a pattern, CSV': `file:app.log?format=csv&rotation_pattern=app.log.*&${BASE}`,
} as const

for (const [name, uri] of Object.entries(RENAMED)) {
  test(`20 renames under load, crashes in between, ${name}: every line once`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      rmSync(cwd, { recursive: true })
      cwd = mkdtempSync(join(tmpdir(), 'headrace-rotation-'))
      const seed = Number(process.env['SEED'] ?? freshSeed())
      const random = new Random(seed)
      const world = new World(random, uri)
      world.append()
      await world.start()
      world.checkpoint()
      for (let renames = 0; renames < 20; ) {
        const what = random.below(10)
        if (what < 4) world.append()
        else if (what < 6) {
          if (world.hasOldest) await removeOldest(world)
          world.rename()
          renames++
        } else if (what < 8) await world.advance(random.pick([100, 1000, 1000, 3000]))
        else if (!world.isRunning) await world.start()
        else if (what === 8) world.checkpoint()
        else await world.crash()
      }
      if (!world.isRunning) await world.start()
      world.finishLine()
      for (let second = 0; second < 120; second++) await world.advance(1000)
      world.checkpoint()
      expect(ascending(numbersOf(world.rows)), `seed ${seed}`).toEqual(range(world.written))
      for (const rows of Map.groupBy(world.rows, ({ split }) => split).values()) {
        expect(numbersOf(rows), `order, seed ${seed}`).toEqual(ascending(numbersOf(rows)))
      }
      expect(await world.issues(), `seed ${seed}`).toEqual([])
      await world.crash()
    }
  })
}

test.each(['jsonl', 'csv'])('copy and truncate, %s: what was read is read once, restarts or not', async (format) => {
  for (let round = 0; round < ROUNDS; round++) {
    rmSync(cwd, { recursive: true })
    cwd = mkdtempSync(join(tmpdir(), 'headrace-rotation-'))
    const seed = Number(process.env['SEED'] ?? freshSeed())
    const random = new Random(seed)
    const world = new World(random, `file:app.log?format=${format}&${BASE}`)
    await world.start()
    for (let n = 0; n < 20; n++) {
      for (let times = random.between(1, 4); times > 0; times--) world.append()
      world.finishLine()
      await world.advance(1000)
      world.checkpoint()
      if (random.chance(0.3)) await world.crash()
      world.copyAndTruncate(n)
      if (random.chance(0.5)) await world.advance(1000)
      if (!world.isRunning) await world.start()
      await world.advance(1000)
    }
    world.append()
    world.finishLine()
    for (let second = 0; second < 10; second++) await world.advance(1000)
    world.checkpoint()
    expect(ascending(numbersOf(world.rows)), `seed ${seed}`).toEqual(range(world.written))
    await world.crash()
  }
})

test('truncated with lines that nobody had read: they are lost, no line comes twice, and it is told', async () => {
  const seed = Number(process.env['SEED'] ?? freshSeed())
  const random = new Random(seed)
  const world = new World(random, `file:app.log?format=jsonl&${BASE}`)
  await world.start()
  for (let n = 0; n < 20; n++) {
    world.append()
    world.finishLine()
    await world.advance(1000)
    world.append()
    world.copyAndTruncate(n)
    await world.advance(1000)
  }
  world.checkpoint()
  const seen = numbersOf(world.rows)
  expect(new Set(seen).size, `seed ${seed}`).toBe(seen.length)
  expect(seen.length).toBeLessThan(world.written)
  expect((await world.issues()).map(({ code }) => code)).toEqual(['file_truncated'])
  await world.crash()
})
