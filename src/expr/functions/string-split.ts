import { array, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { castable } from '../coerce.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { textOfValue } from '../value-text.ts'
import { accepts, define, example, fixed, overload } from './define.ts'

const text = types.string

/** The parts between separators; an empty separator does not split. */
const partsOf = (s: string, separator: string): string[] => (separator === '' ? [s] : s.split(separator))

function part(s: string, separator: string, n: number): string {
  if (n === 0) throw new RowFailure('row_invalid_argument', 'SPLIT_PART counts from 1')
  return partsOf(s, separator).at(n > 0 ? n - 1 : n) ?? ''
}

/** Part `index` (0-based) without building the others; null when there is none. */
function partAt(s: string, separator: string, index: number): string | null {
  if (index < 0) return null
  if (separator === '') return index === 0 ? s : null
  let from = 0
  for (let i = 0; i < index; i++) {
    const found = s.indexOf(separator, from)
    if (found < 0) return null
    from = found + separator.length
  }
  const end = s.indexOf(separator, from)
  return end < 0 ? s.slice(from) : s.slice(from, end)
}

/** Items as text, NULLs skipped. */
function join(args: readonly Argument[]): ScalarOverload | undefined {
  const [list, separator] = args
  const type = list?.type
  if (type?.kind !== 'array' || args.length !== 2 || !accepts(separator, text)) return undefined
  const { element } = type
  if (!castable(element, text)) return undefined
  const itemText = (item: Value) => textOfValue(item as Exclude<Value, null>, element)
  return overload({
    name: 'JOIN',
    parameters: [type, text],
    type: text,
    call: (items, by) =>
      (items as readonly Value[])
        .filter((item) => item !== null)
        .map(itemText)
        .join(by as string),
  })
}

export const splitFunctions: readonly ScalarFunction[] = [
  fixed({
    name: 'SPLIT',
    signatures: ['SPLIT(s, d)'],
    summary: 'The parts between the separators; an empty string has none.',
    examples: [example("SPLIT('a,b', ',')", "['a','b']")],
    forms: [
      {
        parameters: [text, text],
        type: array(text),
        call: (s, d) => (s === '' ? [] : partsOf(s as string, d as string)),
      },
    ],
  }),
  fixed({
    name: 'SPLIT_PART',
    signatures: ['SPLIT_PART(s, d, n)'],
    summary: "Part n, from 1, negative from the end; '' when there is none.",
    examples: [example("SPLIT_PART('a,b,c', ',', -1)", "'c'")],
    forms: [
      {
        parameters: [text, text, types.bigint],
        type: text,
        fallible: true,
        call: (s, d, n) => part(s as string, d as string, Number(n)),
      },
    ],
  }),
  fixed({
    name: 'SPLIT_INDEX',
    signatures: ['SPLIT_INDEX(s, d, i)'],
    summary: 'Part i, from 0; NULL when there is none.',
    examples: [example("SPLIT_INDEX('a/b', '/', 5)", 'NULL'), example("SPLIT_INDEX('a/b', '/', 1)", "'b'")],
    forms: [
      {
        parameters: [text, text, types.bigint],
        type: text,
        nullable: true,
        call: (s, d, i) => partAt(s as string, d as string, Number(i)),
      },
    ],
  }),
  define({
    name: 'JOIN',
    signatures: ['JOIN(array, d)'],
    summary: 'Items as text, joined by the separator; NULLs are skipped.',
    examples: [example("JOIN(['a','b'], '+')", "'a+b'")],
    resolve: join,
  }),
]
