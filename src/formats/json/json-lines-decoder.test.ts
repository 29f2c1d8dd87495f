import { describe, expect, test } from 'vitest'
import { array, decimal, field, map, struct, types } from '../../core/types.ts'
import { column, decodeBytes, specOf, TELLING_BYTES, testDeps } from '../test-decoding.ts'
import { createJsonLinesDecoder } from './json-lines-decoder.ts'

const deps = testDeps()

function decode(
  columns: Parameters<typeof specOf>[0],
  text: string | Uint8Array,
  more: Parameters<typeof specOf>[1] = {},
  step?: number,
) {
  using decoder = createJsonLinesDecoder(specOf(columns, more), deps)
  return decodeBytes(decoder, text, step)
}

test('bytes beside the digits in every place of numbers and times: kernel and twin agree', () => {
  const columns = [column('i', types.bigint), column('d', types.double), column('t', types.timestamp)]
  const values = ['1234', '-12.5', '1767225600000', '"2026-01-31T10:20:30.456+01:30"', '"2026-01-31T10:20:30Z"']
  for (const byte of TELLING_BYTES) {
    const lines = values.flatMap((value) =>
      Array.from(value).flatMap((_, at) => {
        const given = Buffer.from(value)
        given[at] = byte
        return ['i', 'd', 't'].flatMap((name) => [
          Buffer.from(`{"i":7,"d":7,"t":7}\n{"a":1,"${name}":`),
          given,
          Buffer.from(',"z":2}\n'),
        ])
      }),
    )
    const text = Buffer.concat(lines)
    const [on, off] = (['on', 'off'] as const).map((kernels) => decode(columns, text, { kernels }))
    expect(on, `byte ${byte}`).toEqual(off)
  }
})

describe.each(['on', 'off'] as const)('kernels %s', (kernels) => {
  test('identifiers keep every digit, whatever lies beside them', () => {
    const ids = [
      '3791411052119578828',
      '990000000262240065',
      '144126219108390099',
      '73314510714175488',
      '7',
      '-9223372036854775808',
    ]
    const text = ids.map((id) => `{"unread":327267367867168100000,"id":${id},"s":"x"}\n`).join('')
    const { rows, rejects } = decode([column('id', types.bigint), column('s', types.string)], text, { kernels })
    expect(rejects).toEqual([])
    expect(rows.map((row) => String(row[0]))).toEqual(ids)
  })

  test('21 digits are exact as DECIMAL', () => {
    const { rows } = decode([column('v', decimal(38, 2))], '{"v":327267367867168100000}\n{"v":1.25}\n', { kernels })
    expect(rows).toEqual([[32726736786716810000000n], [125]])
  })

  test('a value that does not fit is a reject with column, value and bytes', () => {
    const columns = [column('b', types.bigint), column('n', types.smallint)]
    const lines = [
      '{"b":"x","n":1}',
      '{"b":1.5,"n":1}',
      '{"b":1,"n":40000}',
      '{"b":9223372036854775808,"n":1}',
      '{"b":1.0,"n":"12"}',
    ]
    const { rows, rejects } = decode(columns, lines.join('\n'), { kernels })
    expect(rows).toEqual([[1, 12]])
    expect(rejects.map((reject) => [reject.ordinal, reject.detail, Buffer.from(reject.bytes).toString()])).toEqual([
      [0, 'column "b": "x" is not a BIGINT', lines[0]],
      [1, 'column "b": 1.5 is not a BIGINT', lines[1]],
      [2, 'column "n": 40000 is not a SMALLINT', lines[2]],
      [3, 'column "b": 9223372036854775808 is not a BIGINT', lines[3]],
    ])
    expect(rejects[1]!.byte).toBe(16)
  })

  test('missing and null are NULL, and a reject where a value is required', () => {
    const text = '{"a":1}\n{"a":null}\n{}\n'
    expect(decode([column('a', types.double)], text, { kernels }).rows).toEqual([[1], [null], [null]])
    const { rows, rejects } = decode([column('a', types.double, { required: true })], text, { kernels })
    expect(rows).toEqual([[1]])
    expect(rejects.map((reject) => reject.code)).toEqual(['row_not_null_violated', 'row_not_null_violated'])
  })

  test('escapes, surrogates and other scripts become UTF-8', () => {
    const text = '{"s":"a\\u00e9\\ud83d\\ude00\\n\\/"}\n{"s":"日本"}\n{"s":"lone \\ud800!"}\n{"s":""}\n'
    expect(decode([column('s', types.string)], text, { kernels }).rows).toEqual([
      ['aé😀\n/'],
      ['日本'],
      ['lone \ufffd!'],
      [''],
    ])
  })

  test('invalid UTF-8 is a reject in a read column and unseen in another', () => {
    const bytes = Buffer.from([...Buffer.from('{"s":"'), 0xff, ...Buffer.from('","t":"x"}\n')])
    expect(decode([column('s', types.string)], bytes, { kernels }).rejects).toHaveLength(1)
    expect(decode([column('t', types.string)], bytes, { kernels }).rows).toEqual([['x']])
    expect(decode([column('t', types.string)], bytes, { kernels, strict: true }).rejects).toHaveLength(1)
  })

  test('times: ISO text, and integers by size or by the locked unit', () => {
    const at = 1_767_225_600_000_000
    const text = [
      '1767225600',
      '1767225600000',
      '1767225600000000',
      '1767225600000000000',
      '"2026-01-01T00:00:00Z"',
      '"2026-01-01 02:00:00.0000004+02:00"',
    ]
      .map((value) => `{"t":${value}}\n`)
      .join('')
    expect(decode([column('t', types.timestamp)], text, { kernels }).rows).toEqual(Array(6).fill([at]))
    expect(decode([column('t', types.timestamp, { timeUnit: 's' })], '{"t":100000000000}\n', { kernels }).rows).toEqual(
      [[100000000000000000n]],
    )
    const last = decode([column('t', types.timestamp)], '{"t":"9999-12-31T23:59:59.999999Z"}\n{"t":1}\n', { kernels })
    expect(last.rows).toEqual([[253402300799999999n], [1000000]])
  })

  test('structs and paths go through null and missing objects', () => {
    const bid = struct([field('price', types.double), field('who', struct([field('id', types.bigint)]))])
    const columns = [column('bid', bid), column('id', types.bigint, { path: ['bid', 'who', 'id'] })]
    const text =
      '{"bid":{"price":1.5,"who":{"id":7}}}\n{"bid":null}\n{"bid":{}}\n{}\n{"bid":5}\n{"bid":{"who":null,"price":2}}\n'
    const { rows, rejects } = decode(columns, text, { kernels })
    expect(rows).toEqual([
      [[1.5, [7]], 7],
      [null, null],
      [[null, null], null],
      [null, null],
      [[2, null], null],
    ])
    expect(rejects.map((reject) => reject.ordinal)).toEqual([4])
  })

  test('a column that a later record of the same beginning has is not lost', () => {
    const columns = [column('a', types.bigint), column('b', types.bigint)]
    expect(decode(columns, '{"a":1}\n{"a":2,"b":3}\n{"a":4}\n', { kernels }).rows).toEqual([
      [1, null],
      [2, 3],
      [4, null],
    ])
  })

  test('nested and other types', () => {
    const columns = [
      column('l', array(types.bigint)),
      column('m', map(types.string, types.double)),
      column('i', types.interval),
      column('j', types.json),
      column('y', types.bytes),
      column('d', types.date),
      column('f', types.boolean),
    ]
    const text =
      '{"l":[1,9007199254740993],"m":{"x":1.5},"i":"P1DT2H","j":{"k":[1.50]},"y":"AQI=","d":"2026-01-31","f":true}\n'
    expect(decode(columns, text, { kernels }).rows).toEqual([
      [
        [1, 9007199254740993n],
        new Map([['x', 1.5]]),
        { months: 0, days: 1, micros: 7_200_000_000 },
        '{"k":[1.50]}',
        new Uint8Array([1, 2]),
        20_484,
        true,
      ],
    ])
  })

  test('blank lines, CRLF, a mark at the start, no newline at the end; positions are exact', () => {
    const text = '\ufeff{"a":1}\r\n\r\n  \n{"a":2}\n\n{"a":3}'
    for (const step of [1, 3, 7, 1000]) {
      const { rows, next } = decode([column('a', types.double)], text, { kernels }, step)
      expect(rows).toEqual([[1], [2], [3]])
      expect(next).toEqual({ byte: Buffer.byteLength(text), ordinal: 3 })
    }
  })

  test('a record over the limit is one reject, and the next line is read', () => {
    const text = `{"a":1}\n{"s":"${'x'.repeat(70_000)}","a":2}\n{"a":3}\n`
    const { rows, rejects } = decode([column('a', types.double)], text, { kernels, lineBytesMax: 1000 }, 500)
    expect(rows).toEqual([[1], [3]])
    expect(rejects.map((reject) => [reject.ordinal, reject.code])).toEqual([[1, 'connector_record_too_large']])
  })

  test('the last of repeated keys counts before the last column, and everywhere when strict', () => {
    const columns = [column('a', types.double), column('b', types.double)]
    expect(decode(columns, '{"a":1,"a":2,"b":3}\n', { kernels }).rows).toEqual([[2, 3]])
    expect(decode(columns, '{"a":1,"b":3,"a":2}\n', { kernels, strict: true }).rows).toEqual([[2, 3]])
  })

  test('unread bytes are unchecked, but the last brace must close the first', () => {
    const columns = [column('a', types.double)]
    const { rows, rejects } = decode(columns, '{"a":1,"b":@@}\n{"a":1\n[1]\n{"a":{"b":1}\n', { kernels })
    expect(rows).toEqual([[1]])
    expect(rejects).toHaveLength(3)
  })

  test('a STRING takes strings only, or any value as its text where the sample was mixed', () => {
    const values = ['"a\\n"', '12.50', '{"x": [1]}', 'null', 'true', '"é"', 'tru']
    const text = values.map((value) => `{"s":${value},"n":1}\n`).join('')
    const columns = (mixed: boolean) => [column('s', types.string, { mixed }), column('n', types.bigint)]
    const any = decode(columns(true), text, { kernels })
    expect(any.rows.map((row) => row[0])).toEqual(['a\n', '12.50', '{"x": [1]}', null, 'true', 'é'])
    expect(any.rejects.map((reject) => reject.ordinal)).toEqual([6])
    expect(decode(columns(false), text, { kernels }).rejects.map((reject) => reject.ordinal)).toEqual([1, 2, 4, 6])
  })

  test('what follows a word or number belongs to it', () => {
    const kinds = [
      types.double,
      types.bigint,
      types.string,
      types.timestamp,
      types.boolean,
      types.date,
      types.json,
      types.bytes,
      array(types.int),
    ]
    for (const type of kinds) {
      const { rows, rejects } = decode([column('a', type)], '{"a":null}\n{"a":nullx}\n{"a":null"}\n', { kernels })
      expect([type.kind, rows, rejects.length]).toEqual([type.kind, [[null]], 2])
    }
    expect(
      decode([column('a', types.double)], '{"a":1x}\n{"a":1"}\n{"a":1.5.5}\n{"a":01}\n{"a":-}\n', { kernels }).rejects,
    ).toHaveLength(5)
  })

  test('without columns only the braces count', () => {
    const { rows, rejects } = decode([], '{"a":1}\n{}\n{"b":[}\n[1]\n', { kernels })
    expect(rows).toEqual([[], [], []])
    expect(rejects).toHaveLength(1)
  })

  test('records framed by the connector', () => {
    using decoder = createJsonLinesDecoder(specOf([column('a', types.double)], { kernels }), deps)
    const text = '{"a":1}{\n"a":\n2}'
    decoder.reserve(text.length).set(Buffer.from(text))
    const framing = { kind: 'index', starts: Uint32Array.of(0, 7), ends: Uint32Array.of(7, 16), count: 2 } as const
    const [decoded] = [...decoder.commit(text.length, framing)]
    expect(Array.from((decoded!.batch!.columns[0] as { data: Float64Array }).data.subarray(0, 2))).toEqual([1, 2])
    expect(decoded!.next).toEqual({ byte: 16, ordinal: 2 })
  })
})

test('the wide lane is left again by the next batch', () => {
  using decoder = createJsonLinesDecoder(specOf([column('a', types.bigint)], { batchRows: 1 }), deps)
  const text = '{"a":1}\n{"a":9007199254740993}\n{"a":null}\n{"a":2}\n'
  decoder.reserve(text.length).set(Buffer.from(text))
  const lanes: string[] = []
  for (const { batch } of decoder.commit(text.length, { kind: 'delimited' }))
    lanes.push((batch!.columns[0] as { lane: string }).lane)
  expect(lanes).toEqual(['safe', 'wide', 'safe', 'safe'])
})

test('hundreds of shapes stay in the kernel and cost no more than a few', () => {
  const columns = [column('v', types.bigint)]
  const lines = Array.from({ length: 3000 }, (_, i) => `{"k${i % 997}":"x","v":${i},"z${i % 13}":1}`)
  using decoder = createJsonLinesDecoder(specOf(columns), deps)
  const { rows } = decodeBytes(decoder, lines.join('\n'))
  expect(rows.map((row) => row[0])).toEqual(lines.map((_, i) => i))
  expect(decoder.counters.fallbackRecords).toBe(0)
})
