import { expect, test } from 'vitest'
import { WorkerMemory } from '../../core/memory.ts'
import { Random } from '../../core/random.ts'
import { array, type DataType, decimal, field, map, type Schema, schema, struct, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { BoundExpr } from '../bound.ts'
import { scalarList } from '../catalogue.ts'
import { RowProgram } from '../project.ts'
import { batchOf, columnExpr, dictColumn, literal, rowsOf, tryCall } from '../testing/batches.ts'
import { randomValue } from '../testing/random-expr.ts'

const memory = new WorkerMemory()
const deps = { memory, current: { nowMicros: 0 } }

const WORDS = [
  'day',
  'month',
  'ms',
  'hex',
  '%Y-%m-%d',
  'YYYY-MM-DD',
  'a+',
  '(b)',
  '$.a',
  'i',
  ',',
  'UTC',
  '2026-01-31',
  '[1,2]',
  '{"a":1}',
  'STRUCT<a INT>',
]
const JSONS = ['{"a":1,"b":[1,2,{"c":"x"}]}', '[1,"a",null]', 'null', '"text"', '12.50', 'true', '{}', '[]']

const all: Schema = schema([
  field('small', types.smallint),
  field('int', types.int),
  field('big', types.bigint),
  field('num', decimal(12, 2)),
  field('wide', decimal(38, 9)),
  field('dbl', types.double),
  field('str', types.string),
  field('txt', types.string),
  field('flag', types.boolean),
  field('day', types.date),
  field('ts', types.timestamp),
  field('tz', types.timestamptz),
  field('span', types.interval),
  field('bytes', types.bytes),
  field('json', types.json),
  field('ints', array(types.bigint)),
  field('strs', array(types.string)),
  field('map', map(types.string, types.bigint)),
  field('st', struct([field('x', types.bigint), field('y', types.string)])),
])

function valueOfType(type: DataType, random: Random): Value {
  switch (type.kind) {
    case 'timestamptz':
      return randomValue(types.timestamp, random, 0.05)
    case 'interval':
      return { months: random.between(-2, 2), days: random.between(-3, 3), micros: random.between(-1e9, 1e9) }
    case 'bytes':
      return Uint8Array.from({ length: random.below(4) }, () => random.below(256))
    case 'json':
      return random.pick(JSONS)
    case 'array':
      return Array.from({ length: random.below(4) }, () =>
        random.chance(0.2) ? null : valueOfType(type.element, random),
      )
    case 'map':
      return new Map(
        ['a', 'b'].slice(0, random.below(3)).map((key) => [key, random.chance(0.2) ? null : random.below(9)]),
      )
    case 'string':
      return random.chance(0.4) ? random.pick(WORDS) : randomValue(type, random, 0)
    default:
      return randomValue(type, random, 0.05)
  }
}

const rowsFor = (random: Random, nulls: number): Value[][] =>
  Array.from({ length: 24 }, () => all.fields.map((f) => (random.chance(nulls) ? null : valueOfType(f.type, random))))

/** Most functions take strings and counts: those come more often. */
const OFTEN = [2, 6, 7, 7]

function argument(random: Random): BoundExpr {
  const index = random.chance(0.5) ? random.pick(OFTEN) : random.below(all.fields.length)
  if (random.chance(0.6)) return columnExpr(all, index)
  const { type } = all.fields[index]!
  return literal(type, random.chance(0.1) ? null : valueOfType(type, random))
}

function run(expr: BoundExpr, batch: ReturnType<typeof batchOf>, mode: 'compiled' | 'interpreted') {
  using program = new RowProgram({
    filters: [],
    outputs: [expr, columnExpr(all, 1)],
    input: all,
    output: schema([field('r', expr.type), field('int', types.int)]),
    mode,
    deps,
  })
  const { batch: result, failures } = program.run(batch)
  return { rows: rowsOf(result), failures }
}

const random = new Random(77)
const batches = [rowsFor(random, 0), rowsFor(random, 0.25)].map((rows) => batchOf(all, rows, memory))
const text = batches[1]!
const strings = rowsOf(text).map((row) => row[6] as string | null)
const coded = { ...text, columns: text.columns.map((column, i) => (i === 6 ? dictColumn(strings, memory) : column)) }

const callable = scalarList.filter(({ examples }) => examples.length > 0).map(({ name }) => name)

/** At least this many overloads of each function must have been tried. */
const TRIED_MIN = 3

test.each(callable)('%s: both modes agree and no value breaks it', (name) => {
  const seed = [...name].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) >>> 0
  const random = new Random(seed)
  let tried = 0
  for (let attempt = 0; attempt < 20_000 && tried < 8; attempt++) {
    const args = Array.from({ length: 1 + random.below(4) }, () => argument(random))
    const expr = tryCall(name, args)
    if (expr === undefined) continue
    tried++
    for (const batch of batches) {
      const expected = run(expr, batch, 'interpreted')
      const message = `seed ${seed}, attempt ${attempt}`
      expect(run(expr, batch, 'compiled'), message).toEqual(expected)
      if (batch === text) expect(run(expr, coded, 'compiled'), message).toEqual(expected)
    }
  }
  expect(tried, `overloads of ${name} found (seed ${seed})`).toBeGreaterThanOrEqual(TRIED_MIN)
})
