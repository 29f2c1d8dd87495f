import type { DataType } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { AggregateOverload } from './aggregates.ts'
import type { ScalarOverload } from './functions.ts'

/** Where an expression stands in the SQL text: UTF-16 offsets, end exclusive. Row errors name it. */
export interface Span {
  readonly start: number
  readonly end: number
}

interface BoundBase {
  readonly type: DataType
  /** False only when the value can never be NULL. */
  readonly nullable: boolean
  readonly span?: Span | undefined
}

/**
 * An expression whose names are column positions and whose functions and types are resolved. Arguments already have
 * the types that the overload wants: the binder has put casts around them.
 */
export type BoundExpr =
  | (BoundBase & { readonly kind: 'literal'; readonly value: Value })
  /** Column `index` of the input of the node that evaluates the expression. */
  | (BoundBase & { readonly kind: 'column'; readonly index: number; readonly name: string })
  | (BoundBase & { readonly kind: 'call'; readonly overload: ScalarOverload; readonly args: readonly BoundExpr[] })
  /** Three-valued; evaluates left to right and stops as soon as the answer is known. */
  | (BoundBase & { readonly kind: 'and' | 'or'; readonly args: readonly BoundExpr[] })
  /** Only the branch that is chosen is evaluated. `otherwise` absent: NULL. */
  | (BoundBase & {
      readonly kind: 'case'
      readonly branches: readonly { readonly when: BoundExpr; readonly result: BoundExpr }[]
      readonly otherwise: BoundExpr | undefined
    })
  /** First argument that is not NULL; later ones are not evaluated. */
  | (BoundBase & { readonly kind: 'coalesce'; readonly args: readonly BoundExpr[] })
  /** CAST (row error) or TRY_CAST (`safe`: NULL). */
  | (BoundBase & { readonly kind: 'cast'; readonly arg: BoundExpr; readonly safe: boolean })
  | (BoundBase & { readonly kind: 'is-null'; readonly arg: BoundExpr; readonly negated: boolean })
  /** Field `index` of a STRUCT. */
  | (BoundBase & { readonly kind: 'field'; readonly arg: BoundExpr; readonly index: number })
  /** The same for all rows of a batch: NOW() and its kin; read from the injected clock once per batch. */
  | (BoundBase & { readonly kind: 'context'; readonly name: ContextName })

/** `now`: TIMESTAMPTZ of the batch; `proctime`: TIMESTAMP of the batch; `current_date`: DATE of the batch. */
export type ContextName = 'now' | 'proctime' | 'current_date'

export type ExprKind = BoundExpr['kind']

export interface SortKey {
  readonly expr: BoundExpr
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** One aggregate call of a grouping; `args` are evaluated over the rows that go in. */
export interface BoundAggregate {
  readonly overload: AggregateOverload
  readonly args: readonly BoundExpr[]
  /** Constants: the separator of STRING_AGG, the share of PERCENTILE_CONT … */
  readonly parameters: readonly Value[]
  readonly distinct: boolean
  /** Rows for which it is not true are left out. */
  readonly filter: BoundExpr | undefined
  readonly orderBy: readonly SortKey[]
  readonly type: DataType
  readonly span?: Span | undefined
}

/** The expressions directly below, left to right. */
export function childrenOf(expr: BoundExpr): readonly BoundExpr[] {
  switch (expr.kind) {
    case 'literal':
    case 'column':
    case 'context':
      return []
    case 'call':
    case 'and':
    case 'or':
    case 'coalesce':
      return expr.args
    case 'cast':
    case 'is-null':
    case 'field':
      return [expr.arg]
    case 'case':
      return [
        ...expr.branches.flatMap((branch) => [branch.when, branch.result]),
        ...(expr.otherwise === undefined ? [] : [expr.otherwise]),
      ]
  }
}

/** Rebuilds an expression bottom-up; `change` returns its argument to leave a node as it is. */
export function mapExpr(expr: BoundExpr, change: (node: BoundExpr) => BoundExpr): BoundExpr {
  const go = (child: BoundExpr) => mapExpr(child, change)
  switch (expr.kind) {
    case 'literal':
    case 'column':
    case 'context':
      return change(expr)
    case 'call':
    case 'and':
    case 'or':
    case 'coalesce':
      return change({ ...expr, args: expr.args.map(go) })
    case 'cast':
    case 'is-null':
    case 'field':
      return change({ ...expr, arg: go(expr.arg) })
    case 'case':
      return change({
        ...expr,
        branches: expr.branches.map((branch) => ({ when: go(branch.when), result: go(branch.result) })),
        otherwise: expr.otherwise === undefined ? undefined : go(expr.otherwise),
      })
  }
}
