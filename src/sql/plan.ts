import { shortHash } from '../core/short-hash.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { BoundAggregate, BoundExpr, SortKey } from '../expr/bound.ts'
import type { SinkInfo, SourceInfo } from './catalogue.ts'
import type { SystemColumn } from './system-columns.ts'

/** What streaming analysis says of a node's output; empty facts until that stage has run. */
export interface Traits {
  readonly bounded: boolean
  readonly changes: 'append' | 'upsert' | 'retract'
  /** Columns that identify one live row; empty when there is no key. */
  readonly key: readonly number[]
  /** `window_start` and `window_end` among the key columns: each follows from the other, so one of them is enough. */
  readonly window?: { readonly start: number; readonly end: number } | undefined
  /** The column that is the event time of the rows, if they have one. */
  readonly eventTime: number | undefined
  /** Microseconds that the watermark behind this node stays back (rulings 24). */
  readonly holdMicros: number
}

interface NodeBase {
  /** Stable across edits elsewhere in the script; unique in the plan. */
  readonly id: string
  readonly schema: Schema
  readonly traits: Traits
}

/** One column that a source has to deliver. */
export interface SourceColumn {
  readonly name: string
  /** Where it lies: `[column]`, or `[column, field, …]` when only a nested field is read. */
  readonly path: readonly string[]
  /** NOT NULL. */
  readonly required: boolean
}

/** Reads a source: the wanted columns in order, then the wanted system columns. */
export interface SourceNode extends NodeBase {
  readonly kind: 'source'
  readonly name: string
  readonly info: SourceInfo
  readonly columns: readonly SourceColumn[]
  readonly systemColumns: readonly SystemColumn[]
}

/** The rows of VALUES; bounded. */
export interface ValuesNode extends NodeBase {
  readonly kind: 'values'
  readonly rows: readonly (readonly Value[])[]
}

/**
 * Assigns the event time and the watermark: column `column` is the time; W of a split is the running maximum of
 * `column − delayMicros`, or of `expr` (TIMESTAMP, NULL leaves W) when it is not of that form. Rows whose time is NULL
 * fail with `row_null_event_time`.
 */
export interface WatermarkNode extends NodeBase {
  readonly kind: 'watermark'
  readonly input: PlanNode
  readonly column: number
  readonly delayMicros: number
  readonly expr: BoundExpr | undefined
  /** Rows further ahead of the clock fail with `row_future_timestamp`; undefined: none do. */
  readonly futureMicros: number | undefined
}

export interface FilterNode extends NodeBase {
  readonly kind: 'filter'
  readonly input: PlanNode
  readonly predicate: BoundExpr
}

export interface ProjectNode extends NodeBase {
  readonly kind: 'project'
  readonly input: PlanNode
  /** One per field of the schema. */
  readonly outputs: readonly BoundExpr[]
}

/** CHECK and NOT NULL of a declared column: a row that violates one is a row error. */
export interface CheckNode extends NodeBase {
  readonly kind: 'check'
  readonly input: PlanNode
  readonly checks: readonly {
    readonly expr: BoundExpr
    readonly code: 'row_check_violated' | 'row_not_null_violated'
    readonly text: string
  }[]
}

export interface TumbleWindow {
  readonly kind: 'tumble'
  /** `event`: the input's event-time column; `processing`: the injected clock. */
  readonly clock: 'event' | 'processing'
  /** The time of a row, TIMESTAMP. */
  readonly time: BoundExpr
  readonly sizeMicros: number
  readonly offsetMicros: number
}

/** When a grouping gives its results (sql.md §7). */
export type Emission =
  /** Every change at once: `+I`, then `-U +U`, `-D`. */
  | 'changes'
  /** Once per window and key, when W ≥ window_end + lateness. */
  | 'close'
  /** Once, at the end of the bounded input. */
  | 'end'
  /** Like changes without the old image. */
  | 'update'

/**
 * GROUP BY. Output columns: the keys, then for a window `window_start`, `window_end`, `window_time` (TIMESTAMP), then
 * the aggregates. Without keys and window there is one group.
 */
export interface AggregateNode extends NodeBase {
  readonly kind: 'aggregate'
  readonly input: PlanNode
  readonly keys: readonly BoundExpr[]
  readonly window: TumbleWindow | undefined
  readonly aggregates: readonly BoundAggregate[]
  readonly emission: Emission
  readonly latenessMicros: number
  /**
   * LATE DATA TO: input columns, then `_late_by` INTERVAL, `_watermark`, `_window_start`, `_window_end` TIMESTAMP go to
   * this sink, or to the dead letters, once per missed window.
   */
  readonly late: SinkTarget | 'dlq' | undefined
}

/** SELECT DISTINCT: each distinct row once (append input). */
export interface DistinctNode extends NodeBase {
  readonly kind: 'distinct'
  readonly input: PlanNode
}

/** Concatenation; the watermark is the least of the inputs. */
export interface UnionNode extends NodeBase {
  readonly kind: 'union'
  readonly inputs: readonly PlanNode[]
}

/** One output row per element of `list`: the input's columns, the element's columns, then the ordinality (BIGINT). */
export interface UnnestNode extends NodeBase {
  readonly kind: 'unnest'
  readonly input: PlanNode
  /** ARRAY, MAP (key, value) or JSON array. */
  readonly list: BoundExpr
  /** An element that is a STRUCT gives its fields as columns. */
  readonly spread: boolean
  readonly ordinality: boolean
  /** LEFT JOIN: an input row without elements gives one row of NULLs. */
  readonly outer: boolean
}

/**
 * ORDER BY. `end`: all rows at the end of bounded input; `event-time`: rows leave as the watermark passes them;
 * `window`: sorted inside each window result (between two watermarks); `top`: the first `limit` rows as a changelog.
 */
export interface SortNode extends NodeBase {
  readonly kind: 'sort'
  readonly input: PlanNode
  readonly keys: readonly SortKey[]
  readonly mode: 'end' | 'event-time' | 'window' | 'top'
  readonly limit: number | undefined
  readonly offset: number
}

/** LIMIT and OFFSET without ORDER BY: ends the query after `limit` rows. */
export interface LimitNode extends NodeBase {
  readonly kind: 'limit'
  readonly input: PlanNode
  readonly limit: number | undefined
  readonly offset: number
}

export type PlanNode =
  | SourceNode
  | ValuesNode
  | WatermarkNode
  | FilterNode
  | ProjectNode
  | CheckNode
  | AggregateNode
  | DistinctNode
  | UnionNode
  | UnnestNode
  | SortNode
  | LimitNode

/** A node before its traits and its id are known. */
export type NodeDraft = PlanNode extends infer N ? (N extends NodeBase ? Omit<N, 'id' | 'traits'> : never) : never

export type PlanKind = PlanNode['kind']
export type PlanOf<K extends PlanKind> = Extract<PlanNode, { kind: K }>

export interface SinkTarget {
  readonly name: string
  readonly info: SinkInfo
}

/** One query and where its rows go; all targets get every row. */
export interface Output {
  readonly root: PlanNode
  readonly targets: readonly (SinkTarget | 'client')[]
  /** Output columns that are the key for upsert targets. */
  readonly key: readonly number[]
  /** EMIT ON UPDATE: `-U` rows are left out. */
  readonly oldImages: boolean
}

/** One script is one pipeline (rulings 1). Nodes that are shared (derived streams, equal scans) are one object. */
export interface ScriptPlan {
  readonly name: string | undefined
  readonly outputs: readonly Output[]
  /** `SET` and annotation values that the job reads: `on_expr_error`, `dlq.location`, `late_data` … */
  readonly settings: ReadonlyMap<string, string>
  /** EXPLAIN, VALUES-less DDL and other statements that only print. */
  readonly texts: readonly string[]
}

export const inputsOf = (node: PlanNode): readonly PlanNode[] => {
  if (node.kind === 'source' || node.kind === 'values') return []
  return node.kind === 'union' ? node.inputs : [node.input]
}

/** Two scripts with the same hash read, compute and write the same, whatever their text. */
export const outputsHash = (outputs: readonly Output[], sinks: readonly string[]): string =>
  [outputs.map((output) => `${output.root.id} ${output.oldImages}`), sinks]
    .map((part) => shortHash(part.join()))
    .join('')
