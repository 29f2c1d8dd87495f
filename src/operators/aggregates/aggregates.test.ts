import { expect, test } from 'vitest'
import { WorkerMemory } from '../../core/memory.ts'
import { Random } from '../../core/random.ts'
import { array, type DataType, decimal, field, schema, types } from '../../core/types.ts'
import type { Interval, Value } from '../../core/values.ts'
import type { BoundAggregate, SortKey } from '../../expr/bound.ts'
import { comparator } from '../../expr/compare.ts'
import { buildLoop } from '../../expr/compile/build-loop.ts'
import { aggregateList } from '../../expr/functions/aggregates.ts'
import { RowFailure } from '../../expr/functions.ts'
import { batchOf, columnExpr } from '../../expr/testing/batches.ts'
import { type CallOptions, callOf } from '../testing/aggregate-calls.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { GroupCells } from './group-cells.ts'
import { accumulatorKind } from './kinds.ts'

const memory = new WorkerMemory()
const context = { current: { nowMicros: 0 } }

/** An accumulator in the cells of a pane of its own. */
function placed(kind: AccumulatorKind, slots: number): { accumulator: Accumulator; cells: GroupCells } {
  const cells = new GroupCells(memory, kind.cells)
  const accumulator = kind.create({ cells, offset: 1 })
  cells.reserve(slots)
  accumulator.reserve?.(slots)
  return { accumulator, cells }
}

function answer(
  call: BoundAggregate,
  rows: readonly (readonly Value[])[],
  order: readonly (readonly Value[])[] = [],
): Value | string {
  const { accumulator, cells } = placed(accumulatorKind(call, false), 2)
  for (const [i, row] of rows.entries()) {
    cells.data[cells.stride]! += 1
    accumulator.add(1, row, order[i] ?? [])
  }
  try {
    return accumulator.result(1)
  } catch (failure) {
    if (failure instanceof RowFailure) return failure.code
    throw failure
  }
}

const column = (...values: Value[]): Value[][] => values.map((value) => [value])
const pairs: Value[][] = [2, 4, 5, 4, 5].map((y, i) => [y, i + 1])
const { double, int, bigint, string: text, boolean } = types

test.each<[string, readonly DataType[], readonly (readonly Value[])[], Value, CallOptions?]>([
  ['COUNT', [], column(1, 2), 2],
  ['COUNT', [int], column(1, null), 1],
  ['COUNT', [int], column(1, 1, 2, null), 2, { distinct: true }],
  [
    'COUNT_DISTINCT',
    [text, int],
    [
      ['a', 1],
      ['a', 1],
      ['a', 2],
      ['b', null],
    ],
    2,
  ],
  ['COUNT_IF', [boolean], column(true, false, null, true), 2],
  ['SUM', [int], column(1, null, 2), 3],
  ['SUM', [bigint], column(9223372036854775807n, 9223372036854775807n), 18446744073709551614n],
  ['SUM', [decimal(5, 2)], column(150, 250), 400],
  ['SUM', [double], column(1e308, 1e308, -1e308), 1e308],
  ['SUM', [double], column(1e308, 1e308), 'row_numeric_overflow'],
  ['AVG', [double], column(1e308, 1e308), 1e308],
  ['SUM', [double], column(1, Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY],
  ['SUM', [double], column(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY), Number.NaN],
  ['SUM', [int], column(1, 1, 2), 3, { distinct: true }],
  ['AVG', [int], column(1, 2, 4), 23333333333333333n],
  ['AVG', [double], column(1, 2, 4), 7 / 3],
  ['MIN', [double], column(2, Number.NaN, 1), 1],
  ['MAX', [double], column(2, Number.NaN, 1), Number.NaN],
  ['MAX', [bigint], column(9007199254740993n, 9007199254740992n, 5), 9007199254740993n],
  ['MIN', [text], column('b', null, 'a'), 'a'],
  ['MAX', [text], column('\uffff', '\u{10000}'), '\u{10000}'],
  ['DELTA', [bigint], column(3, 10, null), 7],
  ['DELTA', [bigint], column(-9223372036854775808n, 9223372036854775807n), 'row_numeric_overflow'],
  ['DELTA', [types.date], column(10, 3), 7],
  ['DELTA', [types.timestamp], column(0, 90_000_000_000), { months: 0, days: 1, micros: 3_600_000_000 } as Interval],
  ['FIRST', [int], column(null, 3, 1), 3],
  ['LAST', [int], column(3, 1, null), 1],
  ['ANY_VALUE', [int], column(null, 4), 4],
  [
    'ARG_MIN',
    [text, int],
    [
      ['a', 2],
      ['b', 1],
      ['c', 1],
      ['d', null],
    ],
    'b',
  ],
  [
    'ARG_MAX',
    [text, int],
    [
      ['a', 2],
      ['b', 1],
      ['c', 2],
    ],
    'a',
  ],
  ['BOOL_AND', [boolean], column(true, null, false), false],
  ['BOOL_OR', [boolean], column(false, null, true), true],
  ['STRING_AGG', [text], column('a', null, 'b'), 'a|b', { parameters: ['|'] }],
  ['STRING_AGG', [text], column('a', 'b'), 'a,b'],
  ['ARRAY_AGG', [int], column(1, null), [1, null]],
  ['COLLECT_SET', [int], column(2, 1, 2, null), [2, 1]],
  ['JSON_AGG', [types.json], column('1', null, '"a"'), '[1,null,"a"]'],
  [
    'JSON_OBJECT_AGG',
    [text, types.json],
    [
      ['a', '1'],
      ['b', null],
      ['a', '2'],
    ],
    '{"a":2,"b":null}',
  ],
  [
    'MAP_AGG',
    [text, int],
    [
      ['a', 1],
      ['a', 2],
    ],
    new Map([['a', 2]]),
  ],
  [
    'HISTOGRAM',
    [text],
    column('a', 'b', 'a'),
    new Map([
      ['a', 2],
      ['b', 1],
    ]),
  ],
  ['PERCENTILE_CONT', [double], column(40, 10, 30, 20), 25, { parameters: [0.5] }],
  ['PERCENTILE_CONT', [double], column(40, 10, 30, 20), 38.5, { parameters: [0.95] }],
  ['PERCENTILE_CONT', [double], column(40, 10, 30, 20), [10, 40], { parameters: [0, 1] }],
  ['PERCENTILE_DISC', [int], column(40, 10, 30, 20), 20, { parameters: [0.5] }],
  ['MEDIAN', [double], column(3, 1, null, 2), 2],
  ['MODE', [text], column('b', 'a', 'b', 'a', 'c'), 'a'],
  ['APPROX_COUNT_DISTINCT', [text], column('a', 'b', 'a', null), 2],
  ['APPROX_PERCENTILE', [double], column(1, 2, 3, 4, 5), 3, { parameters: [0.5] }],
])('%s%o over %o is %o', (name, columns, rows, expected, options) => {
  expect(answer(callOf(name, columns, options), rows)).toEqual(expected)
})

test.each([
  ['STDDEV', 1.224744871391589],
  ['STDDEV_POP', 1.0954451150103321],
  ['VARIANCE', 1.5],
  ['VAR_POP', 1.2],
])('%s of 2,4,5,4,5 is %d', (name, expected) => {
  const rows = column(2, 4, 5, 4, 5, null)
  expect(answer(callOf(name, [double]), rows)).toBeCloseTo(expected, 12)
  expect(answer(callOf(name, [double]), column(7))).toBe(name.endsWith('POP') ? 0 : null)
})

test.each<[string, number]>([
  ['CORR', 0.7745966692414834],
  ['COVAR_POP', 1.2],
  ['COVAR_SAMP', 1.5],
  ['REGR_SLOPE', 0.6],
  ['REGR_INTERCEPT', 2.2],
  ['REGR_R2', 0.6],
  ['REGR_COUNT', 5],
  ['REGR_AVGX', 3],
  ['REGR_AVGY', 4],
  ['REGR_SXX', 10],
  ['REGR_SYY', 6],
  ['REGR_SXY', 6],
])('%s of the worked example is %d', (name, expected) => {
  const call = callOf(name, [double, double])
  expect(answer(call, [...pairs, [1, null], [null, 1]])).toBeCloseTo(expected, 12)
})

test('without spread there is no correlation and no slope', () => {
  const flat: Value[][] = [
    [1, 2],
    [3, 2],
  ]
  for (const name of ['CORR', 'REGR_SLOPE', 'REGR_INTERCEPT', 'REGR_R2']) {
    expect(answer(callOf(name, [double, double]), flat)).toBe(null)
  }
})

test('over no rows an aggregate is NULL, a count 0', () => {
  for (const { name } of aggregateList) {
    const call = anyCall(name)
    const expected = call.overload.nullable ? null : 0
    expect(answer(call, []), name).toBe(expected)
  }
})

/** A call of an aggregate over columns that it accepts. */
function anyCall(name: string): BoundAggregate {
  const choices: readonly (readonly DataType[])[] = [[double], [double, double], [boolean], [text], [text, types.json]]
  for (const parameters of [[], [0.5]] as const) {
    for (const columns of choices) {
      try {
        return callOf(name, columns, { parameters })
      } catch {}
    }
  }
  throw new Error(`no arguments for ${name}`)
}

test('FIRST and LAST follow the order that was asked for', () => {
  const key: SortKey = {
    expr: columnExpr(schema([field('t', types.timestamp)]), 0),
    descending: false,
    nullsFirst: false,
  }
  const order = [[30], [10], [20], [30], [10]]
  const rows = column('a', 'b', 'c', 'd', 'e')
  expect(answer(callOf('FIRST', [text], { orderBy: [key] }), rows, order)).toBe('b')
  expect(answer(callOf('LAST', [text], { orderBy: [key] }), rows, order)).toBe('d')
  const late = { ...key, descending: true }
  expect(answer(callOf('STRING_AGG', [text], { orderBy: [late] }), rows, order)).toBe('a,d,c,b,e')
})

const RETRACTED: readonly (readonly [name: string, columns: readonly DataType[]])[] = [
  ['COUNT', [int]],
  ['COUNT_DISTINCT', [int]],
  ['SUM', [int]],
  ['SUM', [bigint]],
  ['SUM', [decimal(20, 2)]],
  ['SUM', [double]],
  ['AVG', [decimal(20, 2)]],
  ['AVG', [double]],
  ['MIN', [bigint]],
  ['MAX', [double]],
  ['DELTA', [int]],
  ['STDDEV', [double]],
  ['VAR_POP', [double]],
  ['CORR', [double, double]],
  ['REGR_SLOPE', [double, double]],
  ['MEDIAN', [double]],
  ['MODE', [int]],
  ['HISTOGRAM', [int]],
]

test.each(RETRACTED)('%s%o: taking rows back agrees with a fresh computation', (name, columns) => {
  const seed = [...name].reduce((sum, char) => sum * 33 + char.charCodeAt(0), columns.length) >>> 0
  const random = new Random(seed)
  const call = callOf(name, columns)
  const value = (type: DataType): Value => {
    if (random.chance(0.1)) return null
    if (type.kind === 'double') return random.pick([random.float() * 1e6, 1e12 + random.float(), -3.25, 0])
    if (type.kind === 'bigint' && random.chance(0.1)) return 9223372036854775000n + BigInt(random.below(800))
    return random.between(-20, 20)
  }
  const { accumulator: revising, cells } = placed(accumulatorKind(call, true), 1)
  let live: Value[][] = []
  for (let step = 0; step < 400; step++) {
    if (live.length > 0 && random.chance(0.45)) {
      const index = random.below(live.length)
      cells.data[0]! -= 1
      revising.retract!(0, live[index]!, [])
      live = live.filter((_row, i) => i !== index)
    } else {
      const row = columns.map(value)
      live.push(row)
      cells.data[0]! += 1
      revising.add(0, row, [])
    }
    if (step % 20 === 0) expectSame(revising.result(0), answer(call, live), `seed ${seed}, step ${step}`)
  }
})

/** Equal, doubles within 1e-12 relative of the scale of the inputs. */
function expectSame(actual: Value | string, expected: Value | string, message: string): void {
  if (typeof actual === 'number' && typeof expected === 'number' && !Number.isInteger(expected)) {
    expect(Math.abs(actual - expected), message).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)))
  } else if (actual instanceof Map && expected instanceof Map) {
    const sorted = (map: Map<Value, Value>) => [...map].sort(([a], [b]) => (a as number) - (b as number))
    expect(sorted(actual), message).toEqual(sorted(expected))
  } else expect(actual, message).toEqual(expected)
}

test('compiled steps give what single rows give', () => {
  const random = new Random(5)
  const input = schema([
    field('n', bigint),
    field('x', double),
    field('s', text),
    field('b', boolean),
    field('d', decimal(9, 2)),
  ])
  const rows = Array.from({ length: 300 }, (): Value[] =>
    [
      random.between(-50, 50),
      random.pick([random.float(), Number.NaN, -1.5]),
      random.pick(['a', 'b', '']),
      random.chance(0.5),
      random.between(0, 9999),
    ].map((value) => (random.chance(0.15) ? null : value)),
  )
  const batch = batchOf(input, rows, memory)
  const names: readonly (readonly [string, readonly number[]])[] = [
    ['COUNT', []],
    ['COUNT', [2]],
    ['SUM', [0]],
    ['SUM', [1]],
    ['AVG', [4]],
    ['MIN', [0]],
    ['MAX', [1]],
    ['MIN', [1]],
    ['MAX', [2]],
    ['FIRST', [2]],
    ['BOOL_OR', [3]],
    ['STDDEV', [1]],
    ['MEDIAN', [1]],
    ['COUNT_DISTINCT', [2]],
    ['REGR_COUNT', [1, 1]],
  ]
  for (const [name, columns] of names) {
    const call = callOf(
      name,
      columns.map((i) => input.fields[i]!.type),
    )
    const kind = accumulatorKind(call, false)
    const { accumulator: byRow, cells: rowCells } = placed(kind, 3)
    const { accumulator: byLoop, cells } = placed(kind, 3)
    for (const [i, row] of rows.entries()) {
      rowCells.data[(i % 3) * rowCells.stride]! += 1
      byRow.add(
        i % 3,
        columns.map((c) => row[c]!),
        [],
      )
    }
    const loop = buildLoop(
      {
        rows: 'range',
        body: (code) => {
          const args = columns.map((c) => code.evaluate(columnExpr(input, c)))
          code.line(`const slot = ${code.row} % 3`)
          const data = code.bound(() => cells.data)
          code.line(`const at = slot * ${cells.stride}`)
          code.line(`${data}[at]++`)
          const self = () => code.bound(() => byLoop)
          kind.emitAdd!(code, args, { slot: 'slot', cell: (i) => `${data}[at + ${1 + i}]`, self })
        },
      },
      input,
      context,
    )
    expect(loop.run(batch, 0, rows.length)).toBe(rows.length)
    for (let slot = 0; slot < 3; slot++) expect(byLoop.result(slot), `${name} ${columns}`).toEqual(byRow.result(slot))
  }
})

test('an estimate of distinct values is exact up to 256 and within 5 % far above', () => {
  const call = callOf('APPROX_COUNT_DISTINCT', [bigint])
  expect(
    answer(
      call,
      Array.from({ length: 512 }, (_, i) => [i % 256]),
    ),
  ).toBe(256)
  for (const n of [1000, 10_000, 100_000]) {
    const estimate = answer(
      call,
      Array.from({ length: n }, (_, i) => [i * 7919]),
    ) as number
    expect(Math.abs(estimate - n) / n, `${n}: ${estimate}`).toBeLessThan(0.05)
  }
})

test.each([31, 32])('an approximate percentile is at most 1 %% of the ranks off (seed %i)', (seed) => {
  const random = new Random(seed)
  const values = Array.from({ length: 20_000 }, () => random.float() ** 3 * 1000)
  const shares = [0.01, 0.25, 0.5, 0.9, 0.99]
  const call = callOf('APPROX_PERCENTILE', [double], { parameters: shares })
  const answers = answer(
    call,
    values.map((value) => [value]),
  ) as readonly number[]
  const sorted = values.toSorted(comparator(double) as (a: number, b: number) => number)
  for (const [i, share] of shares.entries()) {
    const rank = sorted.findIndex((value) => value >= answers[i]!) / values.length
    expect(Math.abs(rank - share), `share ${share}, seed ${seed}`).toBeLessThanOrEqual(0.01)
  }
  expect(call.type).toEqual(array(double))
})
