import { expect, test } from 'vitest'
import { regexFault } from './regex.ts'

test.each([
  ['^a+b*$', undefined],
  ['(ab)+', undefined],
  ['(a|b)*c', undefined],
  ['(?:a{2,3})+', undefined],
  ['[+*]+', undefined],
  ['\\(a+\\)+', undefined],
  ['(a+)+', 'sql_regex_unsafe'],
  ['((ab*)c)*', 'sql_regex_unsafe'],
  ['(?:x{2,})*', 'sql_regex_unsafe'],
  ['(?=a+)+?', 'sql_regex_invalid'],
  ['(a)\\1', 'sql_regex_unsafe'],
  ['(?<n>a)\\k<n>', 'sql_regex_unsafe'],
  ['(a', 'sql_regex_invalid'],
  ['a{2}{3}', 'sql_regex_invalid'],
])('%s: %s', (pattern, code) => {
  expect(regexFault(pattern, '', false)?.code).toBe(code)
})

test('unsafe patterns pass when they are allowed, invalid ones never', () => {
  expect(regexFault('(a+)+', '', true)).toBeUndefined()
  expect(regexFault('(a', '', true)?.code).toBe('sql_regex_invalid')
  expect(regexFault('a', 'q', false)?.message).toBe('unknown flag "q"')
})
