import { expect, test } from 'vitest'
import { tokensText } from './explain/print-ast.ts'
import { lex } from './lexer.ts'

const one = (text: string) => {
  const { tokens, diagnostics } = lex(text)
  expect(diagnostics).toEqual([])
  expect(tokens).toHaveLength(2)
  return [tokens[0]!.kind, tokens[0]!.text]
}

test('every form of a literal is one token', () => {
  expect(one(`'it''s'`)).toEqual(['string', "it's"])
  expect(one(String.raw`E'tab\t\u00e9\x41\101\U0001f600\'\\'`)).toEqual(['string', "tab\té\x41A😀'\\"])
  expect(one('$$raw\n$1$$')).toEqual(['string', 'raw\n$1'])
  expect(one('$tag$a $$ b$tag$')).toEqual(['string', 'a $$ b'])
  expect(one(`X'0AFF'`)).toEqual(['bytes', '0AFF'])
  expect(one('1_000')).toEqual(['number', '1000'])
  expect(one('0xFF')).toEqual(['number', '0xFF'])
  expect(one('1.50')).toEqual(['number', '1.50'])
  expect(one('.5')).toEqual(['number', '.5'])
  expect(one('1e3')).toEqual(['number', '1e3'])
  expect(one('1.5E-3')).toEqual(['number', '1.5E-3'])
  expect(one('1h30m')).toEqual(['glued', '1h30m'])
  expect(one(':name')).toEqual(['parameter', 'name'])
  expect(one('$12')).toEqual(['parameter', '12'])
  expect(one('"a ""b"""')).toEqual(['quoted', 'a "b"'])
  expect(one('`a``b`')).toEqual(['quoted', 'a`b'])
  expect(one('größe$1')).toEqual(['word', 'größe$1'])
})

test('comments nest, and end lines', () => {
  expect(tokensText(lex('a -- b\n/* c /* d */ e */ f').tokens)).toMatchInlineSnapshot(`
    "   0  word       "a"
      25  word       "f""
  `)
})

test('the longest symbol wins, and a path is not a fraction', () => {
  const texts = (text: string) => lex(text).tokens.map((token) => token.text)
  expect(texts('a->>b#>>c::d<>e!=f||g>=h')).toEqual([
    ...['a', '->>', 'b', '#>>', 'c', '::', 'd', '<>', 'e', '!=', 'f', '||', 'g', '>=', 'h', ''],
  ])
  expect(texts('t.a[1].b')).toEqual(['t', '.', 'a', '[', '1', ']', '.', 'b', ''])
})

test('annotations are lines of their own', () => {
  const { annotations } = lex('-- @name: clicks\n  --@Batch_Size 10 \nSELECT 1 -- @not here\n--- @nor here')
  expect(annotations.map(({ name, value }) => [name, value])).toEqual([
    ['name', 'clicks'],
    ['batch_size', '10'],
  ])
})

test('spans are UTF-16 offsets', () => {
  expect(lex("'😀' x").tokens.map((token) => token.span)).toEqual([
    { start: 0, end: 4 },
    { start: 5, end: 6 },
    { start: 6, end: 6 },
  ])
})
