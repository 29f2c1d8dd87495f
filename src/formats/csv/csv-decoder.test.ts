import { describe, expect, test } from 'vitest'
import { fuzzCsv } from '../../../scripts/fuzz/csv.ts'
import { fuzzCsvTyped } from '../../../scripts/fuzz/csv-typed.ts'
import { array, decimal, types } from '../../core/types.ts'
import { column, decodeBytes, specOf, TELLING_BYTES, testDeps } from '../test-decoding.ts'
import { createCsvDecoder } from './csv-decoder.ts'

const deps = testDeps()
const SEED = 31

type Columns = Parameters<typeof specOf>[0]

const strings = (...names: string[]): Columns => names.map((name) => column(name, types.string))

function decode(columns: Columns, text: string | Uint8Array, more: Parameters<typeof specOf>[1] = {}, step?: number) {
  using decoder = createCsvDecoder('csv', specOf(columns, more), deps)
  return decodeBytes(decoder, text, step)
}

test('20,000 records in many dialects, cut anywhere: kernel, twin and rules agree', () => {
  const report = fuzzCsv(20_000, SEED)
  expect(report.failures, `seed ${SEED}`).toEqual([])
  expect(report.kernelValues).toBeGreaterThan(10 * report.fallbackValues)
})

test('5,000 records of typed columns: kernel and twin agree, also on what they refuse', () => {
  expect(fuzzCsvTyped(5000, SEED), `seed ${SEED}`).toEqual([])
})

test('bytes beside the digits in every place of numbers and times: kernel and twin agree', () => {
  const columns = [column('i', types.bigint), column('d', types.double), column('t', types.timestamp)]
  const values = ['1234', '-12.5', '2026-01-31T10:20:30.456+01:30', '1767225600000']
  const places = values.flatMap((value) => Array.from(value, (_, at) => ({ value, at })))
  for (const byte of TELLING_BYTES) {
    const lines = places.flatMap(({ value, at }) => {
      const field = Buffer.from(value)
      field[at] = byte
      return [0, 1, 2].map((column) => {
        const fields = [0, 1, 2].map((other) => (other === column ? field : Buffer.from('7')))
        return Buffer.concat([
          fields[0]!,
          Buffer.from(','),
          fields[1]!,
          Buffer.from(','),
          fields[2]!,
          Buffer.from('\n'),
        ])
      })
    })
    const text = Buffer.concat([Buffer.from('i,d,t\n'), ...lines])
    const [on, off] = (['on', 'off'] as const).map((kernels) => decode(columns, text, { kernels }))
    expect(on, `byte ${byte}`).toEqual(off)
  }
})

describe.each(['on', 'off'] as const)('kernels %s', (kernels) => {
  test('a mark, a quoted header that holds delimiter or newline, names unquoted', () => {
    const text = '\ufeff"a,b","c\nd","e ""f"""\n1,2,3\n'
    expect(decode(strings('a,b', 'c\nd', 'e "f"'), text, { kernels }).rows).toEqual([['1', '2', '3']])
  })

  test('fewer bytes than a byte order mark has: a header alone gives no row', () => {
    expect(decode(strings('a'), 'a\n', { kernels }).rows).toEqual([])
    expect(decode(strings('a'), 'a', { kernels }).rows).toEqual([])
    const headless = { kernels, csv: { header: false } } as const
    expect(decode(strings('a'), 'x\n', headless).rows).toEqual(decode(strings('a'), 'x', headless).rows)
    expect(decode(strings('a'), 'x\n', headless).rows).toHaveLength(1)
  })

  test('columns by name, in any order; repeated names; names that differ in case; absent ones are NULL', () => {
    const text = 'x,x,Y,z\n1,2,3,4\n'
    const rows = decode(strings('y', 'x_2', 'x', 'gone'), text, { kernels }).rows
    expect(rows).toEqual([['3', '2', '1', null]])
    expect(decode([column('gone', types.string, { required: true })], text, { kernels }).rejects).toHaveLength(1)
  })

  test('types, NULL and what does not fit', () => {
    const columns = [
      column('b', types.bigint),
      column('d', types.double),
      column('m', decimal(10, 2)),
      column('t', types.timestamp),
      column('day', types.date),
      column('f', types.boolean),
      column('j', types.json),
      column('l', array(types.int)),
    ]
    const text = [
      'b,d,m,t,day,f,j,l',
      '3791411052119578828,1.5,1.25,2026-01-31T10:00:00Z,2026-01-31,true,"{""a"":1}","[1,2]"',
      '+7,.5,007,1769853600,2026-01-31,F,1,[]',
      ',,,,,,,',
      '"12",1e3,-0.10,1769853600000,2026-01-31,1,null,',
      'x,1,1,1,2026-01-31,true,1,',
      '1,1,1,1,2026-02-30,true,1,',
      '1,1,1.005,1,2026-01-31,true,1,',
    ].join('\n')
    const { rows, rejects } = decode(columns, text, { kernels })
    const at = 1_769_853_600_000_000
    expect(rows).toEqual([
      [3791411052119578828n, 1.5, 125, at, 20_484, true, '{"a":1}', [1, 2]],
      [7, 0.5, 700, at, 20_484, false, '1', []],
      [null, null, null, null, null, null, null, null],
      [12, 1000, -10, at, 20_484, true, 'null', null],
    ])
    expect(rejects.map((reject) => [reject.ordinal, reject.detail, Buffer.from(reject.bytes).toString()])).toEqual([
      [4, 'column "b": "x" is not a BIGINT', 'x,1,1,1,2026-01-31,true,1,'],
      [5, 'column "day": "2026-02-30" is not a DATE', '1,1,1,1,2026-02-30,true,1,'],
      [6, 'column "m": "1.005" is not a DECIMAL(10,2)', '1,1,1.005,1,2026-01-31,true,1,'],
    ])
  })

  test('CRLF, CR, blank lines, comments, skipped lines, no newline at the end', () => {
    const options = { comment: '#', skipLines: 1 }
    const text = 'exported by x\r\na,b\r\n\r\n# no row, at all\r\n1,"x\r\ny"\r\n2,z'
    for (const step of [1, 4, 1000]) {
      const { rows, next } = decode(strings('a', 'b'), text, { kernels, csv: options }, step)
      expect(rows).toEqual([
        ['1', 'x\r\ny'],
        ['2', 'z'],
      ])
      expect(next).toEqual({ byte: text.length, ordinal: 2 })
    }
    expect(decode(strings('a'), 'a,b\r1,2\r3,4\r', { kernels }).rows).toEqual([['1'], ['3']])
  })

  test('ragged records: a reject, or padded', () => {
    const text = 'a,b,c\n1,2\n1,2,3,4\n5,6,7\n'
    const strict = decode(strings('a', 'c'), text, { kernels })
    expect(strict.rows).toEqual([['5', '7']])
    expect(strict.rejects.map((reject) => reject.detail)).toEqual([
      'the record has 2 fields, not 3',
      'the record has 4 fields, not 3',
    ])
    const padded = decode(strings('a', 'c'), text, { kernels, csv: { ragged: 'pad' } })
    expect(padded.rows).toEqual([
      ['1', null],
      ['1', '3'],
      ['5', '7'],
    ])
  })

  test('trim, null text, escape character, no quotes, no header', () => {
    expect(
      decode(strings('a', 'b'), 'a;b\n  x ; " y " \n', { kernels, csv: { delimiter: ';', trim: true } }).rows,
    ).toEqual([['x', ' y ']])
    expect(decode(strings('a', 'b'), 'a,b\nNA,"NA"\n,x\n', { kernels, csv: { null: 'NA' } }).rows).toEqual([
      [null, 'NA'],
      ['', 'x'],
    ])
    expect(decode(strings('a'), 'a,b\n"x\\"y\\\\z\\n",1\n', { kernels, csv: { escape: '\\' } }).rows).toEqual([
      ['x"y\\z\\n'],
    ])
    expect(decode(strings('a'), 'a,b\n"x"\u0000,1\n', { kernels, csv: { quote: '' } }).rows).toEqual([['"x"\u0000']])
    expect(decode(strings('col_1'), '1,2\n3,4\n', { kernels, csv: { header: false } }).rows).toEqual([['2'], ['4']])
  })

  test('other encodings, cut anywhere; positions are those of the file', () => {
    const text = 'name,n\nZürich,1\n日本 😀,2\n'
    const be = Buffer.from(`\ufeff${text}`, 'utf16le').swap16()
    const files = [
      ['utf-16le', Buffer.from(`\ufeff${text}`, 'utf16le')],
      ['utf-16be', be],
    ] as const
    for (const [encoding, bytes] of files) {
      for (const step of [1, 3, 1000]) {
        const { rows, next } = decode(strings('name', 'n'), bytes, { kernels, csv: { encoding } }, step)
        expect(rows).toEqual([
          ['Zürich', '1'],
          ['日本 😀', '2'],
        ])
        expect(next.byte).toBe(bytes.length)
      }
    }
    const latin = Buffer.from('name\nZürich\u0080\n', 'latin1')
    expect(decode(strings('name'), latin, { kernels, csv: { encoding: 'latin1' } }).rows).toEqual([['Zürich\u0080']])
  })

  test('invalid UTF-8, text behind a quote, a quote that nothing closes, a field over its limit', () => {
    const bad = Buffer.concat([
      Buffer.from('a,b\nx,'),
      Buffer.from([0xff]),
      Buffer.from('\n"x"y,1\nz,"open\n'),
      Buffer.from('more\n'),
    ])
    const { rows, rejects } = decode(strings('a', 'b'), bad, { kernels })
    expect(rows).toEqual([])
    expect(rejects.map((reject) => reject.detail)).toEqual([
      'column "b": "\ufffd" is not a STRING',
      'text follows the closing quote of a field',
      'a quoted field is not closed',
    ])
    const long = decode(strings('a', 'b'), 'a,b\nxxxxxxxxxx,1\ny,2\n', { kernels, csv: { fieldBytesMax: 5 } })
    expect(long.rows).toEqual([['y', '2']])
    expect(long.rejects.map((reject) => reject.code)).toEqual(['connector_record_too_large'])
  })

  test('a stray quote costs its own line only', () => {
    const text = `a,b\n"open,1\n${'x,2\n'.repeat(400)}`
    const { rows, rejects } = decode(strings('a', 'b'), text, { kernels, lineBytesMax: 1000 }, 300)
    expect(rejects.map((reject) => reject.code)).toEqual(['connector_record_too_large'])
    expect(rows).toHaveLength(400)
  })

  test('one column: a blank line is a NULL', () => {
    expect(decode(strings('a'), 'a\n1\n\n2\n', { kernels }).rows).toEqual([['1'], [null], ['2']])
  })

  test('batches hold at most batchRows rows, and large input goes through in pieces', () => {
    const text = `a,b\n${Array.from({ length: 50_000 }, (_, i) => `${i},"v ${i}"\n`).join('')}`
    const { rows, batches } = decode([column('a', types.bigint), column('b', types.string)], text, {
      kernels,
      batchRows: 1000,
    })
    expect(rows).toHaveLength(50_000)
    expect(rows[49_999]).toEqual([49_999, 'v 49999'])
    expect(batches).toBeGreaterThanOrEqual(50)
  })
})

test('dialect characters are checked', () => {
  expect(() => createCsvDecoder('csv', specOf([], { csv: { delimiter: 'ab' } }), deps)).toThrow(
    'must be one ASCII character',
  )
  expect(() => createCsvDecoder('csv', specOf([], { csv: { delimiter: '"' } }), deps)).toThrow('must differ')
})
