import { typeName, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { commonTypeOf } from '../coerce.ts'
import { comparator } from '../compare.ts'
import type { Argument, ScalarFunction, ScalarOverload } from '../functions.ts'
import { define, example, overload } from './define.ts'

/**
 * Functions that the binder builds out of other nodes (CASE, COALESCE, the clock) so that only the chosen branch is
 * evaluated. Their overloads here evaluate all arguments first and are for reference and for constant arguments.
 */
function coalesce(name: string, args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length === 0 ? undefined : commonTypeOf(args.map((arg) => arg.type))
  return (
    type &&
    overload({
      name,
      parameters: args.map(() => type),
      type,
      seesNull: true,
      nullable: args.every((arg) => arg.nullable),
      call: (...values: Value[]) => values.find((value) => value !== null) ?? null,
    })
  )
}

function nullIf(args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length === 2 ? commonTypeOf(args.map((arg) => arg.type)) : undefined
  if (type === undefined) return undefined
  const order = comparator(type)
  return overload({
    name: 'NULLIF',
    parameters: [type, type],
    type,
    seesNull: true,
    nullable: true,
    call: (a = null, b = null) => (a !== null && b !== null && order(a, b) === 0 ? null : a),
  })
}

function ifElse(args: readonly Argument[]): ScalarOverload | undefined {
  const [condition, ...branches] = args
  if (condition === undefined || branches.length < 1 || branches.length > 2) return undefined
  if (condition.type.kind !== 'boolean' && condition.type.kind !== 'null') return undefined
  const type = commonTypeOf(branches.map((arg) => arg.type))
  return (
    type &&
    overload({
      name: 'IF',
      parameters: [types.boolean, ...branches.map(() => type)],
      type,
      seesNull: true,
      nullable: branches.length === 1 || branches.some((arg) => arg.nullable),
      call: (chosen, a = null, b = null) => (chosen === true ? a : b),
    })
  )
}

function typeOf(args: readonly Argument[]): ScalarOverload | undefined {
  const type = args.length === 1 ? args[0]!.type : undefined
  return (
    type &&
    overload({ name: 'TYPEOF', parameters: [type], type: types.string, seesNull: true, call: () => typeName(type) })
  )
}

/** The same for all rows of a batch; the binder makes a `context` node. */
const clock = (name: string, aliases: readonly string[], summary: string): ScalarFunction =>
  define({ name, aliases, signatures: [`${name}()`], summary, resolve: () => undefined })

export const specialForms: readonly ScalarFunction[] = [
  define({
    name: 'COALESCE',
    signatures: ['COALESCE(any, …)'],
    summary: 'First argument that is not NULL; the others are not evaluated.',
    examples: [example('COALESCE(NULL, 2)', '2')],
    resolve: (args) => coalesce('COALESCE', args),
  }),
  define({
    name: 'IFNULL',
    aliases: ['NVL'],
    signatures: ['IFNULL(a, b)'],
    summary: 'b where a is NULL.',
    examples: [example('IFNULL(NULL, 2)', '2')],
    resolve: (args) => (args.length === 2 ? coalesce('IFNULL', args) : undefined),
  }),
  define({
    name: 'NULLIF',
    signatures: ['NULLIF(a, b)'],
    summary: 'NULL where a equals b, else a.',
    examples: [example('NULLIF(1, 1)', 'NULL')],
    resolve: nullIf,
  }),
  define({
    name: 'IF',
    aliases: ['IIF'],
    signatures: ['IF(condition, a, b)'],
    summary: 'a where the condition is true, else b; only one is evaluated.',
    examples: [example("IF(1 > 2, 'a', 'b')", "'b'")],
    resolve: ifElse,
  }),
  define({
    name: 'TYPEOF',
    signatures: ['TYPEOF(any)'],
    summary: 'Name of the type.',
    examples: [example('TYPEOF(1.5)', "'DECIMAL(2,1)'")],
    resolve: typeOf,
  }),
  clock('NOW', ['CURRENT_TIMESTAMP'], 'Processing time of the batch, TIMESTAMP WITH TIME ZONE.'),
  clock('LOCALTIMESTAMP', [], 'Processing time of the batch, TIMESTAMP.'),
  clock('PROCTIME', [], 'Processing time of the batch, TIMESTAMP; as window time: windows closed by the clock.'),
  clock('CURRENT_DATE', [], 'Processing date of the batch.'),
  clock('EVENT_TIME', [], 'Event time of the row, TIMESTAMP.'),
]
