import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MemoryStore } from '../../checkpoint/memory-store.ts'
import { freshSeed, Random } from '../../core/random.ts'
import { Crash, Trial } from './testing.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-replay-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const put = (name: string, lines: readonly string[]): void =>
  writeFileSync(join(directory, name), `${lines.join('\n')}\n`)

const SQL = `-- @name p
SET checkpoint.interval = 'off';
CREATE STREAM s (id BIGINT NOT NULL, d BIGINT) FROM 'file:in.jsonl';
SELECT id, 100 / d AS x FROM s WHERE id <> 13`

const trial = (text = SQL): Trial => new Trial({ directory, text, store: new MemoryStore() })
const ids = ({ collected }: Trial): unknown[] => collected.rows.map(({ values }) => values[0])

/** Every fifth record is bad, in three ways. */
function badRecords(rows: number): number[] {
  const bad: number[] = []
  const lines = Array.from({ length: rows }, (_, id) => {
    if (id % 5 !== 0) return `{"id":${id},"d":1}`
    bad.push(id)
    return [`{"id":${id},"d":`, `{"id":${id},"d":"?"}`, `{"id":${id},"d":0}`][(id / 5) % 3]!
  })
  put('in.jsonl', lines)
  return bad
}

/** Mends all of them. */
const mend = (bytes: Uint8Array): Uint8Array => {
  const id = /"id":(\d+)/.exec(Buffer.from(bytes).toString())![1]
  return Buffer.from(`{"id":${id},"d":1}`)
}

test('what was mended is delivered, with its place, and resolved; the source goes on where it was', async () => {
  const bad = badRecords(50)
  const one = trial(SQL.replace('SELECT id,', 'SELECT id, _offset,'))
  await one.run()
  const before = ids(one)
  const report = await one.replay({ map: mend, batchSize: 3 })
  expect(report).toEqual({ selected: 10, resolved: 10, failed: {}, left: {}, samples: [] })
  const again = one.collected.rows.slice(before.length).map(({ values }) => values.slice(0, 2))
  expect(ids(one).slice(0, before.length)).toEqual(before)
  expect(again.sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(bad.map((id) => [id, id]))
  expect(one.entries().map(({ state }) => state)).toEqual(Array(10).fill('resolved'))
  // Nothing is left to run.
  expect(await one.replay({ map: mend })).toMatchObject({ selected: 0 })
  expect(ids(one)).toHaveLength(before.length + 10)
})

test('a new failure updates the entry; what the query leaves out is resolved; null leaves an entry as it is', async () => {
  put('in.jsonl', ['{"id":1,"d":0}', '{"id":2,', '{"id":3,', '{"id":4,', '{"id":5,"d":5}'])
  const one = trial()
  await one.run()
  const map = (bytes: Uint8Array): Uint8Array | null => {
    const text = Buffer.from(bytes).toString()
    if (text.includes('1')) return bytes
    if (text.includes('2')) return Buffer.from('{"id":2,"d":0}')
    return text.includes('3') ? Buffer.from('{"id":13,"d":1}') : null
  }
  const report = await one.replay({ map })
  expect(report).toMatchObject({
    selected: 4,
    resolved: 1,
    failed: { row_division_by_zero: 2 },
    left: { '--map left it out': 1 },
  })
  expect(one.entries().map(({ code, state, attempts }) => [code, state, attempts])).toEqual([
    ['row_division_by_zero', 'pending', 2],
    ['connector_record_invalid', 'resolved', 2],
    ['connector_record_invalid', 'pending', 1],
    ['row_division_by_zero', 'pending', 2],
  ])
  expect(ids(one)).toEqual([5])
})

test('bytes that are no record, or several, deliver nothing', async () => {
  put('in.jsonl', ['{"id":1,', '{"id":2,', '{"id":3,'])
  const one = trial()
  await one.run()
  const answers = [Buffer.from('{"id":1,"d":1}\n{"id":9,"d":1}'), Buffer.from('')]
  const map = (): Uint8Array => {
    const next = answers.shift()
    if (next === undefined) throw new Error('no idea')
    return next
  }
  const report = await one.replay({ map })
  expect(report).toMatchObject({ resolved: 0, failed: { connector_record_invalid: 2, row_udf_failed: 1 } })
  expect([ids(one), one.entries().map(({ state }) => state)]).toEqual([[], ['pending', 'pending', 'pending']])
})

test('a run that was stopped in the middle is not moved', async () => {
  const bad = badRecords(60)
  const one = trial()
  one.batchRows = 10
  let items = 0
  const crash = async (take: () => Promise<unknown>): Promise<void> => {
    if (++items === 3) await take()
    if (items === 5) throw new Crash()
  }
  await expect(one.run({ afterItem: crash })).rejects.toBeInstanceOf(Crash)
  expect(await one.replay({ map: mend })).toMatchObject({ selected: 6, resolved: 6 })
  await one.run()
  expect(await one.replay({ map: mend })).toMatchObject({ selected: 6, resolved: 6 })
  const all = ids(one) as number[]
  const expected = Array.from({ length: 60 }, (_, id) => id).filter((id) => id !== 13)
  expect(all.toSorted((a, b) => a - b)).toEqual(expected)
  expect(one.entries()).toHaveLength(bad.length)
})

const PHASES = ['align', 'prepare', 'persist', 'commit', 'mark', 'ack', 'prune']

test.each([1, 2, 3, 4])('a replay that dies at any moment delivers everything once (%i)', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  badRecords(300)
  const one = trial()
  await one.run()
  let crashes = 0
  for (;;) {
    const crashAt = random.between(1, 30)
    const phase = random.chance(0.6) ? random.pick(PHASES) : undefined
    const phaseAt = random.between(1, 5)
    let items = 0
    let phases = 0
    try {
      const batchSize = random.between(1, 9)
      await one.replay(
        { map: mend, batchSize },
        {
          afterItem: async () => {
            if (++items === crashAt && phase === undefined) throw new Crash()
          },
          onPhase: (entered) => {
            if (entered === phase && ++phases === phaseAt) throw new Crash()
          },
        },
      )
      if (one.entries().every(({ state }) => state === 'resolved')) break
    } catch (error) {
      const cause = (error as { cause?: unknown }).cause ?? error
      if (!(cause instanceof Crash)) throw error
      crashes++
    }
  }
  const expected = Array.from({ length: 300 }, (_, id) => id).filter((id) => id !== 13)
  expect(
    (ids(one) as number[]).toSorted((a, b) => a - b),
    `seed ${seed}, ${crashes} crashes`,
  ).toEqual(expected)
  expect(one.entries().every(({ attempts }) => attempts === 2)).toBe(true)
})

test('a dry run says what would come of it and touches nothing', async () => {
  put('in.jsonl', ['{"id":1,"d":0}', '{"id":2,', '{"id":3,', '{"id":4,"d":1}'])
  const one = trial()
  await one.run()
  const before = one.entries()
  const map = (bytes: Uint8Array): Uint8Array => Buffer.from(Buffer.from(bytes).toString().replace(/,$/, ',"d":4}'))
  const report = await one.replay({ map, dryRun: true })
  expect(report).toEqual({
    selected: 3,
    resolved: 2,
    failed: { row_division_by_zero: 1 },
    left: {},
    samples: ['{"id":2,"x":25}', '{"id":3,"x":25}'],
  })
  expect([one.entries(), ids(one)]).toEqual([before, [4]])
})

test('only what is chosen runs', async () => {
  badRecords(50)
  const one = trial()
  await one.run()
  const report = await one.replay({ map: mend, filter: { code: 'row_division_by_zero' } })
  expect(report).toMatchObject({ selected: 3, resolved: 3 })
  const [first] = one.entries().filter(({ state }) => state === 'pending')
  expect(await one.replay({ map: mend, filter: { ids: [first!.id] } })).toMatchObject({ selected: 1, resolved: 1 })
})

test('csv: the header of the file names the fields', async () => {
  put('in.csv', ['d,id', '1,1', 'x,2', '3,3', '0,4'])
  const one = trial(SQL.replace('file:in.jsonl', 'file:in.csv'))
  await one.run()
  const map = (bytes: Uint8Array): Uint8Array => Buffer.from(Buffer.from(bytes).toString().replace(/^\w/, '5'))
  const report = await one.replay({ map })
  expect(report, JSON.stringify(one.entries())).toMatchObject({ resolved: 2, failed: {} })
  expect(ids(one)).toEqual([1, 3, 2, 4])
})

describe('what does not run again', () => {
  test('a plan that keeps rows or counts them', async () => {
    put('in.jsonl', ['{"id":1,'])
    const one = trial(`${SQL.split('SELECT')[0]}SELECT COUNT(*) AS n FROM s`)
    await one.run()
    await expect(one.replay()).rejects.toMatchObject({
      code: 'dlq_replay_refused',
      message: expect.stringContaining('a grouping'),
    })
  })

  test('a script of another name, and a pipeline whose state is gone', async () => {
    put('in.jsonl', ['{"id":1,'])
    const one = trial()
    await one.run()
    one.text = SQL.replace('@name p', '@name q')
    await expect(one.replay()).rejects.toMatchObject({ code: 'dlq_replay_refused' })
    one.text = SQL
    await expect(one.replay({}, { at: new MemoryStore() })).rejects.toMatchObject({ code: 'dlq_replay_refused' })
  })

  test('a changed query, unless its state may go', async () => {
    put('in.jsonl', ['{"id":1,"d":0}'])
    const one = trial()
    await one.run()
    one.text = SQL.replace('100 / d', '100 / NULLIF(d, 0)')
    await expect(one.replay()).rejects.toMatchObject({ code: 'pipeline_plan_changed' })
    expect(await one.replay({}, { allowDroppedState: true })).toMatchObject({ resolved: 1 })
    expect(one.collected.rows.map(({ values }) => values)).toEqual([[1, null]])
  })

  test('rows that other outputs have, and records that gave other rows', async () => {
    put('in.jsonl', ['{"id":1,"l":[1,0]}', '{"id":2,"l":'])
    const one = trial(`-- @name p
      CREATE STREAM s (id BIGINT, l ARRAY<BIGINT>) FROM 'file:in.jsonl';
      SELECT id, 1 / x AS y FROM s CROSS JOIN UNNEST(l) AS u(x)`)
    await one.run()
    const map = (bytes: Uint8Array): Uint8Array => (bytes.length < 14 ? Buffer.from('{"id":2,"l":[2]}') : bytes)
    const report = await one.replay({ map })
    expect(report).toMatchObject({ resolved: 1, left: { 'other rows of its record were delivered': 1 } })
    expect(ids(one)).toEqual([1, 2])
  })
})
