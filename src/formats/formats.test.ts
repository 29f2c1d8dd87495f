import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Batch } from '../core/batch.ts'
import { ColumnBuilder } from '../core/column-builder.ts'
import { valueAt } from '../core/column-read.ts'
import { array, type DataType, decimal, field, map, schema, struct, types } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { inflate } from './compression.ts'
import { detectFormat, formatOfBytes } from './detect.ts'
import { createDecoder, createEncoder } from './formats.ts'
import { column, decodeBytes, specOf, testDeps } from './test-decoding.ts'

const deps = testDeps()

const columns: readonly (readonly [string, DataType, readonly Value[]])[] = [
  ['f', types.boolean, [true, false, null]],
  ['n', types.int, [-5, 2147483647, null]],
  ['b', types.bigint, [1, 9007199254740993n, null]],
  ['d', types.double, [1.5, -0, null]],
  ['odd', types.double, [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['m', decimal(38, 4), [12500, -12345678901234567890123n, 0]],
  ['s', types.string, ['a "quoted", one\nline', 'Zürich 😀\\', '']],
  ['y', types.bytes, [new Uint8Array([0, 255, 16]), new Uint8Array([1]), null]],
  ['day', types.date, [20_484, -1, null]],
  ['t', types.timestamp, [1769853600000000, 253402300799999999n, -1]],
  ['i', types.interval, [{ months: 14, days: 3, micros: 6_500_000 }, { months: 0, days: 0, micros: 0 }, null]],
  ['l', array(types.bigint), [[1, 9007199254740993n, null], [], null]],
  ['k', map(types.string, types.double), [new Map([['x', 1.5]]), new Map(), null]],
  ['j', types.json, ['{"a":[1.50,null]}', '"text"', null]],
  [
    'o',
    struct([field('x', types.bigint), field('in', struct([field('y', types.string)]))]),
    [[1, ['z']], [null, null], null],
  ],
]

function batchOf(which: readonly (readonly [string, DataType, readonly Value[]])[]): Batch {
  const built = which.map(([, type, values]) => {
    const builder = new ColumnBuilder(type, values.length, deps.memory)
    for (const value of values) builder.append(value)
    return builder.finish()
  })
  return { schema: schema(which.map(([name, type]) => field(name, type))), rows: 3, columns: built }
}

const expectedJson = [
  '{"f":true,"n":-5,"b":1,"d":1.5,"odd":"NaN","m":1.25,"s":"a \\"quoted\\", one\\nline","y":"AP8Q","day":"2026-01-31","t":"2026-01-31T10:00:00Z","i":"P1Y2M3DT6.5S","l":[1,9007199254740993,null],"k":{"x":1.5},"j":{"a":[1.50,null]},"o":{"x":1,"in":{"y":"z"}}}',
  '{"f":false,"n":2147483647,"b":9007199254740993,"d":0,"odd":"Infinity","m":-1234567890123456789.0123,"s":"Zürich 😀\\\\","y":"AQ==","day":"1969-12-31","t":"9999-12-31T23:59:59.999999Z","i":"PT0S","l":[],"k":{},"j":"text","o":{"x":null,"in":null}}',
  '{"f":null,"n":null,"b":null,"d":null,"odd":"-Infinity","m":0,"s":"","y":null,"day":null,"t":"1969-12-31T23:59:59.999999Z","i":null,"l":null,"k":null,"j":null,"o":null}',
]

test.each(['on', 'off'] as const)('every type has its JSON form, and is read back from it (kernels %s)', (kernels) => {
  const batch = batchOf(columns)
  using encoder = createEncoder('jsonl', { schema: batch.schema, changes: false, kernels, decimalAs: 'number' }, deps)
  const bytes = Uint8Array.from(encoder.encode(batch))
  const text = Buffer.from(bytes).toString()
  expect(text.trimEnd().split('\n')).toEqual(expectedJson)
  expect(Array.from(encoder.rowEnds, (end) => bytes[end - 1])).toEqual([10, 10, 10])
  using decoder = createDecoder(
    'jsonl',
    specOf(
      columns.map(([name, type]) => column(name, type)),
      { kernels },
    ),
    deps,
  )
  const back = decodeBytes(decoder, bytes)
  expect(back.rejects).toEqual([])
  const want = [0, 1, 2].map((row) => columns.map(([, , values]) => values[row]))
  want[1]![3] = 0
  expect(back.rows).toEqual(want)
})

test.each(['on', 'off'] as const)('csv goes there and back (kernels %s)', (kernels) => {
  const flat = columns.filter(([name]) => name !== 'o')
  const batch = batchOf(flat)
  using encoder = createEncoder('csv', { schema: batch.schema, changes: true, kernels, decimalAs: 'number' }, deps)
  const bytes = Buffer.concat([encoder.header(), encoder.encode({ ...batch, changes: Uint8Array.of(0, 1, 3) })])
  expect(bytes.toString()).toMatchInlineSnapshot(`
    "_op,f,n,b,d,odd,m,s,y,day,t,i,l,k,j
    +I,true,-5,1,1.5,NaN,1.25,"a ""quoted"", one
    line",AP8Q,2026-01-31,2026-01-31T10:00:00Z,P1Y2M3DT6.5S,"[1,9007199254740993,null]","{""x"":1.5}","{""a"":[1.50,null]}"
    -U,false,2147483647,9007199254740993,0,Infinity,-1234567890123456789.0123,Zürich 😀\\,AQ==,1969-12-31,9999-12-31T23:59:59.999999Z,PT0S,[],{},"""text"""
    -D,,,,,-Infinity,0,"",,,1969-12-31T23:59:59.999999Z,,,,
    "
  `)
  using decoder = createDecoder(
    'csv',
    specOf(
      flat.map(([name, type]) => column(name, type)),
      { kernels },
    ),
    deps,
  )
  const want = [0, 1, 2].map((row) => flat.map(([, , values]) => values[row]))
  want[1]![3] = 0
  expect(decodeBytes(decoder, bytes).rows).toEqual(want)
})

test('changelog rows begin with _op', () => {
  const batch = { ...batchOf(columns.slice(1, 2)), changes: Uint8Array.of(2, 1, 0) }
  for (const kernels of ['on', 'off'] as const) {
    using encoder = createEncoder('jsonl', { schema: batch.schema, changes: true, kernels, decimalAs: 'number' }, deps)
    expect(Buffer.from(encoder.encode(batch)).toString()).toBe(
      '{"_op":"+U","n":-5}\n{"_op":"-U","n":2147483647}\n{"_op":"+I","n":null}\n',
    )
  }
})

const spec = (more: object = {}) => specOf([column('a', types.bigint)], more)

test.each(['on', 'off'] as const)(
  'json: arrays, values one after another, a pointer; cut anywhere (kernels %s)',
  (kernels) => {
    const cases: readonly (readonly [string, string | undefined])[] = [
      ['[{"a":1}, {"a":2,"x":"]}"},\n{"a":3}]', undefined],
      ['{"a":1}{"a":2}\n {"a":3}', undefined],
      ['{"meta":{"a":9,"data":[]},"data":{"rows":[{"a":1},{"a":2},{"a":3}]},"z":[1]}', '/data/rows'],
      ['{"data":{"a":1}}\n{"data":{"a":2}}{"none":0}{"data":[{"a":3}]}', '/data'],
    ]
    for (const [text, records] of cases) {
      for (const step of [1, 2, 5, 1000]) {
        using decoder = createDecoder('json', spec({ records, kernels }), deps)
        const { rows, rejects, next } = decodeBytes(decoder, text, step)
        expect(rejects).toEqual([])
        expect(rows).toEqual([[1], [2], [3]])
        expect(next).toEqual({ byte: 0, ordinal: 3 })
      }
    }
  },
)

test('json that is cut off keeps what was whole', () => {
  using decoder = createDecoder('json', spec(), deps)
  const { rows, rejects } = decodeBytes(decoder, '[{"a":1},{"a":2},{"a":')
  expect(rows).toEqual([[1], [2]])
  expect(rejects.map((reject) => reject.detail)).toEqual(['the JSON text is cut off'])
})

test('text and raw', () => {
  using text = createDecoder('text', specOf([column('line', types.string)]), deps)
  expect(decodeBytes(text, '\ufeffone\r\n\n  three', 3).rows).toEqual([['one'], [''], ['  three']])
  using raw = createDecoder('raw', specOf([column('value', types.bytes)]), deps)
  expect(decodeBytes(raw, 'all\nof it', 2).rows).toEqual([[new Uint8Array(Buffer.from('all\nof it'))]])
})

test('text: lines joined until the next one that begins a record', () => {
  const text = 'start a\n  more\n\nstart b\nstart c\n  end'
  for (const [step, batchRows] of [
    [1, 8192],
    [4, 1],
    [1000, 2],
  ] as const) {
    using decoder = createDecoder(
      'text',
      specOf([column('line', types.string)], { multilineStart: /^start/, batchRows }),
      deps,
    )
    const { rows, next } = decodeBytes(decoder, text, step)
    expect(rows).toEqual([['start a\n  more\n'], ['start b'], ['start c\n  end']])
    expect(next).toEqual({ byte: text.length, ordinal: 3 })
  }
})

test('formats are told from name and content', () => {
  expect(detectFormat('a/b.csv.gz', new Uint8Array())).toBe('csv')
  const of = (text: string) => formatOfBytes(Buffer.from(text))
  expect([
    of('{"a":1}\n{"a":2}\n'),
    of('{\n "a": 1\n}\n'),
    of('[1]'),
    of('a,b\n1,2\n'),
    of('a\tb\n1\t2\n'),
    of('PAR1xxxx'),
    of('words'),
  ]).toEqual(['jsonl', 'json', 'json', 'csv', 'tsv', 'parquet', undefined])
})

async function inflated(
  codec: 'gzip' | 'zstd',
  bytes: Uint8Array,
  ratioMax = 200,
): Promise<{ text: string; error?: string }> {
  let text = ''
  try {
    for await (const chunk of inflate(codec, [bytes], { ratioMax, name: 'x' })) text += Buffer.from(chunk).toString()
    return { text }
  } catch (error) {
    return { text, error: (error as { code: string }).code }
  }
}

test('gzip of several members, zstd of several frames, damage and bombs', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join('')
  const gzip = Buffer.concat([gzipSync(lines), gzipSync('end\n')])
  expect(await inflated('gzip', gzip)).toEqual({ text: `${lines}end\n` })
  expect(await inflated('zstd', Buffer.concat([zstdCompressSync(lines), zstdCompressSync('end\n')]))).toEqual({
    text: `${lines}end\n`,
  })
  const cutFrame = await inflated('zstd', zstdCompressSync(lines).subarray(0, 5000))
  expect(cutFrame.error).toBe('connector_data_corrupt')
  expect(lines.startsWith(cutFrame.text)).toBe(true)
  const cut = await inflated('gzip', gzip.subarray(0, 30_000))
  expect(cut.error).toBe('connector_data_corrupt')
  expect(cut.text.length).toBeGreaterThan(10_000)
  expect(lines.startsWith(cut.text)).toBe(true)
  expect((await inflated('gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024)))).error).toBe('connector_data_corrupt')
})

test('reading goes on at every position that a batch names', () => {
  const names = ['a', 's']
  const inputs = {
    jsonl: '\ufeff{"a":1,"s":"x"}\n\n{"a":"bad"}\r\n{"a":2}\n{"a":3,"s":"é"}\n{"a":4}',
    json: '[{"a":1,"s":"x"},{"a":"bad"},{"a":2},{"a":3,"s":"é"},{"a":4}]',
    csv: '\ufeffa,s\n1,x\r\nbad,\n2,\n3,"é\n"\n\n4,',
    text: 'one\ntwo\n\nfour\nfive',
  }
  for (const [format, text] of Object.entries(inputs)) {
    const wanted =
      format === 'text' ? [column('line', types.string)] : [column('a', types.bigint), column('s', types.string)]
    const bytes = Buffer.from(text)
    const whole = runFrom(format, wanted, bytes, { byte: 0, ordinal: 0 }, {})
    expect(whole.ordinals.length + whole.rejected.length).toBe(5)
    for (const position of whole.positions) {
      const rest = runFrom(format, wanted, bytes, position, { csv: { names } })
      const from = (ordinals: readonly number[]): number[] => ordinals.filter((ordinal) => ordinal >= position.ordinal)
      expect([format, rest.ordinals, rest.rejected]).toEqual([format, from(whole.ordinals), from(whole.rejected)])
      expect(rest.rows).toEqual(whole.rows.slice(whole.rows.length - rest.rows.length))
    }
  }
})

/** Decodes from a position on, two rows a batch. */
function runFrom(
  format: string,
  wanted: Parameters<typeof specOf>[0],
  bytes: Uint8Array,
  position: { readonly byte: number; readonly ordinal: number },
  more: object,
) {
  using decoder = createDecoder(format, specOf(wanted, { batchRows: 2, ...more }), deps)
  decoder.seek(position)
  const rest = bytes.subarray(position.byte)
  decoder.reserve(rest.length).set(rest)
  const out = {
    ordinals: [] as number[],
    rejected: [] as number[],
    rows: [] as unknown[],
    positions: [] as (typeof position)[],
  }
  for (const all of [decoder.commit(rest.length, { kind: 'delimited' }), decoder.finish()]) {
    for (const { batch, rejects, next } of all) {
      const { rowOrdinal, ordinals } = batch?.provenance ?? { rowOrdinal: 0 }
      for (let row = 0; row < (batch?.rows ?? 0); row++) {
        out.ordinals.push(rowOrdinal + (ordinals?.[row] ?? row))
        out.rows.push(batch!.columns.map((each) => valueAt(each, row)))
      }
      for (const reject of rejects) out.rejected.push(reject.ordinal)
      out.positions.push(next)
    }
  }
  return out
}

test('decoders and encoders give back the memory that they took', () => {
  const { memory } = deps
  const inputs = { jsonl: '{"a":1,"s":"\\u00e9"}\n', json: '[{"a":1}]', csv: 'a,s\n1,"x""y"\n', tsv: 'a\ts\n1\t2\n' }
  const wanted = [column('a', types.bigint), column('s', types.string), column('m', decimal(38, 0))]
  for (const [format, text] of Object.entries(inputs)) {
    const before = memory.usedBytes
    const decoder = createDecoder(format, specOf(wanted), deps)
    // more than one slab, so that it grows
    decodeBytes(decoder, `${text}${' '.repeat(700_000)}\n`, 100_000)
    decoder[Symbol.dispose]()
    expect([format, memory.usedBytes - before]).toEqual([format, 0])
  }
  const batch = batchOf(columns)
  for (const format of ['jsonl', 'csv']) {
    const before = memory.usedBytes
    const encoder = createEncoder(
      format,
      { schema: batch.schema, changes: false, kernels: 'on', decimalAs: 'number' },
      deps,
    )
    encoder.encode(batch)
    encoder[Symbol.dispose]()
    expect([format, memory.usedBytes - before]).toEqual([format, 0])
  }
  for (const format of ['text', 'raw']) {
    const before = memory.usedBytes
    const decoder = createDecoder(format, specOf([column('v', format === 'text' ? types.string : types.bytes)]), deps)
    decodeBytes(decoder, 'a\nb\n')
    decoder[Symbol.dispose]()
    expect([format, memory.usedBytes - before]).toEqual([format, 0])
  }
})
