import { types } from '../../core/types.ts'
import type { BoundAggregate, BoundExpr } from '../../expr/bound.ts'
import { aggregateText, exprKey } from '../expr-text.ts'
import type { AggregateSink, WindowNames } from './context.ts'
import { fault } from './failure.ts'

/** Column indexes that stand for results of the grouping until its columns are known. */
const AGGREGATE_BASE = 1_000_000
const WINDOW_BASE = 2_000_000

const windowColumns: Readonly<Record<string, number>> = {
  window_start: 0,
  _window_start: 0,
  window_end: 1,
  _window_end: 1,
  window_time: 2,
}

/** Names of the three columns that a window adds to a grouping, in order. */
export const windowColumnNames = ['window_start', 'window_end', 'window_time'] as const

/** Takes the aggregates out of the expressions of one SELECT block; equal ones are computed once. */
export class GroupCollector implements AggregateSink {
  readonly aggregates: BoundAggregate[] = []
  readonly #byKey = new Map<string, number>()

  add(aggregate: BoundAggregate): BoundExpr {
    const key = `${aggregateText(aggregate, (column) => `#${column.index}`)}:${aggregate.args.map(exprKey).join()}`
    let at = this.#byKey.get(key)
    if (at === undefined) {
      at = this.aggregates.push(aggregate) - 1
      this.#byKey.set(key, at)
    }
    const { type, span, overload } = aggregate
    return {
      kind: 'column',
      index: AGGREGATE_BASE + at,
      name: overload.name.toLowerCase(),
      type,
      nullable: overload.nullable,
      span,
    }
  }
}

/** The names of a window for a block that has one. */
export const groupWindowNames: WindowNames = {
  find(name) {
    const at = windowColumns[name.toLowerCase()]
    if (at === undefined) return undefined
    return {
      kind: 'column',
      index: WINDOW_BASE + at,
      name: windowColumnNames[at]!,
      type: types.timestamp,
      nullable: false,
    }
  },
}

/** True when an expression holds an aggregate or a window column. */
export const isGroupColumn = (expr: BoundExpr): boolean => expr.kind === 'column' && expr.index >= AGGREGATE_BASE

/** Rebuilds an expression with its direct children changed. */
export function mapChildren(expr: BoundExpr, change: (child: BoundExpr) => BoundExpr): BoundExpr {
  switch (expr.kind) {
    case 'literal':
    case 'column':
    case 'context':
      return expr
    case 'call':
    case 'and':
    case 'or':
    case 'coalesce':
      return { ...expr, args: expr.args.map(change) }
    case 'cast':
    case 'is-null':
    case 'field':
      return { ...expr, arg: change(expr.arg) }
    case 'case':
      return {
        ...expr,
        branches: expr.branches.map(({ when, result }) => ({ when: change(when), result: change(result) })),
        otherwise: expr.otherwise === undefined ? undefined : change(expr.otherwise),
      }
  }
}

/** Turns expressions over the input of a grouping into expressions over its output. */
export class GroupRewriter {
  readonly #keys: ReadonlyMap<string, number>
  readonly #windowAt: number
  readonly #aggregatesAt: number
  readonly #windowKeys: ReadonlyMap<number, number>

  /**
   * `keys`: the key expressions in order; `window`: whether the three window columns follow. `windowKeys`: input
   * columns that are columns of the window (`window_start` of a table form), with their place 0, 1, 2.
   */
  constructor(keys: readonly BoundExpr[], window: boolean, windowKeys: ReadonlyMap<number, number>) {
    this.#keys = new Map(keys.map((key, i) => [exprKey(key), i]))
    this.#windowAt = keys.length
    this.#aggregatesAt = keys.length + (window ? 3 : 0)
    this.#windowKeys = windowKeys
  }

  rewrite(expr: BoundExpr): BoundExpr {
    const key = this.#keys.get(exprKey(expr))
    if (key !== undefined) return columnAt(expr, key)
    if (expr.kind !== 'column') return mapChildren(expr, (child) => this.rewrite(child))
    if (expr.index >= WINDOW_BASE) return { ...expr, index: this.#windowAt + expr.index - WINDOW_BASE }
    if (expr.index >= AGGREGATE_BASE) return { ...expr, index: this.#aggregatesAt + expr.index - AGGREGATE_BASE }
    const place = this.#windowKeys.get(expr.index)
    if (place !== undefined) return { ...expr, index: this.#windowAt + place, nullable: false }
    return fault(
      'sql_column_not_grouped',
      `column "${expr.name}" is neither grouped nor aggregated`,
      expr.span ?? zero,
      {
        hint: `add it to GROUP BY, or take FIRST(${expr.name})`,
      },
    )
  }
}

const zero = { start: 0, end: 0 }

const columnAt = (expr: BoundExpr, index: number): BoundExpr => ({
  kind: 'column',
  index,
  name: outputName(expr) ?? `key${index + 1}`,
  type: expr.type,
  nullable: expr.nullable,
  span: expr.span,
})

/** The name that an expression gives its column; undefined when it has none of its own. */
export function outputName(expr: BoundExpr): string | undefined {
  switch (expr.kind) {
    case 'column':
      return expr.name
    case 'field':
      return expr.arg.type.kind === 'struct' ? expr.arg.type.fields[expr.index]!.name : undefined
    case 'cast':
      return outputName(expr.arg)
    case 'call':
      if (expr.overload.name === '->' && expr.args[1]?.kind === 'literal' && typeof expr.args[1].value === 'string') {
        return expr.args[1].value
      }
      return /^\w+$/.test(expr.overload.name) ? expr.overload.name.toLowerCase() : undefined
    case 'case':
      return 'case'
    case 'coalesce':
      return 'coalesce'
    case 'context':
      return expr.name
    default:
      return undefined
  }
}
