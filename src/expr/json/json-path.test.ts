import { expect, test } from 'vitest'
import { Random } from '../../core/random.ts'
import { canonicalJson } from '../compare.ts'
import { matchesOf, parseJsonPath } from './json-path.ts'
import { entriesOfJson, itemsOfJson, textOfJson } from './json-text.ts'

const text =
  '{"a": {"b": [1, 2.50, {"c": "x\\"y"}], "x y": null}, "items": [{"sku": "p"}, {"sku": "q"}, 3], "a.b": true}'

function at(path: string): string[] {
  const parsed = parseJsonPath(path)
  if ('message' in parsed) throw new Error(parsed.message)
  return matchesOf(text, parsed)
}

test.each([
  ['$', [text]],
  ['$.a.b[0]', ['1']],
  ['$.a.b[1]', ['2.50']],
  ['$.a.b[-1].c', ['"x\\"y"']],
  ["$['a']['x y']", ['null']],
  ['$."a.b"', ['true']],
  ['$.items[*].sku', ['"p"', '"q"']],
  ['$.a.b[7]', []],
  ['$.a.b.c', []],
  ['a.b[0]', ['1']],
  ['$.a.*', ['[1, 2.50, {"c": "x\\"y"}]', 'null']],
])('%s leads to %o', (path, expected) => {
  expect(at(path)).toEqual(expected)
})

test.each([
  ['$.', 1],
  ['$.a[', 3],
  ['$.a..b', 3],
  ['$.a[1:2]', 3],
  ["$['a", 1],
  ['$a', 1],
])('%s is no path (at %i)', (path, offset) => {
  const parsed = parseJsonPath(path)
  expect('offset' in parsed && parsed.offset).toBe(offset)
})

test('of a repeated key the last value wins', () => {
  expect(matchesOf('{"a":1,"a":2}', { steps: [{ kind: 'key', key: 'a' }], many: false })).toEqual(['2'])
  expect([...entriesOfJson('{"a":1,"b":0,"a":2}')]).toEqual([
    ['a', '2'],
    ['b', '0'],
  ])
})

test.each([11, 12])('texts of members and items agree with JSON.parse (seed %i)', (seed) => {
  const random = new Random(seed)
  for (let i = 0; i < 300; i++) {
    const value = randomJson(random, 4)
    const spaced = JSON.stringify(value, null, random.below(3))
    if (Array.isArray(value)) expect(itemsOfJson(spaced).map((item) => JSON.parse(item))).toEqual(value)
    else if (value !== null && typeof value === 'object') {
      const entries = [...entriesOfJson(spaced)].map(([key, item]) => [key, JSON.parse(item)])
      expect(Object.fromEntries(entries)).toEqual(value)
    } else if (typeof value === 'string') expect(textOfJson(spaced)).toBe(value)
    expect(JSON.parse(canonicalJson(spaced))).toEqual(value)
  }
})

function randomJson(random: Random, depth: number): unknown {
  const kind = random.below(depth > 0 ? 7 : 5)
  if (kind === 0) return random.between(-1e6, 1e6) / 8
  if (kind === 1) return random.chance(0.5)
  if (kind === 2) return null
  if (kind < 5) return random.pick(['', 'a"b', '\\', '{[', '😀', 'é\n', 'x,y:z'])
  const items = Array.from({ length: random.below(4) }, () => randomJson(random, depth - 1))
  return kind === 5 ? items : Object.fromEntries(items.map((item, i) => [random.pick(['a', 'b"', '}']) + i, item]))
}
