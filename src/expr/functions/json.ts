import { array, type DataType, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { jsonToValue } from '../cast/from-json.ts'
import { castable, isInteger } from '../coerce.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { type JsonPath, type JsonStep, matchesOf, parseJsonPath, stepInto } from '../json/json-path.ts'
import { entriesOfJson, itemsOfJson, kindOfJson, textOfJson, validJson } from '../json/json-text.ts'
import { parseType } from '../type-text.ts'
import { jsonOfValue } from '../value-json.ts'
import { accepts, define, example, fixed, overload } from './define.ts'

const { json, string: text } = types

/** JSON, or STRING that is parsed (text that is no JSON fails the row). */
const isJsonLike = (arg: Argument | undefined): boolean =>
  arg !== undefined && (arg.type.kind === 'json' || arg.type.kind === 'string' || arg.type.kind === 'null')

/** The parameter type for a JSON-like argument; text is checked by the call, not by a cast. */
const jsonParameter = (arg: Argument): DataType => (arg.type.kind === 'string' ? text : json)

/** The JSON text of an argument of type `from`. */
function parsed(value: Value, from: DataType): string {
  const found = value as string
  if (from.kind === 'json' || validJson(found)) return found
  throw new RowFailure('row_invalid_argument', `${JSON.stringify(found.slice(0, 60))} is no JSON`)
}

/** A step from a key or an index given as an SQL value. */
const stepFrom = (value: Value): Exclude<JsonStep, { kind: 'all' }> =>
  typeof value === 'string' ? { kind: 'key', key: value } : { kind: 'index', index: Number(value) }

type Finish = { readonly type: DataType; readonly give: (found: string | undefined) => Value }

const asJson: Finish = { type: json, give: (found) => found?.trim() ?? null }
const asText: Finish = { type: text, give: (found) => (found === undefined ? null : (textOfJson(found) ?? null)) }

/** `j -> 'k'`, `j -> 0`, `j ->> 'k'`. */
function arrow(name: string, finish: Finish, args: readonly Argument[]): ScalarOverload | undefined {
  const [j, key] = args
  if (args.length !== 2 || !isJsonLike(j) || key === undefined) return undefined
  const keyType = isInteger(key.type) ? types.bigint : text
  if (!accepts(key, keyType)) return undefined
  const from = jsonParameter(j!)
  return overload({
    name,
    parameters: [from, keyType],
    type: finish.type,
    nullable: true,
    fallible: from.kind === 'string',
    call: (value, at) => finish.give(stepInto(parsed(value!, from), stepFrom(at!))),
  })
}

/** `j #> ['a','b']`: digits are indexes where the value is an array. */
function deepArrow(name: string, finish: Finish, args: readonly Argument[]): ScalarOverload | undefined {
  const [j, path] = args
  if (args.length !== 2 || !isJsonLike(j) || !accepts(path, array(text))) return undefined
  const from = jsonParameter(j!)
  return overload({
    name,
    parameters: [from, array(text)],
    type: finish.type,
    nullable: true,
    fallible: from.kind === 'string',
    call: (value, keys) => {
      let found: string | undefined = parsed(value!, from)
      for (const key of keys as readonly (string | null)[]) {
        if (key === null) return null
        if (found === undefined) break
        const isIndex = kindOfJson(found) === 'array' && /^-?\d+$/.test(key)
        found = stepInto(found, isIndex ? { kind: 'index', index: Number(key) } : { kind: 'key', key })
      }
      return finish.give(found)
    },
  })
}

/** Paths of one call, parsed once. */
class Paths {
  readonly #kept = new Map<string, JsonPath>()

  get(path: string): JsonPath {
    let found = this.#kept.get(path)
    if (found === undefined) {
      const read = parseJsonPath(path)
      if ('message' in read) throw new RowFailure('row_invalid_argument', `JSON path: ${read.message}`)
      if (this.#kept.size >= 256) this.#kept.clear()
      found = read
      this.#kept.set(path, found)
    }
    return found
  }
}

/** False for a path that comes with the rows and for a constant that does not parse (the binder refuses it). */
const isGoodPath = ({ constant }: Argument): boolean =>
  constant !== undefined && (constant.value === null || !('message' in parseJsonPath(constant.value as string)))

type PathAnswer = (matches: readonly string[], path: JsonPath) => Value

function pathFunction(
  name: string,
  type: DataType,
  nullable: boolean,
  answer: PathAnswer,
): (args: readonly Argument[]) => ScalarOverload | undefined {
  return (args) => {
    const [j, path] = args
    if (args.length !== 2 || !isJsonLike(j) || !accepts(path, text)) return undefined
    const from = jsonParameter(j!)
    const paths = new Paths()
    return overload({
      name,
      parameters: [from, text],
      type,
      nullable,
      fallible: from.kind === 'string' || !isGoodPath(path!),
      call: (value, wanted) => {
        const read = paths.get(wanted as string)
        return answer(matchesOf(parsed(value!, from), read), read)
      },
    })
  }
}

/** Text of a scalar; NULL for objects, arrays and JSON null. */
const scalarAnswer: PathAnswer = (matches) => {
  const [first] = matches
  if (first === undefined || matches.length > 1) return null
  const kind = kindOfJson(first)
  return kind === 'object' || kind === 'array' ? null : (textOfJson(first) ?? null)
}

const queryAnswer: PathAnswer = (matches, { many }) =>
  many ? `[${matches.map((match) => match.trim()).join(',')}]` : (matches[0]?.trim() ?? null)

const stringAnswer: PathAnswer = (matches, path) => {
  const found = queryAnswer(matches, path)
  return found === null ? null : (textOfJson(found as string) ?? null)
}

/** Values of any type, as JSON texts; NULL is `null`. */
function jsonArray(args: readonly Argument[]): ScalarOverload | undefined {
  const all = args.map((arg) => arg.type)
  return overload({
    name: 'JSON_ARRAY',
    parameters: all,
    type: json,
    seesNull: true,
    call: (...values: Value[]) => `[${values.map((value, i) => jsonOfValue(value, all[i]!)).join(',')}]`,
  })
}

/** Keys and values in turns; of equal keys the last wins. */
function jsonObject(args: readonly Argument[]): ScalarOverload | undefined {
  if (args.length % 2 !== 0) return undefined
  const parameters = args.map((arg, i) => (i % 2 === 0 ? text : arg.type))
  if (!args.every((arg, i) => i % 2 === 1 || castable(arg.type, text))) return undefined
  return overload({
    name: 'JSON_OBJECT',
    parameters,
    type: json,
    seesNull: true,
    fallible: args.some((arg, i) => i % 2 === 0 && arg.nullable),
    call: (...values: Value[]) => {
      const entries = new Map<string, string>()
      for (let i = 0; i < values.length; i += 2) {
        if (values[i] === null) throw new RowFailure('row_invalid_argument', 'a key of JSON_OBJECT is NULL')
        entries.set(values[i] as string, jsonOfValue(values[i + 1]!, parameters[i + 1]!))
      }
      return `{${[...entries].map(([key, item]) => `${JSON.stringify(key)}:${item}`).join(',')}}`
    },
  })
}

function toJson(args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length === 1 ? args[0]!.type : undefined
  return (
    type &&
    overload({
      name: 'TO_JSON',
      parameters: [type],
      type: json,
      seesNull: true,
      call: (value) => jsonOfValue(value!, type),
    })
  )
}

/** FROM_JSON(str, 'STRUCT<…>'): the type is a constant. */
function fromJson(args: readonly Argument[]): ScalarOverload | undefined {
  const [j, wanted] = args
  const constant = wanted?.constant?.value
  const type = typeof constant === 'string' ? parseType(constant) : undefined
  if (args.length !== 2 || !isJsonLike(j) || type === undefined) return undefined
  const from = jsonParameter(j!)
  const read = jsonToValue(type)
  return overload({
    name: 'FROM_JSON',
    parameters: [from, text],
    type,
    nullable: true,
    fallible: true,
    call: (value) => read(parsed(value!, from)),
  })
}

/** A function of one JSON-like value. */
function ofJson(
  name: string,
  type: DataType,
  nullable: boolean,
  give: (found: string) => Value,
): (args: readonly Argument[]) => ScalarOverload | undefined {
  return (args) => {
    if (args.length !== 1 || !isJsonLike(args[0])) return undefined
    const from = jsonParameter(args[0]!)
    const fallible = from.kind === 'string'
    return overload({ name, parameters: [from], type, nullable, fallible, call: (value) => give(parsed(value!, from)) })
  }
}

export const jsonFunctions: readonly ScalarFunction[] = [
  define({
    name: '->',
    signatures: ["j -> 'k'", 'j -> n'],
    summary: 'Member or item (from 0, negative from the end); NULL when it is not there.',
    examples: [example(`'{"a":{"b":[1,2]}}'::JSON -> 'a' -> 'b' ->> 0`, "'1'")],
    resolve: (args) => arrow('->', asJson, args),
  }),
  define({
    name: '->>',
    signatures: ["j ->> 'k'", 'j ->> n'],
    summary: 'Member or item as text; JSON null is NULL.',
    examples: [example(`'{"a":"x"}'::JSON ->> 'a'`, "'x'")],
    resolve: (args) => arrow('->>', asText, args),
  }),
  define({
    name: '#>',
    signatures: ["j #> ['a','b']"],
    summary: 'What a list of keys and indexes leads to.',
    examples: [example(`'{"a":{"b":[1,2]}}'::JSON #> ['a','b']`, '[1,2]')],
    resolve: (args) => deepArrow('#>', asJson, args),
  }),
  define({
    name: '#>>',
    signatures: ["j #>> ['a','b']"],
    summary: 'What a list of keys and indexes leads to, as text.',
    examples: [example(`'{"a":{"b":[1,2]}}'::JSON #>> ['a','b','1']`, "'2'")],
    resolve: (args) => deepArrow('#>>', asText, args),
  }),
  define({
    name: 'JSON_VALUE',
    signatures: ['JSON_VALUE(j, path [RETURNING T])'],
    summary: 'The scalar at the path as text; NULL when it is missing, an object or an array.',
    examples: [example(`JSON_VALUE('{"a":1.50}', '$.a')`, "'1.50'")],
    resolve: pathFunction('JSON_VALUE', text, true, scalarAnswer),
  }),
  define({
    name: 'JSON_QUERY',
    signatures: ['JSON_QUERY(j, path)'],
    summary: 'The JSON at the path; with a wildcard a JSON array of all matches.',
    examples: [example(`JSON_QUERY('{"items":[{"sku":"a"},{"sku":"b"}]}', '$.items[*].sku')`, '["a","b"]')],
    resolve: pathFunction('JSON_QUERY', json, true, queryAnswer),
  }),
  define({
    name: 'JSON_EXTRACT',
    signatures: ['JSON_EXTRACT(j, path)'],
    summary: 'The JSON at the path.',
    examples: [example(`JSON_EXTRACT('{"a":[1,2]}', '$.a[-1]')`, '2')],
    resolve: pathFunction('JSON_EXTRACT', json, true, queryAnswer),
  }),
  define({
    name: 'JSON_EXTRACT_STRING',
    signatures: ['JSON_EXTRACT_STRING(j, path)'],
    summary: 'The JSON at the path as text; of a string its characters.',
    examples: [example(`JSON_EXTRACT_STRING('{"a":"x"}', '$.a')`, "'x'")],
    resolve: pathFunction('JSON_EXTRACT_STRING', text, true, stringAnswer),
  }),
  define({
    name: 'JSON_EXISTS',
    signatures: ['JSON_EXISTS(j, path)'],
    summary: 'True when the path leads to something, JSON null included.',
    examples: [example(`JSON_EXISTS('{"a":null}', '$.a')`, 'TRUE')],
    resolve: pathFunction('JSON_EXISTS', types.boolean, false, (matches) => matches.length > 0),
  }),
  define({
    name: 'PARSE_JSON',
    signatures: ['PARSE_JSON(s)'],
    summary: 'The text as JSON; text that is none fails the row.',
    examples: [example(`PARSE_JSON('{"a": 1}') -> 'a'`, '1')],
    resolve: ofJson('PARSE_JSON', json, false, (found) => found),
  }),
  fixed({
    name: 'TRY_PARSE_JSON',
    signatures: ['TRY_PARSE_JSON(s)'],
    summary: 'The text as JSON, NULL when it is none.',
    examples: [example("TRY_PARSE_JSON('{')", 'NULL')],
    forms: [{ parameters: [text], type: json, nullable: true, call: (s) => (validJson(s as string) ? s : null) }],
  }),
  define({
    name: 'TO_JSON',
    signatures: ['TO_JSON(any)'],
    summary: 'The value as JSON; NULL is JSON null.',
    examples: [example('TO_JSON([1,2])', '[1,2]')],
    resolve: toJson,
  }),
  define({
    name: 'FROM_JSON',
    signatures: ["FROM_JSON(s, 'STRUCT<…>')"],
    summary: 'The JSON as a value of the type.',
    examples: [example(`FROM_JSON('{"a":1}', 'STRUCT<a INT>').a`, '1')],
    resolve: fromJson,
  }),
  define({
    name: 'JSON_TYPE',
    signatures: ['JSON_TYPE(j)'],
    summary: "'object', 'array', 'string', 'number', 'boolean' or 'null'.",
    examples: [example("JSON_TYPE('[1]')", "'array'")],
    resolve: ofJson('JSON_TYPE', text, false, kindOfJson),
  }),
  fixed({
    name: 'IS JSON',
    signatures: ['x IS JSON'],
    summary: 'True when the text is JSON.',
    examples: [example("'[1]' IS JSON", 'TRUE')],
    forms: [
      { parameters: [text], type: types.boolean, call: (s) => validJson(s as string) },
      { parameters: [json], type: types.boolean, call: () => true },
    ],
  }),
  define({
    name: 'JSON_OBJECT',
    signatures: ["JSON_OBJECT('k' VALUE v, …)"],
    summary: 'An object of the keys and values.',
    examples: [example("JSON_OBJECT('a' VALUE 1)", '{"a":1}')],
    resolve: jsonObject,
  }),
  define({
    name: 'JSON_ARRAY',
    signatures: ['JSON_ARRAY(v, …)'],
    summary: 'An array of the values.',
    examples: [example("JSON_ARRAY(1, 'a', NULL)", '[1,"a",null]')],
    resolve: jsonArray,
  }),
  define({
    name: 'JSON_KEYS',
    signatures: ['JSON_KEYS(j)'],
    summary: 'Keys of an object; NULL of anything else.',
    examples: [example(`JSON_KEYS('{"b":1,"a":2}')`, "['b','a']")],
    resolve: ofJson('JSON_KEYS', array(text), true, (found) =>
      kindOfJson(found) === 'object' ? [...entriesOfJson(found).keys()] : null,
    ),
  }),
  define({
    name: 'JSON_ARRAY_LENGTH',
    signatures: ['JSON_ARRAY_LENGTH(j)'],
    summary: 'Number of items of an array; NULL of anything else.',
    examples: [example("JSON_ARRAY_LENGTH('[1,2]')", '2')],
    resolve: ofJson('JSON_ARRAY_LENGTH', types.int, true, (found) =>
      kindOfJson(found) === 'array' ? itemsOfJson(found).length : null,
    ),
  }),
]
