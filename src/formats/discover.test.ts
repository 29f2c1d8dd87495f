import { expect, test } from 'vitest'
import { HeadraceError } from '../core/errors.ts'
import { typeName } from '../core/types.ts'
import { type DiscoverOptions, discover } from './discover.ts'
import { testDeps } from './test-decoding.ts'

const deps = testDeps()

function schemaOf(format: string, texts: readonly string[], options: DiscoverOptions = {}, complete = true) {
  const samples = texts.map((text, i) => ({ path: `file${i}`, bytes: Buffer.from(text), complete }))
  return discover(format, samples, options, deps)
}

const shown = (found: ReturnType<typeof schemaOf>) =>
  found.columns.map((each) => `${each.name} ${typeName(each.type)}${each.nullable ? '' : ' NOT NULL'}`)

function caught(task: () => unknown): HeadraceError {
  try {
    task()
  } catch (error) {
    if (error instanceof HeadraceError) return error
  }
  return expect.fail('no fault')
}

test('csv: the narrowest type that fits all samples', () => {
  const text = [
    'flag,id,big,price,day,at,zip,plus,name,none,mix',
    'true,1,9223372036854775808,1.5,2026-01-31,2026-01-31 10:00:00,01234,+5,x,,1',
    'FALSE,-2,3,2,2026-02-01,2026-02-01T10:00:00Z,99999,5,,,a',
  ].join('\n')
  const found = schemaOf('csv', [text])
  expect(shown(found)).toEqual([
    'flag BOOLEAN NOT NULL',
    'id BIGINT NOT NULL',
    'big DECIMAL(38,0) NOT NULL',
    'price DOUBLE NOT NULL',
    'day DATE NOT NULL',
    'at TIMESTAMP NOT NULL',
    'zip STRING NOT NULL',
    'plus STRING NOT NULL',
    'name STRING',
    'none STRING',
    'mix STRING NOT NULL',
  ])
  expect(found.eventTimeCandidates).toEqual(['at'])
  expect(found.rowsSeen).toBe(2)
})

test('csv: a mark, a quoted header that holds delimiter and newline, repeated names', () => {
  const found = schemaOf('csv', ['\ufeff"a,b","c\nd",x,x\n1,2,3,4\n'])
  expect(found.columns.map((each) => each.name)).toEqual(['a,b', 'c\nd', 'x', 'x_2'])
})

test('json: nested, missing, mixed and wide', () => {
  const text = [
    '{"id":3791411052119578828,"big":327267367867168100000,"x":1,"o":{"a":1,"b":[1.5]},"e":[],"m":1,"at":1767225600000}',
    '{"id":1,"big":1,"x":1.5,"o":{"a":null,"c":"2026-01-31"},"m":"one","at":1767225600001,"late":true}',
  ].join('\n')
  const found = schemaOf('jsonl', [text])
  expect(shown(found)).toEqual([
    'id BIGINT NOT NULL',
    'big DECIMAL(38,0) NOT NULL',
    'x DOUBLE NOT NULL',
    'o STRUCT<a BIGINT, b ARRAY<DOUBLE>, c DATE> NOT NULL',
    'e JSON',
    'm STRING NOT NULL',
    'at BIGINT NOT NULL',
    'late BOOLEAN',
  ])
  expect(found.columns[5]!.mixed).toBe(true)
  expect(found.warnings).toEqual(['column "m" holds values of several kinds: STRING'])
  expect(found.eventTimeCandidates).toEqual(['at'])
})

test('json: mixtures inside of other values stay JSON', () => {
  const found = schemaOf('jsonl', ['{"m":{"a":[1,{"b":2}],"n":null}}\n{"m":{"a":["x"],"o":true}}\n'])
  expect(shown(found)).toEqual(['m STRUCT<a ARRAY<JSON>, n JSON, o BOOLEAN> NOT NULL'])
})

test('digits with leading zeros are text, whichever come first', () => {
  for (const values of [
    ['00123', '456'],
    ['456', '00123'],
    ['0', '007'],
    ['-5', '-007'],
  ]) {
    expect(shown(schemaOf('csv', [`zip\n${values.join('\n')}\n`]))).toEqual(['zip STRING NOT NULL'])
  }
  expect(shown(schemaOf('csv', ['n\n0\n-0\n10\n']))).toEqual(['n BIGINT NOT NULL'])
})

test('a sample that ends before the input says so', () => {
  const texts = { csv: 'a\n1\n2\n3\n', jsonl: '{"a":1}\n{"a":2}\n{"a":3}\n', json: '[{"a":1},{"a":2},{"a":3}]\n' }
  for (const [format, text] of Object.entries(texts)) {
    expect([format, schemaOf(format, [text]).sampleCut]).toEqual([format, false])
    expect([format, schemaOf(format, [text], { rows: 3 }).sampleCut]).toEqual([format, false])
    expect([format, schemaOf(format, [text], { rows: 2 }).sampleCut]).toEqual([format, true])
    expect([format, schemaOf(format, [text], {}, false).sampleCut]).toEqual([format, true])
  }
})

test('a cut last record is not looked at, and files that disagree are named', () => {
  expect(schemaOf('jsonl', ['{"a":1}\n{"a":"x'], {}, false).warnings).toEqual([])
  expect(schemaOf('json', ['[{"a":1},{"a":2.5}', '[{"a":"x"}]'], {}, false).warnings).toContain(
    'column "a" is DOUBLE in "file0" and STRING in "file1"',
  )
})

test.each([
  ['jsonl', `{"a":"${'x'.repeat(300)}"}\n`],
  ['json', `[{"a":"${'x'.repeat(300)}"}]`],
  ['csv', `${'x'.repeat(300)},b\n`],
])('%s: when the only record is too long, the error names the option', (format, text) => {
  const cut = text.slice(0, 200)
  expect(() => schemaOf(format, [cut], {}, false)).toThrow(
    'no record to tell the columns from in "file0": the first is longer than the sample of 200 bytes',
  )
  expect(() => schemaOf(format, [text], { lineBytesMax: 100 })).toThrow('all are longer than line_bytes_max, 100 bytes')
  const { hint } = caught(() => schemaOf(format, [cut], {}, false))
  expect(hint).toContain('Raise sample_bytes, or declare the columns')
})

test('records over the limit tell nothing of the columns', () => {
  const found = schemaOf('jsonl', [`{"long":"${'x'.repeat(300)}"}\n{"a":1}\n`], { lineBytesMax: 100 })
  expect(shown(found)).toEqual(['a BIGINT NOT NULL'])
  expect(found.warnings).toEqual(['1 sampled records are longer than line_bytes_max, 100 bytes'])
})

test('an empty sample is an error, never a guess', () => {
  expect(() => schemaOf('jsonl', ['\n'])).toThrow('no record to tell the columns from')
})
