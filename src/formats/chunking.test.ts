import { describe, expect, test } from 'vitest'
import { Random } from '../core/random.ts'
import { types } from '../core/types.ts'
import type { CsvOptions, DecoderSpec, TextEncoding } from './decoder.ts'
import { createDecoder } from './formats.ts'
import { column, decodeBytes, specOf, testDeps } from './test-decoding.ts'

const deps = testDeps()
const CASES = 250
const SEED = 20261125

/** Pieces that records are made of: sound ones, and what breaks them. */
const PIECES: Readonly<Record<string, readonly string[]>> = {
  jsonl: [
    '{"a":1,"b":"x"}',
    '{"b":"Zürich 😀"}',
    '{',
    '}',
    '"',
    '\\',
    '[1]',
    ' ',
    '\n',
    '\n',
    '\r\n',
    '\r',
    'x'.repeat(40),
  ],
  // Sound values only.
  json: [
    '{"a":1,"b":"x"}',
    '{"b":"]}\\\\\\""}',
    '{"a":null,"o":{"l":[1,{}]}}',
    '12',
    '-1.5e3',
    'true',
    'null',
    '"s"',
    '[]',
    '{}',
  ],
  csv: ['1', 'x', ',', ',', ',', '"', '""', '"a\nb"', '#', '\n', '\n', '\r\n', '\r', 'é', 'x'.repeat(40), ' '],
  text: ['> a', 'b', '😀', '\n', '\n', '\r\n', '\r', '', ' ', 'x'.repeat(40)],
}

interface Sample {
  readonly bytes: Buffer
  readonly spec: Partial<DecoderSpec>
}

function sampleOf(format: string, random: Random): Sample {
  const pieces = PIECES[format]!
  const body = Array.from({ length: random.between(0, 60) }, () => random.pick(pieces)).join('')
  const start = random.chance(0.2) ? '\ufeff' : ''
  const shared = {
    lineBytesMax: random.pick([10, 30, 100, 1_000_000]),
    batchRows: random.pick([1, 3, 8192]),
    kernels: random.pick(['on', 'off'] as const),
  }
  if (format === 'json') {
    const values = Array.from({ length: random.between(0, 30) }, () => random.pick(pieces))
    const list = `[${values.join(random.pick([',', ' ,\n']))}]`
    const [text, records] = random.pick([
      [list, undefined],
      [values.join('\n'), undefined],
      [`{"q":[{}],"s":"\\"]","r":${list},"t":1} {"r":${list}}`, '/r'],
    ] as const)
    return { bytes: Buffer.from(start + text), spec: { ...shared, lineBytesMax: undefined, records } }
  }
  if (format === 'text') {
    const multilineStart = random.chance(0.5) ? /^>/ : undefined
    return { bytes: Buffer.from(start + body), spec: { ...shared, multilineStart } }
  }
  if (format !== 'csv') return { bytes: Buffer.from(start + body), spec: shared }
  const encoding = random.pick<TextEncoding>(['utf-8', 'utf-8', 'utf-16le', 'latin1'])
  const csv: Partial<CsvOptions> = {
    encoding,
    header: random.chance(0.7),
    comment: random.pick(['', '#']),
    skipLines: random.pick([0, 0, 2]),
    ragged: random.pick(['error', 'pad'] as const),
    trim: random.chance(0.3),
    escape: random.pick([undefined, '\\']),
  }
  const text = `${start}${csv.header ? 'a,b\n' : ''}${body}`
  const bytes =
    encoding === 'utf-8' ? Buffer.from(text) : Buffer.from(text, encoding === 'latin1' ? 'latin1' : 'utf16le')
  return { bytes, spec: { ...shared, csv } }
}

/** What a decoder makes of the bytes; a refusal of the whole input is an outcome, too. */
function outcome(format: string, { bytes, spec }: Sample, step: number): unknown {
  const columns =
    format === 'text' ? [column('line', types.string)] : [column('a', types.bigint), column('b', types.string)]
  using decoder = createDecoder(format, specOf(columns, spec), deps)
  try {
    const { rows, rejects, next } = decodeBytes(decoder, bytes, step)
    // Blanks behind the last record belong to it or not, as they come.
    const { ordinal } = next
    return {
      rows,
      rejects: rejects.map((each) => ({ ...each, bytes: Buffer.from(each.bytes).toString('latin1') })),
      ordinal,
    }
  } catch (error) {
    return (error as Error).message
  }
}

describe('however the bytes are cut into reads, rows, rejects and positions are the same', () => {
  test.each(Object.keys(PIECES))('%s', (format) => {
    for (let i = 0; i < CASES; i++) {
      const seed = SEED + i
      const random = new Random(seed)
      const sample = sampleOf(format, random)
      const whole = outcome(format, sample, Number.POSITIVE_INFINITY)
      for (const step of [1, random.between(2, 40)]) {
        const told = `seed ${seed}, ${step} bytes at once, ${JSON.stringify(sample.spec)}: ${JSON.stringify(sample.bytes.toString())}`
        expect(outcome(format, sample, step), told).toEqual(whole)
      }
    }
  })
})
