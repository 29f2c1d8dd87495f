import { array, type DataType, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { castable, commonType } from '../coerce.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { lengthOf, positionOf, sliceOf } from './code-points.ts'
import { define, example, fixed, overload } from './define.ts'

const text = types.string
const { int } = types

/** First position of `sub` at or behind `start` (1-based); 0 when there is none. */
function position(sub: string, s: string, start = 1): number {
  if (start < 1) throw new RowFailure('row_invalid_argument', 'positions count from 1')
  if (start === 1) return positionOf(s, s.indexOf(sub))
  const found = position(sub, sliceOf(s, start - 1))
  return found === 0 || start > lengthOf(s) + 1 ? 0 : found + start - 1
}

const searching = (name: string, sql: string, result: string): ScalarFunction =>
  fixed({
    name,
    signatures: [`${name}(s, sub)`],
    summary: 'Position of sub in s, 0 when it is absent.',
    examples: [example(sql, result)],
    forms: [{ parameters: [text, text], type: int, call: (s, sub) => position(sub as string, s as string) }],
  })

const test = (name: string, summary: string, sql: string, call: (s: string, sub: string) => boolean): ScalarFunction =>
  fixed({
    name,
    signatures: [`${name}(s, sub)`],
    summary,
    examples: [example(sql, 'TRUE')],
    forms: [{ parameters: [text, text], type: types.boolean, call: (s, sub) => call(s as string, sub as string) }],
  })

/** Every argument as text; NULLs are skipped. */
function concat(args: readonly Argument[]): ScalarOverload | undefined {
  if (args.length === 0 || !args.every((arg) => castable(arg.type, text))) return undefined
  return overload({
    name: 'CONCAT',
    parameters: args.map(() => text),
    type: text,
    seesNull: true,
    call: (...values: Value[]) => values.filter((value) => value !== null).join(''),
  })
}

function concatWithSeparator(args: readonly Argument[]): ScalarOverload | undefined {
  if (args.length < 2 || !args.every((arg) => castable(arg.type, text))) return undefined
  return overload({
    name: 'CONCAT_WS',
    parameters: args.map(() => text),
    type: text,
    seesNull: true,
    nullable: args[0]!.nullable,
    call: (separator = null, ...values: Value[]) =>
      separator === null ? null : values.filter((value) => value !== null).join(separator as string),
  })
}

/** `||`: texts (the other side is cast), byte strings, arrays of a common type. */
function concatenate(args: readonly Argument[]): ScalarOverload | undefined {
  const [a, b] = args.map((arg) => arg.type)
  if (a === undefined || b === undefined || args.length !== 2) return undefined
  const form = (type: DataType, call: ScalarOverload['call']) =>
    overload({ name: '||', parameters: [type, type], type, call })
  if (a.kind === 'array' || b.kind === 'array') {
    const type = commonType(a, b)
    return type?.kind === 'array'
      ? form(array(type.element), (x, y) => [...(x as readonly Value[]), ...(y as readonly Value[])])
      : undefined
  }
  if (a.kind === 'bytes' && b.kind === 'bytes') {
    return form(types.bytes, (x, y) => new Uint8Array(Buffer.concat([x as Uint8Array, y as Uint8Array])))
  }
  const isText = (type: DataType) => type.kind === 'string' || type.kind === 'null'
  const nested = (type: DataType) => type.kind === 'map' || type.kind === 'struct' || type.kind === 'json'
  if ((!isText(a) && !isText(b)) || nested(a) || nested(b)) return undefined
  return form(text, (x, y) => (x as string) + (y as string))
}

const lengthForm = { parameters: [text], type: int, call: (s: Value) => lengthOf(s as string) }

export const searchFunctions: readonly ScalarFunction[] = [
  fixed({
    name: 'LENGTH',
    aliases: ['LEN', 'CHAR_LENGTH'],
    signatures: ['LENGTH(s)'],
    summary: 'Number of characters (code points).',
    examples: [example("LENGTH('héllo')", '5')],
    forms: [lengthForm],
  }),
  fixed({
    name: 'OCTET_LENGTH',
    signatures: ['OCTET_LENGTH(s | BYTES)'],
    summary: 'Number of bytes.',
    examples: [example("OCTET_LENGTH('é')", '2')],
    forms: [
      { parameters: [text], type: int, call: (s) => Buffer.byteLength(s as string) },
      { parameters: [types.bytes], type: int, call: (bytes) => (bytes as Uint8Array).length },
    ],
  }),
  fixed({
    name: 'ASCII',
    signatures: ['ASCII(s)'],
    summary: 'Code point of the first character, 0 when there is none.',
    examples: [example("ASCII('A')", '65')],
    forms: [{ parameters: [text], type: int, call: (s) => (s as string).codePointAt(0) ?? 0 }],
  }),
  fixed({
    name: 'POSITION',
    signatures: ['POSITION(sub IN s)', 'POSITION(sub, s [, start])'],
    summary: 'Position of sub in s, 0 when it is absent.',
    examples: [example("POSITION('lo' IN 'hello')", '4'), example("POSITION('l', 'hello', 4)", '4')],
    forms: [
      {
        parameters: [text, text, types.bigint],
        required: 2,
        type: int,
        fallible: true,
        call: (sub, s, start) => position(sub as string, s as string, start === undefined ? 1 : Number(start)),
      },
    ],
  }),
  searching('STRPOS', "STRPOS('hello', 'z')", '0'),
  searching('INSTR', "INSTR('hello', 'l')", '3'),
  test('STARTS_WITH', 'Begins with sub.', "STARTS_WITH('kafka', 'ka')", (s, sub) => s.startsWith(sub)),
  test('ENDS_WITH', 'Ends with sub.', "ENDS_WITH('kafka', 'ka')", (s, sub) => s.endsWith(sub)),
  test('CONTAINS', 'Holds sub.', "CONTAINS('kafka', 'afk')", (s, sub) => s.includes(sub)),
  define({
    name: 'CONCAT',
    signatures: ['CONCAT(any, …)'],
    summary: 'All arguments as text, joined; NULLs are skipped.',
    examples: [example("CONCAT('a', NULL, 'b')", "'ab'")],
    resolve: concat,
  }),
  define({
    name: 'CONCAT_WS',
    signatures: ['CONCAT_WS(sep, any, …)'],
    summary: 'All arguments as text, joined by the separator; NULLs are skipped.',
    examples: [example("CONCAT_WS('-', 'a', NULL, 'b')", "'a-b'")],
    resolve: concatWithSeparator,
  }),
  define({
    name: '||',
    signatures: ['s || any', 'BYTES || BYTES', 'array || array'],
    summary: 'Joined; NULL when one side is.',
    examples: [example("'a' || 1", "'a1'")],
    resolve: concatenate,
  }),
]
