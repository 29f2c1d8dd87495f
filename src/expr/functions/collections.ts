import { array, type DataType, field, map, struct, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { canWiden, commonType, commonTypeOf } from '../coerce.ts'
import { comparator, nullsLast } from '../compare.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { accepts, define, example, overload } from './define.ts'

type Items = readonly Value[]
type Entries = ReadonlyMap<Value, Value>

/** Item at a 1-based index, negative from the end; NULL outside. */
const itemAt = (items: Value, index: Value): Value => {
  const at = Number(index)
  return at === 0 ? null : ((items as Items).at(at > 0 ? at - 1 : at) ?? null)
}

/** Looks a key up by SQL equality: most keys are equal as JavaScript values, too. */
function lookup(keyType: DataType): (entries: Value, key: Value) => Value {
  const simple = keyType.kind !== 'double' && isScalar(keyType)
  if (simple) return (entries, key) => (entries as Entries).get(key) ?? null
  const order = comparator(keyType)
  return (entries, key) => {
    for (const [known, item] of entries as Entries) if (order(known, key) === 0) return item
    return null
  }
}

const isScalar = (type: DataType): boolean =>
  !['array', 'map', 'struct', 'bytes', 'interval', 'json'].includes(type.kind)

/** `a[i]`, `m[k]`. */
function element(name: string, args: readonly Argument[]): ScalarOverload | undefined {
  const [holder, key] = args
  const type = holder?.type
  if (args.length !== 2 || type === undefined) return undefined
  if (type.kind === 'array' && accepts(key, types.bigint)) {
    return overload({
      name,
      parameters: [type, types.bigint],
      type: type.element,
      nullable: true,
      call: itemAt as ScalarOverload['call'],
    })
  }
  if (type.kind === 'map' && accepts(key, type.key)) {
    const find = lookup(type.key)
    return overload({
      name,
      parameters: [type, type.key],
      type: type.value,
      nullable: true,
      call: (m, k) => find(m!, k!),
    })
  }
  return undefined
}

/** Functions that look for an item: both sides take the least common type. */
function searching(
  name: string,
  type: DataType,
  nullable: boolean,
  answer: (index: number) => Value,
): (args: readonly Argument[]) => ScalarOverload | undefined {
  return (args) => {
    const [list, item] = args
    if (args.length !== 2 || list?.type.kind !== 'array' || item === undefined) return undefined
    const element = commonType(list.type.element, item.type)
    if (element === undefined) return undefined
    const order = comparator(element)
    return overload({
      name,
      parameters: [array(element), element],
      type,
      nullable,
      call: (items, wanted) =>
        answer((items as Items).findIndex((each) => each !== null && order(each, wanted!) === 0)),
    })
  }
}

function length(args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length === 1 ? args[0]!.type : undefined
  if (type?.kind === 'array') {
    return overload({
      name: 'ARRAY_LENGTH',
      parameters: [type],
      type: types.int,
      call: (items) => (items as Items).length,
    })
  }
  return type?.kind === 'map'
    ? overload({ name: 'ARRAY_LENGTH', parameters: [type], type: types.int, call: (m) => (m as Entries).size })
    : undefined
}

function arrayOf(args: readonly Argument[]): ScalarOverload | undefined {
  const element = commonTypeOf(args.map((arg) => arg.type))
  return (
    element &&
    overload({
      name: 'ARRAY',
      parameters: args.map(() => element),
      type: array(element),
      seesNull: true,
      call: (...items: Value[]) => items,
    })
  )
}

/** Sets a key by SQL equality; the first spelling of a key stays. */
function putter(keyType: DataType): (entries: Map<Value, Value>, key: Value, value: Value) => void {
  const order = isScalar(keyType) && keyType.kind !== 'double' ? undefined : comparator(keyType)
  return (entries, key, value) => {
    if (key === null) throw new RowFailure('row_invalid_argument', 'a MAP key is NULL')
    if (order === undefined) {
      entries.set(key, value)
      return
    }
    for (const known of entries.keys()) {
      if (order(known, key) === 0) {
        entries.set(known, value)
        return
      }
    }
    entries.set(key, value)
  }
}

function mapOf(args: readonly Argument[]): ScalarOverload | undefined {
  const key = commonTypeOf(args.filter((_arg, i) => i % 2 === 0).map((arg) => arg.type))
  const value = commonTypeOf(args.filter((_arg, i) => i % 2 === 1).map((arg) => arg.type))
  if (args.length % 2 !== 0 || key === undefined || value === undefined) return undefined
  const put = putter(key)
  return overload({
    name: 'MAP',
    parameters: args.map((_arg, i) => (i % 2 === 0 ? key : value)),
    type: map(key, value),
    seesNull: true,
    fallible: args.some((arg, i) => i % 2 === 0 && arg.nullable),
    call: (...items: Value[]) => {
      const entries = new Map<Value, Value>()
      for (let i = 0; i < items.length; i += 2) put(entries, items[i]!, items[i + 1]!)
      return entries
    },
  })
}

function mapFromArrays(args: readonly Argument[]): ScalarOverload | undefined {
  const [keys, values] = args
  if (args.length !== 2 || keys?.type.kind !== 'array' || values?.type.kind !== 'array') return undefined
  const put = putter(keys.type.element)
  return overload({
    name: 'MAP_FROM_ARRAYS',
    parameters: [keys.type, values.type],
    type: map(keys.type.element, values.type.element),
    fallible: true,
    call: (k, v) => {
      const [left, right] = [k as Items, v as Items]
      if (left.length !== right.length) throw new RowFailure('row_invalid_argument', 'MAP_FROM_ARRAYS: lengths differ')
      const entries = new Map<Value, Value>()
      for (const [i, key] of left.entries()) put(entries, key, right[i]!)
      return entries
    },
  })
}

/** A function of one map. */
function ofMap(
  name: string,
  type: (of: Extract<DataType, { kind: 'map' }>) => DataType,
  call: (entries: Entries) => Value,
): (args: readonly Argument[]) => ScalarOverload | undefined {
  return (args) => {
    const found = args.length === 1 ? args[0]!.type : undefined
    return found?.kind === 'map'
      ? overload({ name, parameters: [found], type: type(found), call: (m) => call(m as Entries) })
      : undefined
  }
}

function containsKey(args: readonly Argument[]): ScalarOverload | undefined {
  const [m, key] = args
  if (args.length !== 2 || m?.type.kind !== 'map' || !accepts(key, m.type.key)) return undefined
  const order = nullsLast(comparator(m.type.key))
  return overload({
    name: 'MAP_CONTAINS_KEY',
    parameters: [m.type, m.type.key],
    type: types.boolean,
    call: (entries, wanted) => [...(entries as Entries).keys()].some((known) => order(known, wanted!) === 0),
  })
}

function concat(args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length === 0 ? undefined : commonTypeOf(args.map((arg) => arg.type))
  if (type?.kind !== 'map' || !args.every((arg) => canWiden(arg.type, type))) return undefined
  const put = putter(type.key)
  return overload({
    name: 'MAP_CONCAT',
    parameters: args.map(() => type),
    type,
    call: (...maps: Value[]) => {
      const entries = new Map<Value, Value>()
      for (const each of maps) for (const [key, value] of each as Entries) put(entries, key, value)
      return entries
    },
  })
}

/** ROW(e, …) with the field names f1, f2 …; the binder names the fields of STRUCT(e AS a, …) itself. */
function row(args: readonly Argument[]): ScalarOverload | undefined {
  if (args.length === 0) return undefined
  return overload({
    name: 'STRUCT',
    parameters: args.map((arg) => arg.type),
    type: struct(args.map((arg, i) => field(`f${i + 1}`, arg.type, arg.nullable))),
    seesNull: true,
    call: (...values: Value[]) => values,
  })
}

const simple = (
  name: string,
  aliases: readonly string[],
  signature: string,
  summary: string,
  examples: ScalarFunction['examples'],
  resolve: ScalarFunction['resolve'],
): ScalarFunction => define({ name, aliases, signatures: [signature], summary, examples, resolve })

export const collectionFunctions: readonly ScalarFunction[] = [
  simple(
    'ARRAY_LENGTH',
    ['CARDINALITY'],
    'ARRAY_LENGTH(a)',
    'Number of items.',
    [example('ARRAY_LENGTH([1,2])', '2')],
    length,
  ),
  simple(
    'ARRAY_CONTAINS',
    [],
    'ARRAY_CONTAINS(a, x)',
    'True when an item equals x.',
    [example('ARRAY_CONTAINS([1,2], 2)', 'TRUE')],
    searching('ARRAY_CONTAINS', types.boolean, false, (index) => index >= 0),
  ),
  simple(
    'ARRAY_POSITION',
    [],
    'ARRAY_POSITION(a, x)',
    'Position of the first item that equals x, from 1; NULL when there is none.',
    [example("ARRAY_POSITION(['a','b'], 'b')", '2')],
    searching('ARRAY_POSITION', types.int, true, (index) => (index < 0 ? null : index + 1)),
  ),
  simple(
    'ELEMENT_AT',
    [],
    'ELEMENT_AT(a | m, i | k)',
    'Item at a position from 1 (negative from the end) or of a key; NULL outside.',
    [example('ELEMENT_AT([1,2], -1)', '2'), example("ELEMENT_AT(MAP['a', 1], 'a')", '1')],
    (args) => element('ELEMENT_AT', args),
  ),
  simple(
    'SUBSCRIPT',
    [],
    'a[i]',
    'Item at a position from 1 (negative from the end) or of a key; NULL outside.',
    [example('[1,2][1]', '1'), example("MAP['a', 1]['b']", 'NULL')],
    (args) => element('SUBSCRIPT', args),
  ),
  simple('ARRAY', [], 'ARRAY(x, …)', 'An array of the values.', [example('ARRAY(1, 2)', '[1,2]')], arrayOf),
  simple(
    'MAP',
    [],
    'MAP(k, v, …)',
    'A map of the keys and values; of equal keys the last wins.',
    [example("MAP['k', 1]", '{"k":1}')],
    mapOf,
  ),
  simple(
    'MAP_FROM_ARRAYS',
    [],
    'MAP_FROM_ARRAYS(a, b)',
    'A map of keys and values of equal number.',
    [example("MAP_FROM_ARRAYS(['a','b'], [1,2])", '{"a":1,"b":2}')],
    mapFromArrays,
  ),
  simple(
    'MAP_KEYS',
    [],
    'MAP_KEYS(m)',
    'Keys in insertion order.',
    [example("MAP_KEYS(MAP['b', 1, 'a', 2])", "['b','a']")],
    ofMap(
      'MAP_KEYS',
      (type) => array(type.key),
      (m) => [...m.keys()],
    ),
  ),
  simple(
    'MAP_VALUES',
    [],
    'MAP_VALUES(m)',
    'Values in insertion order.',
    [example("MAP_VALUES(MAP['b', 1, 'a', 2])", '[1,2]')],
    ofMap(
      'MAP_VALUES',
      (type) => array(type.value),
      (m) => [...m.values()],
    ),
  ),
  simple(
    'MAP_ENTRIES',
    [],
    'MAP_ENTRIES(m)',
    'Keys and values as an array of STRUCT<key, value>.',
    [example("MAP_ENTRIES(MAP['a', 1])", '[{"key":"a","value":1}]')],
    ofMap(
      'MAP_ENTRIES',
      (type) => array(struct([field('key', type.key, false), field('value', type.value)])),
      (m) => [...m],
    ),
  ),
  simple(
    'MAP_CONTAINS_KEY',
    [],
    'MAP_CONTAINS_KEY(m, k)',
    'True when the map has the key.',
    [example("MAP_CONTAINS_KEY(MAP['a', NULL], 'a')", 'TRUE')],
    containsKey,
  ),
  simple(
    'MAP_CONCAT',
    [],
    'MAP_CONCAT(m, …)',
    'All entries; of equal keys the last wins.',
    [example("MAP_CONCAT(MAP['a', 1], MAP['a', 2])", '{"a":2}')],
    concat,
  ),
  simple(
    'STRUCT',
    ['ROW'],
    'STRUCT(e AS a, …)',
    'A row of the values; fields without a name are f1, f2 …',
    [example('STRUCT(1 AS a).a', '1')],
    row,
  ),
]
