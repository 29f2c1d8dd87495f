import { expect, test } from 'vitest'
import { HeadraceError, HeadraceErrors } from './errors.ts'
import {
  bool,
  byteCount,
  character,
  choice,
  duration,
  entries,
  integer,
  list,
  parseOptions,
  secret,
  text,
} from './options.ts'

const spec = {
  format: choice(['csv', 'jsonl'], 'Format.', { default: 'jsonl' }),
  batch_rows: integer('Rows.', { default: 10, min: 1, max: 100, side: 'source' }),
  wait: duration('Wait.', { default: 0, aliases: ['wait_ms'] }),
  size: byteCount('Size.'),
  columns: list('Columns.'),
  field: entries('Fields.'),
  delimiter: character('Delimiter.'),
  deep: bool('Deep.', { default: false }),
  password: secret('Password.'),
  table: text('Table.', { required: true, side: 'sink' }),
  later: bool('Later.', { later: true }),
} as const

const source = (...given: [string, string | undefined][]) =>
  parseOptions(
    spec,
    given.map(([name, value]) => ({ name, value, origin: 'URI parameter' })),
    { side: 'source', subject: 'source x' },
  )

test('every type is parsed', () => {
  expect(
    source(
      ['format', 'csv'],
      ['batch_rows', '1_0'],
      ['wait', '1h30m'],
      ['size', '64KiB'],
      ['columns', 'a,b\\,c'],
      ['field.id', 'seq(1)'],
      ['delimiter', '\\t'],
      ['deep', undefined],
    ),
  ).toMatchObject({
    format: 'csv',
    batch_rows: 10,
    wait: 5_400_000,
    size: 65_536,
    columns: ['a', 'b,c'],
    field: new Map([['id', 'seq(1)']]),
    delimiter: '\t',
    deep: true,
  })
})

test.each([
  ['wait', '250ms', 250],
  ['wait', 'PT30S', 30_000],
  ['wait', '7d', 604_800_000],
  ['wait_ms', '5', 5],
  ['batchRows', '7', 7],
  ['size', '10MB', 10_000_000],
])('%s=%s is %s', (name, value, expected) => {
  expect(Object.values({ ...source([name, value]) })).toContain(expected)
})

test.each([
  ['formt', 'csv', 'connector_option_unknown', 'did you mean "format"?'],
  ['fromat', 'csv', 'connector_option_unknown', 'did you mean "format"?'],
  ['format', 'xml', 'connector_option_invalid', 'one of: csv, jsonl'],
  ['batch_rows', '0', 'connector_option_invalid', 'allowed: 1…100'],
  ['batch_rows', 'x', 'connector_option_invalid', undefined],
  ['wait', '5 parsecs', 'connector_option_invalid', 'write 250ms, 30s, 5m, 1h30m or PT30S'],
  ['deep', 'maybe', 'connector_option_invalid', 'one of: true, false, yes, no, on, off, 1, 0'],
  ['delimiter', 'ab', 'connector_option_invalid', 'write one character, \\t or \\x1f'],
  ['table', 'x', 'connector_option_unknown', 'remove it here'],
  ['later', 'true', 'not_implemented', undefined],
])('%s=%s is refused', (name, value, code, hint) => {
  let caught: unknown
  try {
    source([name, value])
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(HeadraceError)
  expect(caught).toMatchObject({ code, hint })
})

test('all faults are reported together, a missing option among them', () => {
  const given = [
    { name: 'formt', value: 'x', origin: 'WITH' },
    { name: 'batch_rows', value: '1', origin: 'WITH' },
  ]
  let caught: unknown
  try {
    parseOptions(spec, given, { side: 'sink', subject: 'sink x' })
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(HeadraceErrors)
  expect((caught as HeadraceErrors).errors.map((error) => error.code)).toEqual([
    'connector_option_unknown',
    'connector_option_unknown',
    'connector_option_missing',
  ])
})
