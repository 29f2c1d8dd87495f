import type { DataType } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { BoundAggregate, BoundExpr, SortKey, Span } from '../../expr/bound.ts'
import type { EmitNode } from '../ast.ts'
import type { SinkInfo, SourceInfo } from '../catalogue.ts'
import type { SystemColumn } from '../system-columns.ts'

/** A column of a relation, by position. */
export interface RelationColumn {
  readonly name: string
  readonly type: DataType
  readonly nullable: boolean
  /** Not part of `*`, and dropped where rows leave the query: system columns, the event time behind a projection. */
  readonly hidden: boolean
  /** The source column that it is, unchanged, for windows over sources that declare no time. */
  readonly origin?: { readonly watermark: WatermarkRelation; readonly column: number } | undefined
  /** Set on `window_start` and its kin. */
  readonly window?: WindowMark | undefined
}

export interface WindowMark {
  readonly role: 'start' | 'end' | 'time'
  readonly clock: 'event' | 'processing'
  readonly sizeMicros: number
  readonly offsetMicros: number
}

interface RelationBase {
  readonly columns: readonly RelationColumn[]
  /** How messages name it: `stream "clicks"`. */
  readonly label: string
  /** A derived stream: its definition alone says when its results come. */
  readonly boundary?: boolean | undefined
}

/** Physical columns, then all system columns the source has (hidden). */
export interface SourceRelation extends RelationBase {
  readonly kind: 'source'
  readonly name: string
  readonly info: SourceInfo
  /** Names of the NOT NULL columns. */
  readonly required: ReadonlySet<string>
  readonly systemColumns: readonly SystemColumn[]
}

export interface ValuesRelation extends RelationBase {
  readonly kind: 'values'
  readonly rows: readonly (readonly Value[])[]
}

/** Names the event time. A source that declares none has one whose `time` the first window over it sets. */
export interface WatermarkRelation extends RelationBase {
  readonly kind: 'watermark'
  readonly input: Relation
  readonly declared: boolean
  time: { readonly column: number; readonly delayMicros: number; readonly expr: BoundExpr | undefined } | undefined
  /** Delay for a time that a window finds. */
  readonly defaultDelayMicros: number
}

export interface FilterRelation extends RelationBase {
  readonly kind: 'filter'
  readonly input: Relation
  readonly predicate: BoundExpr
}

export interface ProjectRelation extends RelationBase {
  readonly kind: 'project'
  readonly input: Relation
  readonly outputs: readonly BoundExpr[]
}

export interface CheckRelation extends RelationBase {
  readonly kind: 'check'
  readonly input: Relation
  readonly checks: readonly {
    readonly expr: BoundExpr
    readonly code: 'row_check_violated' | 'row_not_null_violated'
    readonly text: string
  }[]
}

/** A tumbling window as written; `time` is over the input of the grouping. */
export interface WindowSpec {
  readonly clock: 'event' | 'processing'
  readonly time: BoundExpr
  readonly sizeMicros: number
  readonly offsetMicros: number
  readonly span: Span
}

/** Columns: keys, the three window columns if there is a window, aggregates. */
export interface AggregateRelation extends RelationBase {
  readonly kind: 'aggregate'
  readonly input: Relation
  readonly keys: readonly BoundExpr[]
  readonly window: WindowSpec | undefined
  readonly aggregates: readonly BoundAggregate[]
  /** `GROUP BY user`, for messages. */
  readonly text: string
  readonly span: Span
  readonly emission: EmissionClauses
}

/** What a query says about when results come; an EMIT of an outer query is added by the planner. */
export interface EmissionClauses {
  readonly emit: EmitNode | undefined
  readonly latenessMicros: number | undefined
  readonly late: Sink | 'dlq' | undefined
}

export interface DistinctRelation extends RelationBase {
  readonly kind: 'distinct'
  readonly input: Relation
  readonly span: Span
}

export interface UnionRelation extends RelationBase {
  readonly kind: 'union'
  readonly inputs: readonly Relation[]
}

export interface UnnestRelation extends RelationBase {
  readonly kind: 'unnest'
  readonly input: Relation
  readonly list: BoundExpr
  readonly spread: boolean
  readonly ordinality: boolean
  readonly outer: boolean
}

/** ORDER BY with its LIMIT, or LIMIT alone (`keys` empty). */
export interface OrderRelation extends RelationBase {
  readonly kind: 'order'
  readonly input: Relation
  readonly keys: readonly SortKey[]
  readonly limit: number | undefined
  readonly offset: number
  readonly emit: EmitNode | undefined
  readonly span: Span
}

export type Relation =
  | SourceRelation
  | ValuesRelation
  | WatermarkRelation
  | FilterRelation
  | ProjectRelation
  | CheckRelation
  | AggregateRelation
  | DistinctRelation
  | UnionRelation
  | UnnestRelation
  | OrderRelation

export interface Sink {
  readonly name: string
  readonly info: SinkInfo
  readonly span: Span
}

export const inputsOfRelation = (relation: Relation): readonly Relation[] => {
  if (relation.kind === 'source' || relation.kind === 'values') return []
  return relation.kind === 'union' ? relation.inputs : [relation.input]
}

/** Position of the event-time column, if the rows have one. */
export function timeColumn(relation: Relation): number | undefined {
  switch (relation.kind) {
    case 'source':
    case 'values':
      return undefined
    case 'watermark':
      return relation.time?.column ?? timeColumn(relation.input)
    case 'project': {
      const time = timeColumn(relation.input)
      const at = relation.outputs.findLastIndex((output) => output.kind === 'column' && output.index === time)
      return time === undefined || at < 0 ? undefined : at
    }
    case 'aggregate': {
      const at = relation.columns.findIndex((column, i) => column.window?.role === 'time' && i >= relation.keys.length)
      return at < 0 || relation.window?.clock !== 'event' ? undefined : at
    }
    case 'union': {
      const times = relation.inputs.map(timeColumn)
      return times.every((time) => time === times[0]) ? times[0] : undefined
    }
    default:
      return timeColumn(relation.input)
  }
}

/** True for every column that holds the event time, copies of it too. */
export function isTimeColumn(relation: Relation, index: number): boolean {
  if (index === timeColumn(relation)) return true
  switch (relation.kind) {
    case 'source':
    case 'values':
    case 'watermark':
    case 'aggregate':
      return false
    case 'project': {
      const output = relation.outputs[index]!
      return output.kind === 'column' && isTimeColumn(relation.input, output.index)
    }
    case 'union':
      return timeColumn(relation) !== undefined && relation.inputs.every((input) => isTimeColumn(input, index))
    default:
      return index < relation.input.columns.length && isTimeColumn(relation.input, index)
  }
}

/** Columns that `*` stands for. */
export const visible = (columns: readonly RelationColumn[]): readonly RelationColumn[] =>
  columns.filter((column) => !column.hidden)
