import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { chooseCheckpoint } from '../../checkpoint/choice.ts'
import { MemoryStore } from '../../checkpoint/memory-store.ts'
import { freshSeed, Random } from '../../core/random.ts'
import { type LogFiles, systemFiles } from '../../log/log-files.ts'
import type { RunControl } from '../run-control.ts'
import { Crash, Trial } from './testing.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-letters-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Five ways to be bad: broken JSON, a wrong type, NOT NULL, CHECK, an expression. */
const POISON = [
  (id: number) => `{"id":${id},"v":1,"d`,
  (id: number) => `{"id":${id},"v":"many","d":1}`,
  (id: number) => `{"id":null,"v":${id},"d":1}`,
  (id: number) => `{"id":${id},"v":-1,"d":1}`,
  (id: number) => `{"id":${id},"v":1,"d":0}`,
] as const
const CODES = [
  'connector_record_invalid',
  'connector_record_invalid',
  'row_not_null_violated',
  'row_check_violated',
  'row_division_by_zero',
]
const SQL = `
SET checkpoint.interval = 'off';
CREATE STREAM s (id BIGINT NOT NULL, v BIGINT CHECK (v >= 0), d BIGINT) FROM 'file:in.jsonl';
SELECT id, v / d AS x FROM s`

interface Input {
  readonly lines: readonly string[]
  readonly good: readonly number[]
  /** By row: its code. */
  readonly bad: ReadonlyMap<number, string>
}

function makeInput(rows: number, isBad: (row: number) => number | undefined): Input {
  const bad = new Map<number, string>()
  const good: number[] = []
  const lines = Array.from({ length: rows }, (_, row) => {
    const kind = isBad(row)
    if (kind === undefined) good.push(row)
    else bad.set(row, CODES[kind]!)
    return kind === undefined ? `{"id":${row},"v":${row},"d":1}` : POISON[kind]!(row)
  })
  writeFileSync(join(directory, 'in.jsonl'), `${lines.join('\n')}\n`)
  return { lines, good, bad }
}

const trial = (more = ''): Trial =>
  new Trial({ directory, text: `-- @name p\n${more}${SQL}`, store: new MemoryStore() })

/** Everything that came is there: delivered, or a dead letter with its bytes, each once. */
function expectWhole(
  { collected, entries }: { collected: Trial['collected']; entries: ReturnType<Trial['entries']> },
  input: Input,
  note: string,
): void {
  expect(
    collected.rows.map(({ values }) => values[0]),
    note,
  ).toEqual(input.good)
  expect(entries.map(({ offset, code, text }) => [offset, code, text]).sort(byOffset), note).toEqual(
    [...input.bad].map(([row, code]) => [row, code, input.lines[row]]),
  )
}
const byOffset = (a: readonly unknown[], b: readonly unknown[]): number => Number(a[0]) - Number(b[0])

test('bad rows of five kinds are dead letters with their bytes; the rest is delivered', async () => {
  const input = makeInput(100, (row) => (row % 10 === 0 ? (row / 10) % 5 : undefined))
  const one = trial()
  const digest = await one.run()
  expectWhole({ collected: one.collected, entries: one.entries() }, input, '')
  expect([...digest.rejected.values()].reduce((sum, n) => sum + n, 0)).toBe(10)
  // The same rows fail again in the next run: no entry is added.
  await one.run()
  expect(one.entries()).toHaveLength(10)
  expect(one.entries().every(({ attempts }) => attempts === 2)).toBe(true)
})

const PHASES = ['align', 'prepare', 'persist', 'commit', 'mark', 'ack', 'prune']

test.each([1, 2, 3, 4, 5, 6])('crashes at any moment lose and repeat nothing (%i)', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const input = makeInput(3000, () => (random.chance(0.01) ? random.below(5) : undefined))
  const one = trial()
  let crashes = 0
  for (;;) {
    one.batchRows = random.pick([3, 17, 64])
    const crashAt = random.between(1, 40)
    const phase = random.chance(0.6) ? random.pick(PHASES) : undefined
    let items = 0
    let checkpoints = 0
    const phaseAt = random.between(1, 4)
    try {
      const digest = await one.run({
        afterItem: async (take) => {
          if (++items === crashAt && phase === undefined) throw new Crash()
          if (random.chance(0.3)) await take()
        },
        onPhase: (entered) => {
          if (entered === phase && ++checkpoints === phaseAt) throw new Crash()
        },
      })
      if (digest.complete) break
    } catch (error) {
      const cause = (error as { cause?: unknown }).cause ?? error
      if (!(cause instanceof Crash)) throw error
      crashes++
      // It died behind its last act: the next start would be a new run.
      const { meta, done } = await chooseCheckpoint(one.store, 'p')
      if (meta?.completed === true && done) break
    }
  }
  expect(crashes).toBeGreaterThan(0)
  expectWhole({ collected: one.collected, entries: one.entries() }, input, `seed ${seed}, ${crashes} crashes`)
})

test('a disk that fails now and then holds the pipeline up, and nothing else', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const input = makeInput(600, (row) => (row % 10 === 3 ? row % 5 : undefined))
  let faults = 0
  const flaky = (): void => {
    if (faults >= 6 || !random.chance(0.4)) return
    faults++
    throw Object.assign(new Error('EIO: planned'), { code: 'EIO' })
  }
  const files: LogFiles = {
    ...systemFiles,
    write: (descriptor, bytes) => {
      flaky()
      systemFiles.write(descriptor, bytes)
    },
    sync: async (descriptor) => {
      flaky()
      await systemFiles.sync(descriptor)
    },
  }
  const one = trial()
  await one.run({ files, afterItem: async (take) => void (await take()) })
  expectWhole({ collected: one.collected, entries: one.entries() }, input, `seed ${seed}, ${faults} faults`)
  if (faults > 0) expect(one.notes.join('\n')).toContain('EIO: planned')
})

describe('policies', () => {
  test('skip drops, counts by code, and tells the first rows', async () => {
    makeInput(100, (row) => (row % 2 === 0 ? 0 : undefined))
    const one = trial()
    one.text = one.text.replace('file:in.jsonl', 'file:in.jsonl?on_error=skip')
    const digest = await one.run()
    expect(digest.rejected).toEqual(new Map([['connector_record_invalid', 50]]))
    expect(one.skipped).toEqual(['0', '2', '4', '6', '8', '10', '12', '14', '16', '18'])
    expect(one.entries()).toEqual([])
    expect(one.collected.rows).toHaveLength(50)
  })

  test.each(['fail', 'retry&then=fail'])('%s: the epoch of the bad row is not delivered', async (policy) => {
    const { lines } = makeInput(100, () => undefined)
    const path = join(directory, 'in.jsonl')
    // As long as what it should be: the place of all others stays.
    writeFileSync(path, lines.join('\n').replace('"v":60,', '"v":6x,'))
    const one = trial()
    one.batchRows = 10
    one.text = one.text.replace('file:in.jsonl', `file:in.jsonl?on_error=${policy}`)
    let items = 0
    const afterItem = async (take: () => Promise<unknown>): Promise<void> => {
      if (++items === 3) await take()
    }
    await expect(one.run({ afterItem })).rejects.toMatchObject({ code: 'connector_record_invalid' })
    expect(one.collected.rows).toHaveLength(30)
    // Mended, it goes on from the checkpoint.
    writeFileSync(path, lines.join('\n'))
    await one.run()
    expect(one.collected.rows.map(({ values }) => values[0])).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('retry without more is a dead letter: a bad row stays bad', async () => {
    const input = makeInput(20, (row) => (row === 6 ? 1 : undefined))
    const one = trial()
    one.text = one.text.replace('file:in.jsonl', 'file:in.jsonl?on_error=retry')
    await one.run()
    expectWhole({ collected: one.collected, entries: one.entries() }, input, '')
  })

  test('dlq.enabled = false only counts', async () => {
    makeInput(20, (row) => (row === 6 ? 1 : undefined))
    const one = trial('SET dlq.enabled = false;')
    const digest = await one.run()
    expect([digest.rejected.get('connector_record_invalid'), one.entries()]).toEqual([1, []])
  })
})

describe('a full queue', () => {
  test('the pipeline waits, says so, can be stopped, and goes on behind a raised limit', async () => {
    const input = makeInput(200, (row) => (row % 10 === 0 ? 0 : undefined))
    const one = trial('SET dlq.max_entries = 8;')
    one.batchRows = 7
    const stop = new AbortController()
    let control: RunControl | undefined
    const running = one.run(
      {
        onControl: (given) => {
          control = given ?? control
        },
      },
      stop.signal,
    )
    running.catch(() => undefined)
    while (control?.status().waits.every(({ cause }) => cause !== 'dlq_full') !== false) await new Promise(setImmediate)
    const wait = control.status().waits.find(({ cause }) => cause === 'dlq_full')
    expect(wait).toMatchObject({ who: 'dlq', detail: expect.stringContaining('dlq.max_entries = 8') })
    expect(control.status().dlq).toMatchObject({ entries: 8, fill: 1 })
    stop.abort()
    await expect(running).rejects.toMatchObject({ code: 'dlq_full' })
    one.text = one.text.replace('max_entries = 8', 'max_entries = 100')
    await one.run()
    expectWhole({ collected: one.collected, entries: one.entries() }, input, '')
  })

  test('reject fails the epoch: what was committed stays', async () => {
    makeInput(200, (row) => (row % 10 === 0 ? 0 : undefined))
    const one = trial("SET dlq.max_entries = 8; SET dlq.overflow = 'reject';")
    one.batchRows = 7
    const afterItem = async (take: () => Promise<unknown>): Promise<void> => void (await take())
    await expect(one.run({ afterItem })).rejects.toMatchObject({ code: 'dlq_full' })
    expect(one.entries()).toHaveLength(8)
    expect(one.collected.rows.length).toBeGreaterThan(60)
  })
})

describe('the rate breaker', () => {
  test('a bounded pipeline ends behind a checkpoint, and goes on from there', async () => {
    const input = makeInput(1000, (row) => (row < 400 ? 0 : undefined))
    const one = trial()
    await expect(one.run()).rejects.toMatchObject({ code: 'dlq_rate_exceeded' })
    const before = one.entries().length
    expect(before).toBeGreaterThanOrEqual(100)
    expect(before).toBeLessThanOrEqual(100 + one.batchRows)
    one.text = `SET dlq.rate_min = 'off'; ${one.text}`
    await one.run()
    expectWhole({ collected: one.collected, entries: one.entries() }, input, '')
  })

  test('fewer than dlq.rate_min, or a smaller share, do not trip it', async () => {
    makeInput(150, (row) => (row < 99 ? 0 : undefined))
    expect((await trial().run()).complete).toBe(true)
    rmSync(join(directory, 'dlq'), { recursive: true })
    makeInput(1000, (row) => (row % 5 < 2 ? 0 : undefined))
    expect((await trial().run()).complete).toBe(true)
  })

  test('an endless pipeline is paused, with its checkpoint, until it is resumed', async () => {
    const one = new Trial({
      directory,
      store: new MemoryStore(),
      text: `-- @name p
SET checkpoint.interval = 'off';
        CREATE STREAM s (n BIGINT) FROM 'datagen:?field.n=seq(1,1)&batch_rows=50';
        SELECT 1 / (n - n) AS x FROM s`,
    })
    const stop = new AbortController()
    let control: RunControl | undefined
    const running = one.run(
      {
        onControl: (given) => {
          control = given ?? control
        },
      },
      stop.signal,
    )
    const isPaused = (): boolean => control?.status().waits.some(({ cause }) => cause === 'dlq_rate') === true
    const paused = async (): Promise<void> => {
      while (!isPaused() || one.entries().length === 0) await new Promise(setImmediate)
    }
    await paused()
    expect(control!.status()).toMatchObject({ state: 'paused', rows_in: 100 })
    await control!.checkpoint()
    expect(one.entries()).toHaveLength(100)
    expect(one.notes[0]).toContain('headrace pipelines resume p')
    control!.resume()
    while (one.entries().length < 200 || !isPaused()) await new Promise(setImmediate)
    expect(control!.status()).toMatchObject({ state: 'paused', rows_in: 200 })
    // A stop ends the pause, too.
    stop.abort()
    expect((await running).complete).toBe(false)
  })
})
