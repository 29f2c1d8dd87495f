import fc from 'fast-check'
import { expect, test } from 'vitest'
import { elementsOf, membersOf, parseJsonObject } from './json-members.ts'

test('members keep the digits that a number would lose', () => {
  const object = parseJsonObject('{ "sequence" : 9223372036854775807 , "payload": { "a" : 1.10, "b":[1 , 2 ] }}')!
  expect(object.textOf('sequence')).toBe('9223372036854775807')
  expect(object.textOf('payload')).toBe('{"a":1.10,"b":[1,2]}')
  expect(object.textOf('absent')).toBeUndefined()
})

test('an escaped name is the name; of two the last counts', () => {
  expect(membersOf(String.raw`{"payl\u006fad":1,"x":"\\","payload":{"q":"} \" {"}}`).get('payload')).toBe(
    String.raw`{"q":"} \" {"}`,
  )
})

test('what is no object is told apart from what is no JSON', () => {
  expect(parseJsonObject('[1]')).toBeUndefined()
  expect(parseJsonObject('null')).toBeUndefined()
  expect(() => parseJsonObject('{"a":}')).toThrow(SyntaxError)
})

const options = { seed: 7, numRuns: 60 }

test('member texts are the values, whatever the blanks', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2, '\t'), (object, indent) => {
      const plain = JSON.parse(JSON.stringify(object)) as Record<string, unknown>
      const members = membersOf(JSON.stringify(object, undefined, indent))
      expect([...members.keys()].sort()).toEqual(Object.keys(plain).sort())
      for (const [name, text] of members) expect(text).toBe(JSON.stringify(plain[name]))
    }),
    options,
  )
})

test('element texts are the elements', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 2), (array, indent) => {
      const texts = elementsOf(JSON.stringify(array, undefined, indent))
      expect(texts).toEqual(array.map((value) => JSON.stringify(value)))
    }),
    options,
  )
})
