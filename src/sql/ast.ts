import type { DataType } from '../core/types.ts'
import type { Interval, Value } from '../core/values.ts'
import type { Span } from '../expr/bound.ts'

/** Every node is plain data with `kind` and `span` (UTF-16 offsets into the script, end exclusive). */
export interface Node {
  readonly span: Span
}

/** A name as written; `quoted` names match exactly. */
export interface Name extends Node {
  readonly kind: 'name'
  readonly text: string
  readonly quoted: boolean
}

export interface TypeNode extends Node {
  readonly kind: 'type'
  readonly type: DataType
}

// expressions

export type Expr =
  | LiteralExpr
  | ArrayExpr
  | MapExpr
  | RowExpr
  | ColumnExpr
  | FieldExpr
  | IndexExpr
  | WildcardExpr
  | ParameterExpr
  | UnaryExpr
  | BinaryExpr
  | IsExpr
  | BetweenExpr
  | InExpr
  | LikeExpr
  | QuantifiedExpr
  | CaseExpr
  | CastExpr
  | CallExpr
  | SubqueryExpr
  | ExistsExpr

export interface LiteralExpr extends Node {
  readonly kind: 'literal'
  /** `null` for a bare NULL. A `string` without `prefix` takes the type that its context needs. */
  readonly type: DataType
  readonly value: Value
}

export interface ArrayExpr extends Node {
  readonly kind: 'array'
  readonly items: readonly Expr[]
}

/** `MAP[k, v, …]`: keys and values alternate. */
export interface MapExpr extends Node {
  readonly kind: 'map'
  readonly items: readonly Expr[]
}

/** `(1, 'a')`. */
export interface RowExpr extends Node {
  readonly kind: 'row'
  readonly items: readonly Expr[]
}

/** `a`, `a.b.c`: which part is an input, a column or a field is the binder's business. */
export interface ColumnExpr extends Node {
  readonly kind: 'column'
  readonly parts: readonly Name[]
}

/** `.name` behind anything but a plain path. */
export interface FieldExpr extends Node {
  readonly kind: 'field'
  readonly operand: Expr
  readonly name: Name
}

/** `x[i]`. */
export interface IndexExpr extends Node {
  readonly kind: 'index'
  readonly operand: Expr
  readonly index: Expr
}

/** `x[*]` and `x.*` in the middle of a JSON path. */
export interface WildcardExpr extends Node {
  readonly kind: 'wildcard'
  readonly operand: Expr
}

export interface ParameterExpr extends Node {
  readonly kind: 'parameter'
  readonly name: string
}

export interface UnaryExpr extends Node {
  readonly kind: 'unary'
  readonly op: 'NOT' | '-' | '+' | '~'
  readonly operand: Expr
}

export interface BinaryExpr extends Node {
  readonly kind: 'binary'
  /** `AND`, `OR`, `AT TIME ZONE` or the operator symbol; `!=` is written `<>`. */
  readonly op: string
  readonly left: Expr
  readonly right: Expr
  /** Where the operator stands. */
  readonly opSpan: Span
}

export interface IsExpr extends Node {
  readonly kind: 'is'
  readonly operand: Expr
  readonly test: 'null' | 'true' | 'false' | 'unknown' | 'json' | 'distinct'
  /** The other side of IS DISTINCT FROM. */
  readonly other?: Expr | undefined
  readonly negated: boolean
}

export interface BetweenExpr extends Node {
  readonly kind: 'between'
  readonly operand: Expr
  readonly low: Expr
  readonly high: Expr
  readonly symmetric: boolean
  readonly negated: boolean
}

export interface InExpr extends Node {
  readonly kind: 'in'
  readonly operand: Expr
  readonly list: readonly Expr[] | Query
  readonly negated: boolean
}

export interface LikeExpr extends Node {
  readonly kind: 'like'
  readonly operand: Expr
  readonly pattern: Expr
  readonly escape?: Expr | undefined
  readonly insensitive: boolean
  readonly negated: boolean
}

/** `x = ANY (…)`. */
export interface QuantifiedExpr extends Node {
  readonly kind: 'quantified'
  readonly op: string
  readonly quantifier: 'any' | 'all'
  readonly operand: Expr
  readonly list: Query | Expr
}

export interface CaseExpr extends Node {
  readonly kind: 'case'
  readonly operand?: Expr | undefined
  readonly branches: readonly { readonly when: Expr; readonly result: Expr }[]
  readonly otherwise?: Expr | undefined
}

export interface CastExpr extends Node {
  readonly kind: 'cast'
  readonly operand: Expr
  readonly type: TypeNode
  /** TRY_CAST. */
  readonly safe: boolean
}

/**
 * A call. Special spellings are plain calls: `EXTRACT(f FROM t)` is EXTRACT('f', t), `POSITION(a IN b)` is
 * POSITION(a, b), `SUBSTRING(s FROM a FOR n)` is SUBSTRING(s, a, n), `TRIM(BOTH c FROM s)` is TRIM(s, c) or LTRIM,
 * RTRIM, `FLOOR(t TO unit)` is FLOOR(t, 'unit'), `JSON_OBJECT('k' VALUE v)` is JSON_OBJECT('k', v).
 */
export interface CallExpr extends Node {
  readonly kind: 'call'
  /** As written. */
  readonly name: Name
  readonly args: readonly Expr[]
  /** Names of the arguments of STRUCT(e AS a, …), by position. */
  readonly argNames?: readonly (Name | undefined)[] | undefined
  /** COUNT(*). */
  readonly star: boolean
  readonly distinct: boolean
  readonly orderBy: readonly OrderItem[]
  readonly withinGroup: readonly OrderItem[]
  readonly filter?: Expr | undefined
  readonly over?: OverClause | Name | undefined
}

export interface SubqueryExpr extends Node {
  readonly kind: 'subquery'
  readonly query: Query
}

export interface ExistsExpr extends Node {
  readonly kind: 'exists'
  readonly query: Query
}

export interface OrderItem extends Node {
  readonly kind: 'order-item'
  readonly expr: Expr
  readonly descending: boolean
  readonly nulls?: 'first' | 'last' | undefined
}

export interface OverClause extends Node {
  readonly kind: 'over'
  readonly base?: Name | undefined
  readonly partitionBy: readonly Expr[]
  readonly orderBy: readonly OrderItem[]
  readonly frame?: Frame | undefined
}

export interface Frame extends Node {
  readonly kind: 'frame'
  readonly unit: 'rows' | 'range'
  readonly start: FrameBound
  readonly end: FrameBound
}

export type FrameBound =
  | { readonly kind: 'unbounded-preceding' | 'current-row' | 'unbounded-following' }
  | { readonly kind: 'preceding' | 'following'; readonly distance: Expr }

/** A length of time where the grammar needs one: INTERVAL '5' MINUTE, 5 MINUTES or 5m. */
export interface Duration extends Node {
  readonly kind: 'duration'
  readonly interval: Interval
}

// queries

export interface Query extends Node {
  readonly kind: 'query'
  readonly recursive: boolean
  readonly ctes: readonly CommonTable[]
  readonly body: QueryBody
  readonly orderBy: readonly OrderItem[]
  readonly limit?: Expr | undefined
  readonly offset?: Expr | undefined
  readonly trailing: Trailing
}

export interface CommonTable extends Node {
  readonly kind: 'cte'
  readonly name: Name
  readonly columns: readonly Name[]
  readonly query: Query
}

export type QueryBody = Select | ValuesBody | TableBody | SetOperation | Query

export interface Select extends Node {
  readonly kind: 'select'
  readonly distinct: boolean
  readonly distinctOn: readonly Expr[]
  readonly items: readonly SelectItem[]
  readonly from: readonly FromItem[]
  readonly where?: Expr | undefined
  readonly groupBy: readonly Expr[]
  /** GROUP BY ALL. */
  readonly groupAll: boolean
  readonly having?: Expr | undefined
  readonly qualify?: Expr | undefined
  /** WINDOW name AS (…). */
  readonly namedWindows: readonly { readonly name: Name; readonly over: OverClause }[]
}

export interface ValuesBody extends Node {
  readonly kind: 'values'
  readonly rows: readonly RowExpr[]
}

export interface TableBody extends Node {
  readonly kind: 'table'
  readonly name: Name
}

export interface SetOperation extends Node {
  readonly kind: 'set-operation'
  readonly op: 'union' | 'intersect' | 'except'
  readonly all: boolean
  readonly left: QueryBody
  readonly right: QueryBody
}

export type SelectItem = StarItem | ExprItem

export interface StarItem extends Node {
  readonly kind: 'star'
  /** `x.*`; absent for a bare `*`. */
  readonly of?: ColumnExpr | undefined
  readonly except: readonly Name[]
  readonly replace: readonly { readonly expr: Expr; readonly name: Name }[]
}

export interface ExprItem extends Node {
  readonly kind: 'item'
  readonly expr: Expr
  readonly alias?: Name | undefined
  /** `expr PRIMARY KEY`. */
  readonly primaryKey: boolean
}

export type FromItem = NamedFrom | UriFrom | DerivedFrom | WindowTableFrom | UnnestFrom | FunctionFrom | JoinFrom

interface Aliased {
  readonly alias?: Name | undefined
  readonly columns: readonly Name[]
  /** FOR SYSTEM_TIME AS OF expr. */
  readonly asOf?: Expr | undefined
}

export interface NamedFrom extends Node, Aliased {
  readonly kind: 'from-name'
  readonly name: Name
}

/** `'uri'` or `scheme('…')`, which is `'scheme://…'`. */
export interface UriFrom extends Node, Aliased {
  readonly kind: 'from-uri'
  readonly uri: UriNode
}

export interface DerivedFrom extends Node, Aliased {
  readonly kind: 'from-query'
  readonly query: Query
  readonly lateral: boolean
}

/** TUMBLE(s, ts, size …) and TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), size …)). */
export interface WindowTableFrom extends Node, Aliased {
  readonly kind: 'from-window'
  readonly input: FromItem
  readonly window: WindowNode
}

export interface UnnestFrom extends Node, Aliased {
  readonly kind: 'from-unnest'
  readonly list: Expr
  readonly ordinality: boolean
}

export interface FunctionFrom extends Node, Aliased {
  readonly kind: 'from-function'
  readonly name: Name
  readonly args: readonly Expr[]
  readonly ordinality: boolean
}

export interface JoinFrom extends Node {
  readonly kind: 'join'
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross' | 'comma' | 'semi' | 'anti' | 'asof' | 'asof-left'
  readonly natural: boolean
  readonly left: FromItem
  readonly right: FromItem
  readonly on?: Expr | undefined
  readonly using: readonly Name[]
  /** WITHIN (before, after); WITHIN i gives two equal ones. */
  readonly within?: readonly [Duration, Duration] | undefined
  readonly tolerance?: Duration | undefined
}

/** A target or source named by URI; `span` covers the text of the literal. */
export interface UriNode extends Node {
  readonly kind: 'uri'
  readonly uri: string
}

export type WindowKind = 'tumble' | 'hop' | 'session' | 'cumulate'

/** A window of the table form or of the clause form; `time` absent: the event-time column. */
export interface WindowNode extends Node {
  readonly kind: 'window'
  readonly window: WindowKind
  readonly time?: Expr | undefined
  /** Size; hop: slide, size; session: gap, max; cumulate: step, max; then the offset, if any. */
  readonly sizes: readonly Expr[]
}

export type Target = Name | UriNode

export interface Trailing {
  readonly into: readonly Target[]
  readonly options: readonly OptionNode[]
  readonly emit?: EmitNode | undefined
  readonly window?: WindowNode | undefined
  readonly lateness?: Duration | undefined
  readonly late?: Target | undefined
  /** Where the clauses stand, for messages. */
  readonly spans: Readonly<Partial<Record<'into' | 'with' | 'emit' | 'window' | 'lateness' | 'late', Span>>>
}

export interface EmitNode extends Node {
  readonly kind: 'emit'
  readonly mode: 'changes' | 'final' | 'on-window-close' | 'after-watermark' | 'on-update' | 'every'
  readonly every?: Duration | undefined
}

export interface OptionNode extends Node {
  readonly kind: 'option'
  /** Dotted names joined with `.`. */
  readonly name: string
  readonly value: OptionLiteral
  readonly valueSpan: Span
}

/** Numbers and intervals keep their text. */
export type OptionLiteral = string | boolean | readonly OptionLiteral[]
