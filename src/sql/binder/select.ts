import type { BoundExpr, SortKey, Span } from '../../expr/bound.ts'
import type { OrderItem, Select, WindowNode } from '../ast.ts'
import { exprKey } from '../expr-text.ts'
import type { Binder, Environment } from './context.ts'
import { clauseBinder } from './expressions.ts'
import { fault, silent, unsupported } from './failure.ts'
import { type BoundFrom, bindFrom, type SourceOptions } from './from.ts'
import { GroupCollector, groupWindowNames } from './grouping.ts'
import { bindGroups, type Groups } from './groups.ts'
import { condition } from './operators.ts'
import type {
  AggregateRelation,
  EmissionClauses,
  FilterRelation,
  ProjectRelation,
  Relation,
  RelationColumn,
} from './relation.ts'
import { timeColumn } from './relation.ts'
import type { Scope } from './scope.ts'
import type { QueryContext } from './script-scope.ts'
import { aliasIn, bindItems, type Item, ordinalItem } from './select-items.ts'
import { mayBeNull } from './settings.ts'

/** What the query around a SELECT block says about it. */
export interface SelectClauses {
  readonly window: WindowNode | undefined
  readonly emission: EmissionClauses
  /** Where ALLOW LATENESS or LATE DATA TO stands. */
  readonly lateSpan: Span | undefined
  readonly orderBy: readonly OrderItem[]
  readonly sourceOptions: SourceOptions
}

export interface BoundSelect {
  readonly relation: Relation
  readonly primaryKey: readonly number[]
  /** ORDER BY over the columns of `relation`. */
  readonly orderKeys: readonly SortKey[]
}

export async function bindSelect(select: Select, clauses: SelectClauses, context: QueryContext): Promise<BoundSelect> {
  refuseLater(select)
  const from = await bindFrom(select, clauses.sourceOptions, context)
  return new Block(select, clauses, from, context).bind()
}

function refuseLater(select: Select): void {
  if (select.qualify !== undefined) unsupported('QUALIFY', select.qualify.span)
  if (select.distinctOn.length > 0) unsupported('DISTINCT ON', select.distinctOn[0]!.span)
  if (select.namedWindows.length > 0) unsupported('WINDOW … AS (…)', select.namedWindows[0]!.over.span)
  if (select.groupAll) unsupported('GROUP BY ALL', select.span, 'list the columns')
}

class Block {
  readonly #select: Select
  readonly #clauses: SelectClauses
  readonly #context: QueryContext
  readonly #scope: Scope
  readonly #collector = new GroupCollector()
  readonly #hasWindow: boolean
  #relation: Relation

  constructor(select: Select, clauses: SelectClauses, from: BoundFrom, context: QueryContext) {
    this.#select = select
    this.#clauses = clauses
    this.#context = context
    const time = timeColumn(from.relation)
    this.#scope = {
      inputs: from.inputs,
      time: time === undefined ? undefined : { column: from.relation.columns[time]!, index: time },
    }
    this.#relation = from.relation
    this.#hasWindow = clauses.window !== undefined || select.groupBy.some(isWindowCall)
  }

  bind(): BoundSelect {
    const { reporter } = this.#context.environment
    this.#where()
    const items = bindItems(this.#select.items, (before) => this.#binder('the SELECT list', before))
    const having = this.#having(items)
    const groups = reporter.attempt(() => this.#groups(items))
    const order = this.#select.distinct ? undefined : this.#orderKeys(items)
    if (groups === undefined || items.some((item) => item.expr === undefined)) silent()
    if (groups !== 'none') this.#relation = this.#aggregate(groups)
    else if (this.#clauses.lateSpan !== undefined) lateUnused(this.#clauses.lateSpan)
    const rewrite = (expr: BoundExpr): BoundExpr | undefined =>
      groups === 'none' ? expr : reporter.attempt(() => groups.rewriter.rewrite(expr))
    const outputs = items.map((item) => rewrite(item.expr!))
    const keys = (order ?? []).map((key) => ({ key, expr: rewrite(key.expr) }))
    const filter = having === undefined ? undefined : rewrite(having)
    if ([...outputs, ...keys.map((key) => key.expr)].includes(undefined)) silent()
    if (filter !== undefined) this.#filter(filter)
    return this.#project(
      items,
      outputs as BoundExpr[],
      keys.map(({ key, expr }) => ({ ...key, expr: expr! })),
    )
  }

  #binder(place: string, items: readonly Item[], options: { aggregates?: boolean; aliasFirst?: boolean } = {}): Binder {
    return clauseBinder({
      environment: this.#context.environment,
      scope: this.#scope,
      place,
      aggregates: options.aggregates === false ? undefined : this.#collector,
      windows: this.#hasWindow && place !== 'GROUP BY' && place !== 'WHERE' ? groupWindowNames : undefined,
      alias: (name) => aliasIn(items, name),
      aliasFirst: options.aliasFirst,
    })
  }

  #where(): void {
    const { where } = this.#select
    if (where === undefined) return
    const binder = this.#binder('WHERE', [], { aggregates: false })
    const predicate = this.#context.environment.reporter.attempt(() => condition(where, binder))
    if (predicate !== undefined) this.#filter(predicate)
  }

  #filter(predicate: BoundExpr): void {
    const input = this.#relation
    const filter: FilterRelation = { kind: 'filter', input, predicate, columns: input.columns, label: input.label }
    this.#relation = filter
  }

  #having(items: readonly Item[]): BoundExpr | undefined {
    const { having } = this.#select
    if (having === undefined) return undefined
    return this.#context.environment.reporter.attempt(() => condition(having, this.#binder('HAVING', items)))
  }

  /** The grouping of the block, or `none` for a plain projection. */
  #groups(items: readonly Item[]): Groups | 'none' {
    const { select, window } = { select: this.#select, window: this.#clauses.window }
    const grouped = select.groupBy.length > 0 || window !== undefined || select.having !== undefined
    if (!grouped && this.#collector.aggregates.length === 0) return 'none'
    const binder = this.#binder('GROUP BY', items, { aggregates: false })
    return bindGroups(select.groupBy, window, items, this.#relation, binder)
  }

  #aggregate(groups: Groups): AggregateRelation {
    const { emission, lateSpan } = this.#clauses
    if (groups.window?.clock !== 'event' && lateSpan !== undefined) lateUnused(lateSpan)
    const aggregates = this.#collector.aggregates
    const columns: RelationColumn[] = [
      ...groups.keyColumns,
      ...groups.windowColumns,
      ...aggregates.map(({ overload, type }) => ({
        name: overload.name.toLowerCase(),
        type,
        nullable: overload.nullable,
        hidden: false,
      })),
    ]
    return {
      kind: 'aggregate',
      input: this.#relation,
      keys: groups.keys,
      window: groups.window,
      aggregates,
      text: groups.text,
      span: groups.span ?? this.#select.span,
      emission,
      columns,
      label: 'the grouping',
    }
  }

  /** ORDER BY over the input of the grouping; an output column stays a reference to its item. */
  #orderKeys(items: readonly Item[]): SortKey[] {
    const { reporter } = this.#context.environment
    const binder = this.#binder('ORDER BY', items, { aliasFirst: true })
    const keys: SortKey[] = []
    for (const written of this.#clauses.orderBy) {
      const expr = reporter.attempt(
        () => ordinalItem(written.expr, items, 'ORDER BY')?.expr ?? binder.bind(written.expr),
      )
      if (expr === undefined) continue
      const nullsFirst = written.nulls === undefined ? written.descending : written.nulls === 'first'
      keys.push({ expr, descending: written.descending, nullsFirst })
    }
    return keys
  }

  #project(items: readonly Item[], outputs: BoundExpr[], order: readonly SortKey[]): BoundSelect {
    const input = this.#relation
    const { environment } = this.#context
    const columns: RelationColumn[] = items.map((item, i) => outputColumn(item, outputs[i]!, input, environment))
    const orderKeys = order.map((key): SortKey => {
      const wanted = exprKey(key.expr)
      let at = outputs.findIndex((output) => exprKey(output) === wanted)
      if (at < 0) {
        at = outputs.push(key.expr) - 1
        columns.push({ ...columnOf(key.expr, input, environment), name: `_order${at + 1}`, hidden: true })
      }
      const { name, type, nullable } = columns[at]!
      return { ...key, expr: { kind: 'column', index: at, name, type, nullable, span: key.expr.span } }
    })
    if (!this.#select.distinct) keepTime(input, outputs, columns)
    const project: ProjectRelation = { kind: 'project', input, outputs, columns, label: 'the query' }
    const primaryKey = items.flatMap((item, i) => (item.primaryKey ? [i] : []))
    const timed = this.#eventTime(project, items)
    const relation: Relation = this.#select.distinct
      ? { kind: 'distinct', input: timed, span: this.#select.span, columns: timed.columns, label: 'the query' }
      : timed
    return { relation, primaryKey, orderKeys }
  }

  /** `expr AS _EVENT_TIME` names the time of the rows that leave. */
  #eventTime(project: ProjectRelation, items: readonly Item[]): Relation {
    const column = items.findIndex((item) => item.eventTime)
    if (column < 0) return project
    const type = project.columns[column]!.type
    if (type.kind !== 'timestamp' && type.kind !== 'timestamptz') {
      fault(
        'sql_type_mismatch',
        `_EVENT_TIME must be a TIMESTAMP, not ${type.kind.toUpperCase()}`,
        items[column]!.span,
        {
          hint: 'write CAST(… AS TIMESTAMP) AS _EVENT_TIME',
        },
      )
    }
    const time = { column, delayMicros: DEFAULT_DELAY_MICROS, expr: undefined }
    const { columns, label } = project
    return {
      kind: 'watermark',
      input: project,
      declared: true,
      time,
      defaultDelayMicros: DEFAULT_DELAY_MICROS,
      columns,
      label,
    }
  }
}

/** `watermark_delay` where no source says otherwise (sql.md §8). */
const DEFAULT_DELAY_MICROS = 5_000_000

const isWindowCall = (expr: Select['groupBy'][number]): boolean =>
  expr.kind === 'call' && /^(TUMBLE|HOP|SESSION|CUMULATE)$/i.test(expr.name.text)

const lateUnused = (span: Span): never =>
  fault('sql_late_clause_unused', 'nothing can be late here: there is no window over event time', span, {
    hint: 'remove the clause, or add a window over an event-time column',
  })

/** A column that passes an input column on keeps what is known of it. */
function columnOf(expr: BoundExpr, input: Relation, environment: Environment): RelationColumn {
  const source = expr.kind === 'column' ? input.columns[expr.index] : undefined
  const { name = '', origin, window } = source ?? {}
  return { name, type: expr.type, nullable: mayBeNull(expr, environment), hidden: false, origin, window }
}

const outputColumn = (item: Item, expr: BoundExpr, input: Relation, environment: Environment): RelationColumn => ({
  ...columnOf(expr, input, environment),
  name: item.name,
  hidden: item.eventTime,
})

/** The event time of the rows goes along, hidden, when the SELECT list leaves it out. */
function keepTime(input: Relation, outputs: BoundExpr[], columns: RelationColumn[]): void {
  const time = timeColumn(input)
  if (time === undefined) return
  if (outputs.some((output) => output.kind === 'column' && output.index === time)) return
  const column = input.columns[time]!
  outputs.push({ kind: 'column', index: time, name: column.name, type: column.type, nullable: column.nullable })
  columns.push({ ...column, name: '_event_time', hidden: true })
}
