import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowAt } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { type DeadLetter, DeadLetters, placeOf } from './dead-letters.ts'
import { Engine } from './engine.ts'
import { Pipeline } from './pipeline.ts'
import type { Digest } from './run-digest.ts'
import { compileScript } from './script.ts'

let baseDirectory: string
beforeAll(() => {
  baseDirectory = mkdtempSync(join(tmpdir(), 'headrace-pipeline-'))
})
afterAll(() => rmSync(baseDirectory, { recursive: true }))

const put = (name: string, text: string): void => writeFileSync(join(baseDirectory, name), text)

interface Ran {
  readonly digest: Digest
  readonly rows: readonly (readonly Value[])[]
  readonly letters: readonly DeadLetter[]
}

/** Runs a script in process and gathers what went to the client and what went no further. */
async function run(text: string, batchRows: number): Promise<Ran> {
  const engine = new Engine({ baseDirectory, batchRows })
  const script = { file: 'script.sql', text, baseDirectory, name: undefined, parameters: new Map() }
  const { plan } = await compileScript(engine, script)
  const rows: (readonly Value[])[] = []
  const letters: DeadLetter[] = []
  const pipeline = new Pipeline(engine, {
    plan,
    baseDirectory,
    deadLetters: new DeadLetters((letter) => letters.push(letter)),
    client: (_schema: Schema) => ({
      write: async (batch) => {
        for (let row = 0; row < batch.rows; row++) rows.push(rowAt(batch, row).values)
        return []
      },
      flush: async () => [],
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  })
  return { digest: await pipeline.run(new AbortController().signal), rows, letters }
}

const SIZES = [1, 3, 8192]

test.each(SIZES)('max_records: what comes after the last row is not seen at all; batches of %i', async (size) => {
  const bad = '{"id":}\n'
  const good = (id: number): string => `{"id":${id},"tags":["t${id}"]}\n`
  put('some.jsonl', `${bad}${good(1)}${bad}${good(2)}${bad}${good(3)}${bad}`)
  const columns = '(id BIGINT, tags ARRAY<STRING>)'
  const of = (most: number): Promise<Ran> =>
    run(`CREATE STREAM s ${columns} FROM 'file:some.jsonl?max_records=${most}'; SELECT id, tags FROM s`, size)
  const two = await of(2)
  expect(two.rows).toEqual([
    [1, ['t1']],
    [2, ['t2']],
  ])
  expect(two.digest.rowsIn).toBe(2)
  expect(two.letters.map(({ ordinal }) => ordinal)).toEqual([0, 2])
  expect(two.digest.rejected).toEqual(new Map([['connector_record_invalid', 2]]))
  const none = await of(0)
  expect([none.rows, none.letters, none.digest.rowsIn]).toEqual([[], [], 0])
  expect((await of(4)).letters).toHaveLength(4)
})

test.each(SIZES)('max_records cuts arrays, too; batches of %i', async (size) => {
  put('lists.jsonl', Array.from({ length: 10 }, (_, i) => `{"l":[${i},${i + 100}]}\n`).join(''))
  const from = "CREATE STREAM s (l ARRAY<BIGINT>) FROM 'file:lists.jsonl?max_records=4'"
  const unnested = await run(`${from}; SELECT x FROM s CROSS JOIN UNNEST(l) AS u(x)`, size)
  expect(unnested.rows).toEqual([[0], [100], [1], [101], [2], [102], [3], [103]])
  const counted = await run(`${from}; SELECT COUNT(*) AS n, ARRAY_AGG(l) AS ls FROM s`, size)
  expect(counted.rows).toEqual([[4, [0, 1, 2, 3].map((i) => [i, i + 100])]])
})

test.each(SIZES)(
  'a dead letter names its source by URI and its split, whatever stage refused it; batches of %i',
  async (size) => {
    put('parts.jsonl', '{"a":1,"b":0}\n{"a":}\n{"a":3,"b":3}\n')
    const of = (query: string): Promise<Ran> =>
      run(`CREATE STREAM s (a BIGINT, b BIGINT) FROM 'file:parts.jsonl?format=jsonl'; ${query}`, size)
    const split = join(baseDirectory, 'parts.jsonl')
    const source = 'file:parts.jsonl?format=jsonl'
    const { letters } = await of('SELECT a / b AS q FROM s')
    expect(letters.map(({ stage, source, split, ordinal }) => ({ stage, source, split, ordinal }))).toEqual(
      expect.arrayContaining([
        { stage: 'decode', source, split, ordinal: 1 },
        { stage: 'expression', source, split, ordinal: 0 },
      ]),
    )
    expect(letters.map((letter) => placeOf(letter)).sort()).toEqual([
      `${source} ${split}:1`,
      `${source} ${split}:2 (byte 14)`,
    ])
    const later = await of('SELECT 1 / (SUM(a) - 4) AS q FROM s')
    const made = later.letters.find(({ stage }) => stage === 'expression')
    expect(made).toMatchObject({ source, split: undefined, ordinal: undefined, encoding: 'row' })
  },
)

test.each(SIZES)('a dead letter has its bytes behind stages that leave out rows; batches of %i', async (size) => {
  const records = Array.from(
    { length: 9 },
    (_, i) => `{"k":"${'abc'[i % 3]}", "v":${i}, "l":[${i},${i % 4}], "unread":${i}}`,
  )
  put('steps.jsonl', `${records.join('\n')}\n`)
  const stream = "CREATE STREAM s (k STRING, v BIGINT, l ARRAY<BIGINT>, CHECK (v <> 1)) FROM 'steps.jsonl';"
  const failures = async (query: string): Promise<readonly unknown[]> => {
    const { letters } = await run(`${stream} ${query}`, size)
    return letters
      .filter(({ stage, code }) => stage === 'expression' && code === 'row_division_by_zero')
      .map(({ ordinal, encoding, value }) => [ordinal, encoding, Buffer.from(value).toString()])
  }
  const raw = (...ordinals: readonly number[]) => ordinals.map((ordinal) => [ordinal, 'raw', records[ordinal]])
  expect(await failures("SELECT k, SUM(10 / (v - 5)) AS q FROM s WHERE v % 2 = 1 AND k <> 'a' GROUP BY k")).toEqual(
    raw(5),
  )
  expect(
    await failures(
      'SELECT v, 1 / (x - 2) AS q FROM (SELECT v, x FROM s CROSS JOIN UNNEST(l) AS u(x) WHERE v > 3) AS t WHERE v <> 4',
    ),
  ).toEqual(raw(6))
  const nested =
    'SELECT k, SUM(1 / (v - 7)) AS q FROM (SELECT DISTINCT k, v FROM s WHERE v > 1) AS t WHERE v > 2 GROUP BY k'
  expect(await failures(nested)).toHaveLength(1)
})
