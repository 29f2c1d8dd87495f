import { expect, test } from 'vitest'
import type { Batch } from '../core/batch.ts'
import { WorkerMemory } from '../core/memory.ts'
import { Random } from '../core/random.ts'
import { field, schema, types } from '../core/types.ts'
import type { BoundExpr } from './bound.ts'
import { scalarFunctions } from './catalogue.ts'
import { type ProgramResult, RowProgram } from './project.ts'
import { batchOf, call, columnExpr, dictColumn, literal, rowsOf } from './testing/batches.ts'
import { randomExpr, randomRows, randomSchema } from './testing/random-expr.ts'

const memory = new WorkerMemory()
const deps = { memory, current: { nowMicros: 1_767_225_600_000_000 } }

interface Query {
  readonly filters?: readonly BoundExpr[]
  readonly outputs: readonly BoundExpr[]
  readonly input?: typeof randomSchema
  readonly onFailure?: 'drop' | 'null'
}

function run(query: Query, batches: readonly Batch[], mode: 'compiled' | 'interpreted'): unknown[] {
  const { filters = [], outputs, onFailure } = query
  const output = schema(outputs.map((expr, i) => field(`c${i}`, expr.type)))
  using program = new RowProgram({
    filters,
    outputs,
    input: query.input ?? randomSchema,
    output,
    mode,
    deps,
    onFailure,
  })
  return batches.map((batch) => shown(program.run(batch)))
}

const shown = ({ batch, failures }: ProgramResult) => ({
  rows: rowsOf(batch),
  marks: batch?.marks,
  changes: batch?.changes && [...batch.changes],
  failures,
})

const names = [...scalarFunctions.values()].filter(({ name }) => !/^[^A-Z]/.test(name)).map(({ name }) => name)

test.each([1, 2, 3, 4])('compiled and interpreted agree on random expressions (seed %i)', (seed) => {
  const random = new Random(seed)
  const data = [
    randomRows(random, 40, { nulls: 0, wide: 0 }),
    randomRows(random, 40, { nulls: 0.2, wide: 0 }),
    randomRows(random, 40, { nulls: 0.2, wide: 0.1 }),
  ].map((rows) => batchOf(randomSchema, rows, memory))
  for (let n = 0; n < 150; n++) {
    const filters = random.chance(0.5) ? [asFilter(randomExpr(random, 2, names))] : []
    const outputs = [randomExpr(random, 3, names), randomExpr(random, 1, names), columnExpr(randomSchema, 7)]
    const onFailure = random.chance(0.3) ? 'null' : 'drop'
    const query: Query = { filters, outputs, onFailure }
    expect(run(query, data, 'compiled'), `seed ${seed}, query ${n}: ${print(outputs[0]!)}`).toEqual(
      run(query, data, 'interpreted'),
    )
  }
})

const asFilter = (expr: BoundExpr): BoundExpr =>
  expr.type.kind === 'boolean'
    ? expr
    : { kind: 'is-null', arg: expr, negated: true, type: types.boolean, nullable: false }

function print(expr: BoundExpr): string {
  return JSON.stringify(expr, (key, value) =>
    key === 'type' || key === 'span' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
  )
}

test('dictionary columns are evaluated per code and give the same rows as text columns', () => {
  const input = schema([field('s', types.string), field('n', types.bigint)])
  const texts = ['b', 'a', null, 'abc', 'a', 'b', 'kafka', null]
  const s = columnExpr(input, 0)
  const outputs = [
    call('=', s, literal(types.string, 'a')),
    call('LIKE', s, literal(types.string, 'a%')),
    call('IN', s, literal(types.string, 'b'), literal(types.string, 'x')),
    { kind: 'cast', arg: s, type: types.bigint, safe: true, nullable: true } as const,
    s,
  ]
  const rows = texts.map((text, i) => [text, i])
  const plain = batchOf(input, rows, memory)
  const coded = { ...plain, columns: [dictColumn(texts, memory), plain.columns[1]!] }
  const query = { input, outputs, filters: [call('<>', s, literal(types.string, 'b'))] }
  const expected = run(query, [plain], 'interpreted')
  expect(run(query, [coded], 'compiled')).toEqual(expected)
  expect(run(query, [plain], 'compiled')).toEqual(expected)
})

test.each([
  ['string', types.string, ['a', 'b', null, 'zz', 'k17']],
  ['bigint', types.bigint, [1, 17, null, 99, 9007199254740993n]],
  ['double', types.double, [1, Number.NaN, null, -0, 99]],
] as const)('a long IN list of %s answers as a short one', (_kind, type, values) => {
  const input = schema([field('x', type)])
  const x = columnExpr(input, 0)
  const many = Array.from({ length: 40 }, (_, i) => literal(type, type.kind === 'string' ? `k${i}` : i))
  const extra = values.slice(0, 2).map((value) => literal(type, value))
  const outputs = [call('IN', x, ...many, ...extra), call('IN', x, ...many, literal(type, null))]
  const batch = batchOf(
    input,
    values.map((value) => [value]),
    memory,
  )
  expect(run({ input, outputs }, [batch], 'compiled')).toEqual(run({ input, outputs }, [batch], 'interpreted'))
})

test('marks and changes follow the rows that are kept', () => {
  const input = schema([field('n', types.bigint)])
  const n = columnExpr(input, 0)
  const batch: Batch = {
    ...batchOf(input, [[1], [2], [3], [4]], memory),
    changes: Uint8Array.of(0, 1, 2, 3),
    marks: [
      { row: 1, watermark: 10 },
      { row: 4, watermark: 20 },
    ],
  }
  const query = { input, outputs: [n], filters: [call('>', n, literal(types.bigint, 2))] }
  const expected = [
    {
      rows: [[3], [4]],
      changes: [2, 3],
      marks: [
        { row: 0, watermark: 10 },
        { row: 2, watermark: 20 },
      ],
      failures: [],
    },
  ]
  expect(run(query, [batch], 'compiled')).toEqual(expected)
  expect(run(query, [batch], 'interpreted')).toEqual(expected)
})

test('a row that fails names the innermost call and leaves the others alone', () => {
  const input = schema([field('a', types.bigint), field('b', types.bigint)])
  const [a, b] = [columnExpr(input, 0), columnExpr(input, 1)]
  const quotient = { ...call('/', a, b), span: { start: 7, end: 12 } }
  const batch = batchOf(
    input,
    [
      [7, 2],
      [1, 0],
      [9, 3],
    ],
    memory,
  )
  const failure = { row: 1, code: 'row_division_by_zero', detail: 'division by zero', span: { start: 7, end: 12 } }
  for (const mode of ['compiled', 'interpreted'] as const) {
    const drop = run({ input, outputs: [a, call('+', quotient, a)] }, [batch], mode)
    expect(drop).toEqual([
      {
        rows: [
          [7, 10],
          [9, 12],
        ],
        failures: [{ ...failure, kept: false }],
      },
    ])
    const keep = run({ input, outputs: [a, quotient], onFailure: 'null' }, [batch], mode)
    expect(keep).toEqual([
      {
        rows: [
          [7, 3],
          [1, null],
          [9, 3],
        ],
        failures: [{ ...failure, kept: true }],
      },
    ])
  }
})

test('a column is passed through without copying when every row is kept', () => {
  const input = schema([field('n', types.bigint), field('s', types.string)])
  const batch = batchOf(
    input,
    [
      [1, 'x'],
      [2, 'y'],
    ],
    memory,
  )
  const [n, s] = [columnExpr(input, 0), columnExpr(input, 1)]
  const output = schema([field('s', types.string), field('m', types.bigint)])
  const outputs = [s, call('+', n, literal(types.bigint, 1))]
  using program = new RowProgram({
    filters: [call('>', n, literal(types.bigint, 0))],
    outputs,
    input,
    output,
    mode: 'compiled',
    deps,
  })
  const result = program.run(batch)
  expect(result.batch!.columns[0]).toBe(batch.columns[1])
  expect(rowsOf(result.batch)).toEqual([
    ['x', 2],
    ['y', 3],
  ])
})

test('results beyond 2^53 are exact and leave only their rows to the interpreter', () => {
  const input = schema([field('n', types.bigint)])
  const n = columnExpr(input, 0)
  const batch = batchOf(input, [[1], [9007199254740991], [2]], memory)
  expect(run({ input, outputs: [call('*', n, n)] }, [batch], 'compiled')).toEqual([
    {
      rows: [[1], [4]],
      failures: [
        { row: 1, code: 'row_numeric_overflow', detail: expect.any(String), span: expect.anything(), kept: false },
      ],
    },
  ])
  const wide = run({ input, outputs: [call('*', n, literal(types.bigint, 1000))] }, [batch], 'compiled')
  expect(wide).toEqual([{ rows: [[1000], [9007199254740991000n], [2000]], failures: [] }])
})
