import { type DataType, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { commonType, commonTypeOf } from '../coerce.ts'
import { comparator } from '../compare.ts'
import type { Argument, ScalarFunction, ScalarOverload } from '../functions.ts'
import { define, example, overload } from './define.ts'

type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='

const tests: Record<Comparison, (order: number) => boolean> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

const symbols: Record<Comparison, string> = { '=': '===', '<>': '!==', '<': '<', '<=': '<=', '>': '>', '>=': '>=' }

type Inline = ScalarOverload['inline']

/** NaN equals NaN and is the greatest. */
const doubleInline: Record<Comparison, (a: string, b: string) => string> = {
  '=': (a, b) => `(${a} === ${b} || (${a} !== ${a} && ${b} !== ${b}))`,
  '<>': (a, b) => `(${a} !== ${b} && (${a} === ${a} || ${b} === ${b}))`,
  '<': (a, b) => `(${a} < ${b} || (${b} !== ${b} && ${a} === ${a}))`,
  '<=': (a, b) => `(${a} <= ${b} || ${b} !== ${b})`,
  '>': (a, b) => `(${a} > ${b} || (${a} !== ${a} && ${b} === ${b}))`,
  '>=': (a, b) => `(${a} >= ${b} || ${a} !== ${a})`,
}

function comparisonInline(op: Comparison, type: DataType): Inline {
  switch (type.kind) {
    case 'double':
      return (_code, a = '', b = '') => doubleInline[op](a, b)
    case 'string':
      return op === '=' || op === '<>' ? (_code, a = '', b = '') => `(${a} ${symbols[op]} ${b})` : undefined
    case 'boolean':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'decimal':
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return (_code, a = '', b = '') => `(${a} ${symbols[op]} ${b})`
    default:
      return undefined
  }
}

function compare(op: Comparison, args: readonly Argument[]): ScalarOverload | undefined {
  const [a, b] = args
  if (a === undefined || b === undefined || args.length !== 2) return undefined
  const type = commonType(a.type, b.type)
  if (type === undefined) return undefined
  const order = comparator(type)
  const test = tests[op]
  return overload({
    name: op,
    parameters: [type, type],
    type: types.boolean,
    call: (x, y) => test(order(x!, y!)),
    inline: comparisonInline(op, type),
  })
}

const comparison = (op: Comparison, summary: string, sql: string): ScalarFunction =>
  define({
    name: op,
    aliases: op === '<>' ? ['!='] : [],
    signatures: [`any ${op} any`],
    summary,
    examples: [example(sql, 'TRUE')],
    resolve: (args) => compare(op, args),
  })

/** NULL is a value that equals itself. */
function distinct(name: string, args: readonly Argument[], whenDistinct: boolean): ScalarOverload | undefined {
  const type = args.length === 2 ? commonType(args[0]!.type, args[1]!.type) : undefined
  if (type === undefined) return undefined
  const order = comparator(type)
  return overload({
    name,
    parameters: [type, type],
    type: types.boolean,
    seesNull: true,
    call: (a, b) => {
      const same = a === null || b === null ? a === b : order(a!, b!) === 0
      return same !== whenDistinct
    },
    inline: comparisonInline(whenDistinct ? '<>' : '=', type),
  })
}

/** x IN (a, …): true, else NULL when x or an item is NULL, else false. */
function isIn(args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length < 2 ? undefined : commonTypeOf(args.map((arg) => arg.type))
  if (type === undefined) return undefined
  const order = comparator(type)
  return overload({
    name: 'IN',
    parameters: args.map(() => type),
    type: types.boolean,
    seesNull: true,
    nullable: args.some((arg) => arg.nullable),
    call: (x: Value, ...items: Value[]) => {
      if (x === null) return null
      let unknown = false
      for (const item of items) {
        if (item === null) unknown = true
        else if (order(x, item) === 0) return true
      }
      return unknown ? null : false
    },
    inline: inInline(type, args.length - 1),
  })
}

/** Long lists are looked up in a set by the loop itself. */
export const IN_ITEMS_INLINE = 16

function inInline(type: DataType, items: number): Inline {
  const equal = items > IN_ITEMS_INLINE ? undefined : comparisonInline('=', type)
  return equal && ((code, x = '', ...items) => `(${items.map((item) => equal(code, x, item)).join(' || ')})`)
}

function between(symmetric: boolean, args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length === 3 ? commonTypeOf(args.map((arg) => arg.type)) : undefined
  if (type === undefined) return undefined
  const order = comparator(type)
  const within = (x: Value, low: Value, high: Value): Value => {
    if (x === null) return null
    const above = low === null ? null : order(x, low) >= 0
    const below = high === null ? null : order(x, high) <= 0
    if (above === false || below === false) return false
    return above === null || below === null ? null : true
  }
  return overload({
    name: symmetric ? 'BETWEEN SYMMETRIC' : 'BETWEEN',
    parameters: [type, type, type],
    type: types.boolean,
    seesNull: true,
    nullable: args.some((arg) => arg.nullable),
    call: (x = null, a = null, b = null) => {
      const swapped = symmetric && a !== null && b !== null && order(a, b) > 0
      return swapped ? within(x, b, a) : within(x, a, b)
    },
  })
}

/** IS TRUE, IS FALSE, IS UNKNOWN: never NULL. */
const truth = (name: string, wanted: Value, sql: string): ScalarFunction =>
  define({
    name,
    signatures: [`b ${name}`],
    summary: `True when b ${name === 'IS UNKNOWN' ? 'is NULL' : `is ${String(wanted)}, false when it is anything else or NULL`}.`,
    examples: [example(sql, 'TRUE')],
    resolve: ([arg, more]) =>
      arg !== undefined && more === undefined && (arg.type.kind === 'boolean' || arg.type.kind === 'null')
        ? overload({
            name,
            parameters: [types.boolean],
            type: types.boolean,
            seesNull: true,
            call: (a) => a === wanted,
          })
        : undefined,
  })

export const comparisonFunctions: readonly ScalarFunction[] = [
  comparison('=', 'Equal.', '1 = 1'),
  comparison('<>', 'Not equal.', '1 <> 2'),
  comparison('<', 'Less.', '1 < 2'),
  comparison('<=', 'Less or equal.', '1 <= 1'),
  comparison('>', 'Greater.', '2 > 1'),
  comparison('>=', 'Greater or equal.', '2 >= 2'),
  define({
    name: 'IS DISTINCT FROM',
    signatures: ['any IS DISTINCT FROM any'],
    summary: 'Not equal, where NULL equals NULL; never NULL.',
    examples: [example('1 IS DISTINCT FROM NULL', 'TRUE')],
    resolve: (args) => distinct('IS DISTINCT FROM', args, true),
  }),
  define({
    name: 'IS NOT DISTINCT FROM',
    signatures: ['any IS NOT DISTINCT FROM any'],
    summary: 'Equal, where NULL equals NULL; never NULL.',
    examples: [example('1 IS NOT DISTINCT FROM 1', 'TRUE')],
    resolve: (args) => distinct('IS NOT DISTINCT FROM', args, false),
  }),
  define({
    name: 'IN',
    signatures: ['any IN (any, …)'],
    summary: 'True when one of the list is equal; NULL when none is but one is NULL.',
    examples: [example("'a' IN ('a', 'b')", 'TRUE'), example('1 IN (2, NULL)', 'NULL')],
    resolve: isIn,
  }),
  define({
    name: 'BETWEEN',
    signatures: ['any BETWEEN any AND any'],
    summary: 'Between two bounds, both included.',
    examples: [example('2 BETWEEN 1 AND 3', 'TRUE')],
    resolve: (args) => between(false, args),
  }),
  define({
    name: 'BETWEEN SYMMETRIC',
    signatures: ['any BETWEEN SYMMETRIC any AND any'],
    summary: 'Between two bounds in any order, both included.',
    examples: [example('2 BETWEEN SYMMETRIC 3 AND 1', 'TRUE')],
    resolve: (args) => between(true, args),
  }),
  truth('IS TRUE', true, 'TRUE IS TRUE'),
  truth('IS FALSE', false, 'FALSE IS FALSE'),
  truth('IS UNKNOWN', null, 'NULL IS UNKNOWN'),
  define({
    name: 'NOT',
    signatures: ['NOT b'],
    summary: 'The opposite; NULL of NULL.',
    examples: [example('NOT FALSE', 'TRUE')],
    resolve: ([arg, more]) =>
      arg !== undefined && more === undefined && (arg.type.kind === 'boolean' || arg.type.kind === 'null')
        ? overload({
            name: 'NOT',
            parameters: [types.boolean],
            type: types.boolean,
            call: (a) => a !== true,
            inline: (_code, a = '') => `!(${a})`,
          })
        : undefined,
  }),
]
