import type { Batch } from '../core/batch.ts'
import type { Column } from '../core/column.ts'
import { valueAt } from '../core/column-read.ts'
import type { Scratch } from '../core/scratch.ts'
import type { Value } from '../core/values.ts'
import type { BoundExpr, ContextName } from './bound.ts'
import { caster } from './cast/cast.ts'
import { RowFailure } from './functions.ts'
import { MICROS_PER_DAY } from './time/civil.ts'

/** What expressions read beside the row: the clock of the batch at hand, set by the runtime. */
export interface ExprContext {
  readonly current: { readonly nowMicros: number }
  /** Memory for strings that generated loops compute; whoever runs the loop resets it. Absent: JavaScript strings. */
  readonly scratch?: Scratch | undefined
}

/**
 * The value of an expression at one row of a batch. A row that cannot be answered throws a `RowFailure` whose span is
 * that of the innermost call that failed. Cost: some 10 to 100 ns per node.
 */
export type Evaluator = (batch: Batch, row: number) => Value

type NodeOf<K extends BoundExpr['kind']> = Extract<BoundExpr, { kind: K }>

const builders: { readonly [K in BoundExpr['kind']]: (expr: NodeOf<K>, context: ExprContext) => Evaluator } = {
  literal:
    ({ value }) =>
    () =>
      value,
  column:
    ({ index }) =>
    (batch, row) =>
      valueAt(batch.columns[index]!, row),
  call: callEvaluator,
  and: ({ args }, context) => logical(args, context, false),
  or: ({ args }, context) => logical(args, context, true),
  case: caseEvaluator,
  coalesce: ({ args }, context) => coalesceEvaluator(args, context),
  cast: castEvaluator,
  'is-null': ({ arg, negated }, context) => {
    const value = interpret(arg, context)
    return negated ? (batch, row) => value(batch, row) !== null : (batch, row) => value(batch, row) === null
  },
  field: fieldEvaluator,
  context: ({ name }, context) => {
    const read = contextReader(name, context)
    return () => read()
  },
}

/** Builds the closure tree of an expression; do it once per query. */
export function interpret(expr: BoundExpr, context: ExprContext): Evaluator {
  const build = builders[expr.kind] as (expr: BoundExpr, context: ExprContext) => Evaluator
  return build(expr, context)
}

/** Reads a context value; the same until the runtime sets the clock for the next batch. */
export function contextReader(name: ContextName, context: ExprContext): () => number {
  const { current } = context
  return name === 'current_date' ? () => Math.floor(current.nowMicros / MICROS_PER_DAY) : () => current.nowMicros
}

/** Runs `evaluate`; a failure that has no place yet gets this one. */
function placed(evaluate: Evaluator, span: BoundExpr['span']): Evaluator {
  if (span === undefined) return evaluate
  return (batch, row) => {
    try {
      return evaluate(batch, row)
    } catch (failure) {
      if (failure instanceof RowFailure) failure.span ??= span
      throw failure
    }
  }
}

function callEvaluator({ overload, args, span }: NodeOf<'call'>, context: ExprContext): Evaluator {
  const values = args.map((arg) => interpret(arg, context))
  const evaluate = overload.seesNull ? nullCall(overload.call, values) : strictCall(overload.call, values)
  return overload.fallible ? placed(evaluate, span) : evaluate
}

function nullCall(call: (...args: Value[]) => Value, values: readonly Evaluator[]): Evaluator {
  return (batch, row) => call(...values.map((value) => value(batch, row)))
}

/** NULL in, NULL out; arguments are evaluated left to right. */
function strictCall(call: (...args: Value[]) => Value, values: readonly Evaluator[]): Evaluator {
  const [first, second] = values
  if (first !== undefined && values.length === 1) {
    return (batch, row) => {
      const a = first(batch, row)
      return a === null ? null : call(a)
    }
  }
  if (first !== undefined && second !== undefined && values.length === 2) {
    return (batch, row) => {
      const a = first(batch, row)
      const b = second(batch, row)
      return a === null || b === null ? null : call(a, b)
    }
  }
  return (batch, row) => {
    const args = values.map((value) => value(batch, row))
    return args.includes(null) ? null : call(...args)
  }
}

/** AND (`decisive` false) and OR (`decisive` true): stops at the first operand that decides. */
function logical(args: readonly BoundExpr[], context: ExprContext, decisive: boolean): Evaluator {
  const values = args.map((arg) => interpret(arg, context))
  return (batch, row) => {
    let answer: Value = !decisive
    for (const value of values) {
      const operand = value(batch, row)
      if (operand === decisive) return decisive
      if (operand === null) answer = null
    }
    return answer
  }
}

function caseEvaluator({ branches, otherwise }: NodeOf<'case'>, context: ExprContext): Evaluator {
  const whens = branches.map(({ when }) => interpret(when, context))
  const results = branches.map(({ result }) => interpret(result, context))
  const rest = otherwise === undefined ? () => null : interpret(otherwise, context)
  return (batch, row) => {
    for (let i = 0; i < whens.length; i++) if (whens[i]!(batch, row) === true) return results[i]!(batch, row)
    return rest(batch, row)
  }
}

function coalesceEvaluator(args: readonly BoundExpr[], context: ExprContext): Evaluator {
  const values = args.map((arg) => interpret(arg, context))
  return (batch, row) => {
    for (const value of values) {
      const found = value(batch, row)
      if (found !== null) return found
    }
    return null
  }
}

function castEvaluator({ arg, type, safe, span }: NodeOf<'cast'>, context: ExprContext): Evaluator {
  const value = interpret(arg, context)
  const cast = caster(arg.type, type)
  const evaluate: Evaluator = (batch, row) => {
    const from = value(batch, row)
    return from === null ? null : safe ? tryCast(cast, from) : cast(from)
  }
  return safe ? evaluate : placed(evaluate, span)
}

function tryCast(cast: ReturnType<typeof caster>, value: Exclude<Value, null>): Value {
  try {
    return cast(value)
  } catch (failure) {
    if (failure instanceof RowFailure) return null
    throw failure
  }
}

/** Fields of a column are read from the child column; the struct is not built. */
function fieldEvaluator(expr: NodeOf<'field'>, context: ExprContext): Evaluator {
  const path = columnPath(expr)
  if (path === undefined) {
    const value = interpret(expr.arg, context)
    return (batch, row) => (value(batch, row) as readonly Value[] | null)?.[expr.index] ?? null
  }
  return (batch, row) => {
    const column = columnAt(batch, path)
    return column === undefined ? null : valueAt(column, row)
  }
}

/** Column index, then field indexes, of a field path over a column; undefined when it stands over something else. */
export function columnPath(expr: BoundExpr): readonly number[] | undefined {
  if (expr.kind === 'column') return [expr.index]
  if (expr.kind !== 'field') return undefined
  const above = columnPath(expr.arg)
  return above && [...above, expr.index]
}

/** The column that a path leads to; undefined under a column without a layout of its own (all NULL). */
export function columnAt(batch: Batch, path: readonly number[]): Column | undefined {
  let column: Column | undefined = batch.columns[path[0]!]
  for (let i = 1; i < path.length && column !== undefined; i++) {
    column = column.kind === 'struct' ? column.fields[path[i]!] : undefined
  }
  return column
}
