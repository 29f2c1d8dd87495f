import type { DataType } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { AggregateFunction } from '../../expr/aggregates.ts'
import type { BoundAggregate, BoundExpr, Span } from '../../expr/bound.ts'
import type { ScalarFunction } from '../../expr/functions.ts'
import type { Expr, Name } from '../ast.ts'
import type { Catalogue } from '../catalogue.ts'
import type { Reporter } from './failure.ts'
import type { Scope } from './scope.ts'

/** Functions by upper-case name or alias, operators by symbol. */
export interface Functions {
  readonly scalar: ReadonlyMap<string, ScalarFunction>
  readonly aggregate: ReadonlyMap<string, AggregateFunction>
  /** Those that stand in FROM; their result is an array of the rows. */
  readonly table: ReadonlyMap<string, ScalarFunction>
}

export interface Parameter {
  readonly type: DataType
  readonly value: Value
}

/** What holds for a whole script. */
export interface Environment {
  readonly text: string
  readonly catalogue: Catalogue
  readonly functions: Functions
  readonly parameters: ReadonlyMap<string, Parameter>
  readonly reporter: Reporter
  /** Settings given so far, by lower-case name; annotations of the file as `@name`. */
  readonly settings: Map<string, string>
  /** Values of the secrets made so far, by lower-case name. */
  readonly secrets: Map<string, string>
  /** Names of the catalogue functions that the script calls. */
  readonly functionsUsed: Set<string>
  /** Upper-case names of functions whose definition failed: calls fail without a word. */
  readonly brokenFunctions: Set<string>
}

/** Takes aggregate calls out of an expression; each becomes a placeholder that `GroupRewriter` resolves. */
export interface AggregateSink {
  add(aggregate: BoundAggregate): BoundExpr
}

/** The window columns of a grouping: `window_start` and its kin, TUMBLE_START() … */
export interface WindowNames {
  find(name: string): BoundExpr | undefined
}

/** Binds expressions of one clause. */
export interface Binder {
  readonly environment: Environment
  readonly scope: Scope
  /** Where the expression stands, for messages: `WHERE`, `GROUP BY`, `the SELECT list`. */
  readonly place: string
  /** Undefined where aggregates may not stand. */
  readonly aggregates: AggregateSink | undefined
  readonly windows: WindowNames | undefined
  /** An output column of that name, for clauses that may use aliases. */
  alias(name: Name): BoundExpr | undefined
  /** ORDER BY: an alias wins over a source column. */
  readonly aliasFirst: boolean
  bind(expr: Expr): BoundExpr
  /** The text of an expression as written. */
  textOf(span: Span): string
  /** The same clause without aggregates: the arguments of an aggregate. */
  inside(place: string): Binder
}
