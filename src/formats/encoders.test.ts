import { expect, test } from 'vitest'
import { randomDouble } from '../../scripts/fuzz/doubles.ts'
import type { Batch } from '../core/batch.ts'
import type { Column } from '../core/column.ts'
import { ColumnBuilder } from '../core/column-builder.ts'
import { Random } from '../core/random.ts'
import { type DataType, decimal, field, schema, struct, types } from '../core/types.ts'
import { exact, type Value } from '../core/values.ts'
import type { EncoderSpec } from './encoder.ts'
import { createDecoder, createEncoder } from './formats.ts'
import { column, decodeBytes, specOf, testDeps } from './test-decoding.ts'

const SEED = 8
const deps = testDeps()

const TYPES: readonly DataType[] = [
  types.boolean,
  types.smallint,
  types.bigint,
  types.double,
  decimal(18, 6),
  decimal(38, 30),
  types.string,
  types.bytes,
  types.json,
  types.date,
  types.timestamp,
  types.interval,
  { kind: 'array', element: types.string },
  struct([field('a', types.bigint), field('b', struct([field('c', types.string), field('d', types.double)]))]),
]
const TEXTS = [
  '',
  'a',
  'plain words',
  '"quoted"',
  'back\\slash',
  'tab\tline\nreturn\r',
  '\u0000\u001f',
  '日本語',
  '😀',
  'x'.repeat(15),
  'y'.repeat(16),
  `${'z'.repeat(31)}"`,
  ',',
  ' edge ',
  '\u2028',
]

function randomValue(random: Random, type: DataType): Value {
  if (random.chance(0.1)) return null
  switch (type.kind) {
    case 'boolean':
      return random.chance(0.5)
    case 'smallint':
      return random.between(-32_768, 32_767)
    case 'bigint':
    case 'timestamp':
      return exact((BigInt(random.uint32()) << BigInt(random.below(32))) * (random.chance(0.5) ? 1n : -1n))
    case 'double': {
      const x = randomDouble(random)
      return x
    }
    case 'decimal':
      return random.chance(0.1) && type.precision > 20 ? BigInt(random.uint32()) ** 3n : random.between(-1e9, 1e9)
    case 'bytes':
      return Uint8Array.from({ length: random.below(9) }, () => random.below(256))
    case 'json':
      return random.pick(['{"a":\n[1.50]}', 'null', '"x"'])
    case 'date':
      return random.between(-100_000, 100_000)
    case 'interval':
      return { months: random.between(-20, 20), days: random.between(-20, 20), micros: random.between(-1e9, 1e9) }
    case 'array':
      return [random.pick(TEXTS), null]
    case 'struct':
      return type.fields.map((f) => randomValue(random, f.type))
    default:
      return random.chance(0.02) ? random.pick(TEXTS).repeat(500) : random.pick(TEXTS) + random.pick(TEXTS)
  }
}

function randomBatch(random: Random, rows: number): Batch {
  const columns = TYPES.map((type) => {
    const builder = new ColumnBuilder(type, rows, deps.memory)
    for (let row = 0; row < rows; row++) builder.append(randomValue(random, type))
    return builder.finish()
  })
  const changes = random.chance(0.5) ? Uint8Array.from({ length: rows }, () => random.below(4)) : undefined
  return { schema: schema(TYPES.map((type, i) => field(`c "${i}"`, type))), rows, columns, changes }
}

/** Bytes and row ends by the kernel or the twin. */
function encoded(format: string, batch: Batch, spec: Omit<EncoderSpec, 'schema'>): readonly [string, number[]] {
  using encoder = createEncoder(format, { ...spec, schema: batch.schema }, deps)
  const text = Buffer.from(encoder.encode(batch)).toString()
  return [text, Array.from(encoder.rowEnds)]
}

test.each(['jsonl', 'csv', 'tsv'])('%s: kernel and twin write the same bytes', (format) => {
  const random = new Random(SEED)
  for (let round = 0; round < 6; round++) {
    const batch = randomBatch(random, round === 0 ? 1 : 400)
    const decimalAs = random.pick(['number', 'string'] as const)
    const spec = { changes: random.chance(0.5), decimalAs }
    const [on, onEnds] = encoded(format, batch, { ...spec, kernels: 'on' })
    const [off, offEnds] = encoded(format, batch, { ...spec, kernels: 'off' })
    const lines = on.split('\n')
    for (const [i, line] of off.split('\n').entries()) expect(lines[i], `seed ${SEED}`).toBe(line)
    expect(onEnds).toEqual(offEnds)
  }
})

test('csv: an escape character goes there and back', () => {
  const texts = ['say "x"', 'back\\slash', 'both \\" of, them', 'plain']
  const builder = new ColumnBuilder(types.string, texts.length, deps.memory)
  for (const text of texts) builder.append(text)
  const batch: Batch = { schema: schema([field('s', types.string)]), rows: texts.length, columns: [builder.finish()] }
  for (const csv of [{ escape: '\\' }, { quote: "'" }, {}]) {
    const [on] = encoded('csv', batch, { changes: false, decimalAs: 'number', kernels: 'on', csv })
    const [off] = encoded('csv', batch, { changes: false, decimalAs: 'number', kernels: 'off', csv })
    expect(on).toBe(off)
    using decoder = createDecoder('csv', specOf([column('s', types.string)], { csv }), deps)
    expect(decodeBytes(decoder, `s\n${on}`).rows).toEqual(texts.map((text) => [text]))
  }
})

test('output that outgrows its region many times over', () => {
  const rows = 3000
  const builder = new ColumnBuilder(types.string, rows, deps.memory)
  for (let row = 0; row < rows; row++) builder.append('\u0001'.repeat(row))
  const batch: Batch = { schema: schema([field('s', types.string)]), rows, columns: [builder.finish()] }
  const [text] = encoded('jsonl', batch, { changes: false, decimalAs: 'number', kernels: 'on' })
  const want = Array.from({ length: rows }, (_, row) => `${JSON.stringify({ s: '\u0001'.repeat(row) })}\n`).join('')
  expect(text === want).toBe(true)
})

test('dictionary columns, and arrays outside the memory', () => {
  const { memory } = deps
  const place = memory.allocate(64)
  memory.text.latin1Write('re"d blue', place)
  const dictionary = {
    entries: 2,
    spans: Uint32Array.of(place, 4, place + 5, 4),
    bytes: memory.bytes,
    strings: ['re"d', 'blue'],
  }
  const columns: Column[] = [
    { kind: 'dict', type: types.string, validity: undefined, codes: Int32Array.of(1, 0, 1), dictionary },
    { kind: 'f64', type: types.double, validity: Uint8Array.of(1, 0, 1), data: Float64Array.of(1.5, 0, 2) },
    { kind: 'i64', lane: 'wide', type: types.bigint, validity: undefined, data: BigInt64Array.of(1n, -1n, 2n ** 62n) },
  ]
  const batch: Batch = {
    schema: schema(['k', 'd', 'b'].map((name, i) => field(name, columns[i]!.type))),
    rows: 3,
    columns,
  }
  const spec = { changes: false, decimalAs: 'number', kernels: 'on' } as const
  expect(encoded('jsonl', batch, spec)[0]).toBe(
    '{"k":"blue","d":1.5,"b":1}\n{"k":"re\\"d","d":null,"b":-1}\n{"k":"blue","d":2,"b":4611686018427387904}\n',
  )
  expect(encoded('csv', batch, spec)[0]).toBe('blue,1.5,1\n"re""d",,-1\nblue,2,4611686018427387904\n')
})
