import { describe, expect, test } from 'vitest'
import { types } from '../core/types.ts'
import { createDecoder } from './formats.ts'
import { column, decodeBytes, specOf, testDeps } from './test-decoding.ts'

const deps = testDeps()
const READ_BYTES = [1, 4096, 256 * 1024]
const LIMIT = 100

const line = (bytes: number): string => 'x'.repeat(bytes)

interface Case {
  readonly name: string
  readonly format: string
  readonly text: string
  readonly more?: Parameters<typeof specOf>[1]
  readonly rows: readonly unknown[]
  /** Ordinal, offset, bytes kept. */
  readonly rejects: readonly (readonly [number, number, number])[]
}

const json = (bytes: number): string => `{"a":"${line(bytes - 8)}"}`

const cases: readonly Case[] = [
  {
    name: 'jsonl: one byte over is too long, the limit itself is not, with either line end',
    format: 'jsonl',
    text: `${json(100)}\r\n${json(101)}\r\n${json(101)}\n${json(100)}\n${json(9)}`,
    rows: [line(92), line(92), line(1)],
    rejects: [
      [1, 102, 101],
      [2, 205, 101],
    ],
  },
  {
    name: 'jsonl: longer than what a reject keeps; the last line without its end; blanks are a line, too',
    format: 'jsonl',
    text: `${json(70_000)}\n${json(9)}\n${' '.repeat(300)}\n${json(300)}`,
    rows: [line(1)],
    rejects: [
      [0, 0, 65_536],
      [2, 70_011, 300],
      [3, 70_312, 300],
    ],
  },
  {
    name: 'csv: a quoted field over several lines is one record; without its second quote, one line',
    format: 'csv',
    text: `a,b\n${line(98)},1\r\n${line(99)},2\r\n"${line(50)}\n${line(60)}",3\nx,4\ny,${line(70_000)}\nz,5\n"o,6\n${'p,7\n'.repeat(50)}`,
    rows: [line(98), 'x', 'z', ...Array.from({ length: 50 }, () => 'p')],
    rejects: [
      [1, 106, 101],
      [2, 209, 115],
      [4, 329, 65_536],
      [6, 70_336, 4],
    ],
  },
  {
    name: 'csv: a comment may be longer, lines end with a carriage return',
    format: 'csv',
    text: `#${line(200)}\ra,b\r#${line(200)}\rx,1\r${line(200)},2\ry,3\r`,
    more: { csv: { comment: '#' } },
    rows: ['x', 'y'],
    rejects: [[1, 412, 202]],
  },
  {
    name: 'csv without header: the first record is too long',
    format: 'csv',
    text: `${line(200)},1\nx,2\n`,
    more: { csv: { header: false, names: ['a', 'b'] } },
    rows: ['x'],
    rejects: [[0, 0, 202]],
  },
  {
    name: 'text: one byte over is too long',
    format: 'text',
    text: `${line(100)}\r\n${line(101)}\r\n\n${line(70_000)}\nend\n${line(300)}`,
    rows: [line(100), '', 'end'],
    rejects: [
      [1, 102, 101],
      [3, 206, 65_536],
      [5, 70_211, 300],
    ],
  },
  {
    name: 'text: lines that are joined count together',
    format: 'text',
    text: `> one\n${line(20)}\n> two\n${line(60)}\n${line(60)}\nmore\n> three\n> four\n${line(70_000)}\n> five\r\nrest\r\n`,
    more: { multilineStart: /^>/ },
    rows: [`> one\n${line(20)}`, '> three', '> five\r\nrest'],
    rejects: [
      [1, 27, 132],
      [3, 168, 65_536],
    ],
  },
]

describe.each(READ_BYTES)('read %i bytes at once', (step) => {
  test.each(cases)('$name', ({ format, text, more, rows, rejects }) => {
    const spec = specOf([column('a', types.string)], { lineBytesMax: LIMIT, ...more })
    using decoder = createDecoder(format, spec, deps)
    const read = decodeBytes(decoder, text, step)
    expect(read.rows.map(([value]) => value)).toEqual(rows)
    expect(read.rejects.map(({ ordinal, byte, bytes }) => [ordinal, byte, bytes.length])).toEqual(rejects)
    for (const { code, detail, bytes } of read.rejects) {
      expect(code).toBe('connector_record_too_large')
      expect(detail).toContain('longer than line_bytes_max, 100 bytes')
      expect(detail.includes('its first 65536 are kept')).toBe(bytes.length === 65_536)
    }
    expect(read.next).toEqual({ byte: text.length, ordinal: rows.length + rejects.length })
  })

  test('csv: a header over the limit is an error that names the option', () => {
    using decoder = createDecoder('csv', specOf([column('a', types.string)], { lineBytesMax: LIMIT }), deps)
    expect(() => decodeBytes(decoder, `a,${line(200)}\n1,2\n`, step)).toThrow(
      'the header is longer than line_bytes_max, 100 bytes',
    )
  })
})
