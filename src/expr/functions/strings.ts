import { limits } from '../../core/limits.ts'
import { types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { RowFailure, type ScalarFunction } from '../functions.ts'
import { isPlain, lengthOf, sliceOf } from './code-points.ts'
import { example, type Form, fixed } from './define.ts'

const text = types.string

/** A function of one string. */
const plain = (
  name: string,
  summary: string,
  call: (s: string) => string,
  examples: ScalarFunction['examples'],
): ScalarFunction =>
  fixed({
    name,
    signatures: [`${name}(s)`],
    summary,
    examples,
    forms: [{ parameters: [text], type: text, call: (s) => call(s as string) }],
  })

const initcap = (s: string): string =>
  s.toLowerCase().replace(/[\p{L}\p{N}]+/gu, (word) => {
    const [first = ''] = word
    return first.toUpperCase() + word.slice(first.length)
  })

const reverse = (s: string): string => (isPlain(s) ? s.split('') : [...s]).reverse().join('')

function trim(s: string, chars: string, side: 'both' | 'left' | 'right'): string {
  const set = new Set(chars)
  const points = isPlain(s) ? s : [...s]
  let [from, to] = [0, points.length]
  if (side !== 'right') while (from < to && set.has(points[from]!)) from++
  if (side !== 'left') while (to > from && set.has(points[to - 1]!)) to--
  return typeof points === 'string' ? points.slice(from, to) : points.slice(from, to).join('')
}

const trimming = (
  name: string,
  aliases: readonly string[],
  side: 'both' | 'left' | 'right',
  sql: string,
  result: string,
): ScalarFunction =>
  fixed({
    name,
    aliases,
    signatures: [
      `${name}(s [, chars])`,
      `TRIM(${side === 'both' ? 'BOTH' : side === 'left' ? 'LEADING' : 'TRAILING'} chars FROM s)`,
    ],
    summary: `Without the characters (default blanks) at ${side === 'both' ? 'both ends' : `the ${side} end`}.`,
    examples: [example(sql, result)],
    forms: [
      {
        parameters: [text, text],
        required: 1,
        type: text,
        call: (s, chars = ' ') => trim(s as string, chars as string, side),
      },
    ],
  })

/** SQL substring: positions from 1; what lies before the start of the text counts towards the length. */
function substring(s: string, start: number, length: number | undefined): string {
  if (length !== undefined && length < 0) throw new RowFailure('row_invalid_argument', 'negative length of a substring')
  const from = Math.max(0, start - 1)
  const to = length === undefined ? undefined : start - 1 + length
  return to !== undefined && to <= from ? '' : sliceOf(s, from, to)
}

const left = (s: string, n: number): string => sliceOf(s, 0, n)

/** The last n; of a negative n all but the first −n. */
function right(s: string, n: number): string {
  if (n < 0) return sliceOf(s, -n)
  return n === 0 ? '' : sliceOf(s, -n)
}

function sized(length: number): number {
  if (length <= limits.lineBytesMax) return length
  throw new RowFailure('row_invalid_argument', `a string of ${length} characters is too long`)
}

function pad(s: string, n: number, fill: string, side: 'left' | 'right'): string {
  const length = lengthOf(s)
  const missing = sized(Math.max(0, n)) - length
  if (missing <= 0 || fill === '') return n <= 0 ? '' : sliceOf(s, 0, n)
  const padding = sliceOf(fill.repeat(Math.ceil(missing / lengthOf(fill))), 0, missing)
  return side === 'left' ? padding + s : s + padding
}

const padding = (name: string, side: 'left' | 'right', sql: string, result: string): ScalarFunction =>
  fixed({
    name,
    signatures: [`${name}(s, n [, p])`],
    summary: `Filled at the ${side} with p (default blanks) to n characters; longer ones are cut.`,
    examples: [example(sql, result)],
    forms: [
      {
        parameters: [text, types.bigint, text],
        required: 2,
        type: text,
        fallible: true,
        call: (s, n, fill = ' ') => pad(s as string, Number(n), fill as string, side),
      },
    ],
  })

function translate(s: string, from: string, to: string): string {
  const target = [...to]
  const table = new Map<string, string>()
  for (const [i, char] of [...from].entries()) if (!table.has(char)) table.set(char, target[i] ?? '')
  return Array.from(s, (char) => table.get(char) ?? char).join('')
}

function chr(n: number): string {
  if (n >= 1 && n <= 0x10ffff && (n < 0xd800 || n > 0xdfff)) return String.fromCodePoint(n)
  throw new RowFailure('row_invalid_argument', `CHR: ${n} is no character`)
}

const substringForm: Form = {
  parameters: [text, types.bigint, types.bigint],
  required: 2,
  type: text,
  fallible: true,
  call: (s, start, n) => substring(s as string, Number(start), n === undefined ? undefined : Number(n)),
}

/** A string and a count. */
const counted = (call: (s: string, n: number) => string, fallible = false): Form => ({
  parameters: [text, types.bigint],
  type: text,
  fallible,
  call: (s, n) => call(s as string, Number(n)),
})

/** Three strings. */
const threeTexts = (call: (a: string, b: string, c: string) => string): Form => ({
  parameters: [text, text, text],
  type: text,
  call: (a: Value, b: Value, c: Value) => call(a as string, b as string, c as string),
})

export const stringFunctions: readonly ScalarFunction[] = [
  plain('UPPER', 'Upper case.', (s) => s.toUpperCase(), [example("UPPER('aé')", "'AÉ'")]),
  plain('LOWER', 'Lower case.', (s) => s.toLowerCase(), [example("LOWER('AÉ')", "'aé'")]),
  plain('INITCAP', 'First letter of each word in upper case, the others in lower case.', initcap, [
    example("INITCAP('hello wORLD')", "'Hello World'"),
  ]),
  plain('REVERSE', 'Characters in reverse order.', reverse, [example("REVERSE('abc')", "'cba'")]),
  trimming('TRIM', ['BTRIM'], 'both', "TRIM(BOTH 'x' FROM 'xax')", "'a'"),
  trimming('LTRIM', [], 'left', "LTRIM('  a ')", "'a '"),
  trimming('RTRIM', [], 'right', "RTRIM(' a  ')", "' a'"),
  fixed({
    name: 'SUBSTRING',
    aliases: ['SUBSTR'],
    signatures: ['SUBSTRING(s FROM a [FOR n])', 'SUBSTRING(s, a [, n])'],
    summary: 'n characters from position a on.',
    examples: [example("SUBSTRING('hello' FROM 2 FOR 3)", "'ell'")],
    forms: [substringForm],
  }),
  fixed({
    name: 'LEFT',
    signatures: ['LEFT(s, n)'],
    summary: 'First n characters; of a negative n all but the last −n.',
    examples: [example("LEFT('hello', -1)", "'hell'")],
    forms: [counted(left)],
  }),
  fixed({
    name: 'RIGHT',
    signatures: ['RIGHT(s, n)'],
    summary: 'Last n characters; of a negative n all but the first −n.',
    examples: [example("RIGHT('hello', 2)", "'lo'")],
    forms: [counted(right)],
  }),
  padding('LPAD', 'left', "LPAD('7', 3, '0')", "'007'"),
  padding('RPAD', 'right', "RPAD('7', 3, '0')", "'700'"),
  fixed({
    name: 'REPEAT',
    signatures: ['REPEAT(s, n)'],
    summary: 's n times.',
    examples: [example("REPEAT('ab', 2)", "'abab'")],
    forms: [
      counted((s, n) => (n <= 0 ? '' : s.repeat(sized(n * Math.max(1, s.length)) / Math.max(1, s.length))), true),
    ],
  }),
  fixed({
    name: 'REPLACE',
    signatures: ['REPLACE(s, a, b)'],
    summary: 'Every a replaced by b.',
    examples: [example("REPLACE('banana', 'an', 'o')", "'booa'")],
    forms: [threeTexts((s, a, b) => (a === '' ? s : s.replaceAll(a, () => b)))],
  }),
  fixed({
    name: 'TRANSLATE',
    signatures: ['TRANSLATE(s, from, to)'],
    summary: 'Each character of from replaced by the one of to at its place; without one it goes.',
    examples: [example("TRANSLATE('12345', '143', 'ax')", "'a2x5'")],
    forms: [threeTexts(translate)],
  }),
  fixed({
    name: 'CHR',
    signatures: ['CHR(n)'],
    summary: 'The character with code point n.',
    examples: [example('CHR(233)', "'é'")],
    forms: [{ parameters: [types.bigint], type: text, fallible: true, call: (n) => chr(Number(n)) }],
  }),
]
