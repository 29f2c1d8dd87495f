import type { Span } from '../expr/bound.ts'
import type { Expr, Name, Node, OptionLiteral, OptionNode, Query, Target, TypeNode, UriNode } from './ast.ts'
import type { Annotation } from './tokens.ts'

export type StatementBody =
  | QueryStatement
  | CreateStream
  | CreateTable
  | CreateView
  | CreateSink
  | CreateLookup
  | CreateSecret
  | CreateFunction
  | Insert
  | Update
  | Delete
  | Drop
  | JobStatement
  | Show
  | Describe
  | Explain
  | SetOption

/** One statement of a script; `span` runs from its first to its last token. */
export interface Statement extends Node {
  readonly kind: 'statement'
  readonly body: StatementBody
  /** Annotations directly above the statement. */
  readonly annotations: readonly Annotation[]
}

export interface QueryStatement extends Node {
  readonly kind: 'select-statement'
  readonly query: Query
}

interface CreateBase extends Node {
  readonly orReplace: boolean
  readonly ifNotExists: boolean
  readonly name: Name
}

export interface CreateStream extends CreateBase {
  readonly kind: 'create-stream'
  readonly columns?: TableElements | undefined
  readonly from?: UriNode | undefined
  readonly query?: Query | undefined
  readonly options: readonly OptionNode[]
}

export interface CreateTable extends CreateBase {
  readonly kind: 'create-table'
  readonly columns?: TableElements | undefined
  readonly from?: UriNode | undefined
  readonly query?: Query | undefined
  readonly options: readonly OptionNode[]
}

export interface CreateView extends CreateBase {
  readonly kind: 'create-view'
  readonly materialized: boolean
  readonly columns: readonly Name[]
  readonly query: Query
}

export interface CreateSink extends CreateBase {
  readonly kind: 'create-sink'
  readonly from?: Name | undefined
  readonly query?: Query | undefined
  readonly targets: readonly Target[]
  readonly options: readonly OptionNode[]
}

export interface CreateLookup extends CreateBase {
  readonly kind: 'create-lookup'
  readonly columns?: TableElements | undefined
  readonly from: UriNode
  readonly primaryKey: readonly Name[]
  readonly options: readonly OptionNode[]
}

export interface CreateSecret extends CreateBase {
  readonly kind: 'create-secret'
  readonly source: 'env' | 'file' | 'value'
  /** Name of the variable or path of the file; never the value of a secret, which stands at `valueSpan` of the text. */
  readonly from: string
  readonly valueSpan: Span
}

export interface CreateFunction extends CreateBase {
  readonly kind: 'create-function'
  readonly form: 'scalar' | 'aggregate' | 'table'
  readonly parameters?: readonly { readonly name: Name; readonly type: TypeNode }[] | undefined
  readonly returns?: TypeNode | undefined
  readonly path: string
  readonly export?: string | undefined
  readonly options: readonly OptionNode[]
}

export interface TableElements extends Node {
  readonly kind: 'table-elements'
  readonly columns: readonly ColumnNode[]
  readonly primaryKey: readonly Name[]
  readonly watermark?: WatermarkElement | undefined
  readonly checks: readonly Expr[]
}

export interface ColumnNode extends Node {
  readonly kind: 'column-definition'
  readonly name: Name
  readonly type?: TypeNode | undefined
  readonly notNull: boolean
  readonly primaryKey: boolean
  readonly default?: Expr | undefined
  /** `c AS expr`. */
  readonly computed?: Expr | undefined
  /** `METADATA [FROM '_offset']`: the system column; the column's own name when not given. */
  readonly metadata?: { readonly from?: string | undefined; readonly span: Span } | undefined
  readonly checks: readonly Expr[]
}

export interface WatermarkElement extends Node {
  readonly kind: 'watermark'
  readonly column: Name
  readonly expr?: Expr | undefined
}

export interface Insert extends Node {
  readonly kind: 'insert'
  readonly target: Target
  readonly columns: readonly Name[]
  readonly query: Query
}

export interface Update extends Node {
  readonly kind: 'update'
  readonly table: Name
  readonly sets: readonly { readonly column: Name; readonly expr: Expr }[]
  readonly where?: Expr | undefined
}

export interface Delete extends Node {
  readonly kind: 'delete'
  readonly table: Name
  readonly where?: Expr | undefined
}

export interface Drop extends Node {
  readonly kind: 'drop'
  readonly object: string
  readonly ifExists: boolean
  readonly name: Name
  readonly cascade: boolean
}

export interface JobStatement extends Node {
  readonly kind: 'job'
  readonly action: 'start' | 'stop' | 'pause' | 'resume' | 'checkpoint'
  readonly name: Name
  readonly statement?: Statement | undefined
  /** START: `latest`, a name, a number or `beginning`; STOP: `force` or the name of a checkpoint; CHECKPOINT: AS. */
  readonly detail?: string | undefined
  readonly options: readonly OptionNode[]
}

export interface Show extends Node {
  readonly kind: 'show'
  /** `STREAMS`, `CREATE STREAM`, `JOB STATUS`, or `OPTION` for SHOW k. */
  readonly what: string
  readonly name?: string | undefined
  readonly like?: string | undefined
  readonly json: boolean
}

export interface Describe extends Node {
  readonly kind: 'describe'
  readonly extended: boolean
  readonly name: Target
}

export type ExplainStage = 'tokens' | 'ast' | 'bound' | 'plan' | 'optimized' | 'streaming' | 'delivery' | 'graph'

export interface Explain extends Node {
  readonly kind: 'explain'
  readonly stage: ExplainStage
  readonly format: 'text' | 'json' | 'mermaid'
  readonly analyze: boolean
  readonly statement: Statement
}

/** SET k = v; `value` absent: RESET k. */
export interface SetOption extends Node {
  readonly kind: 'set'
  readonly name: string
  readonly value?: OptionLiteral | undefined
}
