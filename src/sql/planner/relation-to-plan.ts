import type { Schema } from '../../core/types.ts'
import { type BoundAggregate, type BoundExpr, childrenOf, mapExpr } from '../../expr/bound.ts'
import type { EmitNode } from '../ast.ts'
import type { Environment } from '../binder/context.ts'
import { fault, unsupported } from '../binder/failure.ts'
import type {
  AggregateRelation,
  DistinctRelation,
  OrderRelation,
  Relation,
  SourceRelation,
  WindowSpec,
} from '../binder/relation.ts'
import { inputsOfRelation, isTimeColumn } from '../binder/relation.ts'
import { type Emission, inputsOf, type PlanNode, type SortNode, type TumbleWindow } from '../plan.ts'
import { columnsRead } from '../rules/access.ts'
import { makeNode } from './node.ts'

type RelationOf<K extends Relation['kind']> = Extract<Relation, { kind: K }>

const schemaOf = (relation: Relation): Schema => ({
  fields: relation.columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
})

/**
 * Turns bound queries into plan nodes and decides when results come. Relations that are one object become one node.
 */
export class Planner {
  readonly #environment: Environment
  readonly #known = new Map<Relation, Map<string, PlanNode>>()

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** `outer`: the EMIT of an enclosing query, for groupings without one of their own. */
  plan(relation: Relation, outer: EmitNode | undefined): PlanNode {
    const inherited = relation.boundary === true || !hasOpenGrouping(relation) ? undefined : outer
    const mode = inherited?.mode ?? ''
    let byMode = this.#known.get(relation)
    if (byMode === undefined) this.#known.set(relation, (byMode = new Map()))
    let node = byMode.get(mode)
    if (node === undefined) byMode.set(mode, (node = this.#build(relation, inherited)))
    return node
  }

  #build(relation: Relation, outer: EmitNode | undefined): PlanNode {
    const schema = schemaOf(relation)
    const input = (): PlanNode => this.plan((relation as RelationOf<'filter'>).input, outer)
    switch (relation.kind) {
      case 'source':
        return sourceNode(relation, schema)
      case 'values':
        return makeNode({ kind: 'values', rows: relation.rows, schema })
      case 'watermark': {
        const { time } = relation
        if (time === undefined) return input()
        const below = input()
        return makeNode({ kind: 'watermark', input: below, ...time, futureMicros: futureGuard(below), schema })
      }
      case 'filter': {
        const below = input()
        refuseVolatile([relation.predicate], below)
        return makeNode({ kind: 'filter', input: below, predicate: relation.predicate, schema })
      }
      case 'project': {
        const below = input()
        refuseVolatile(relation.outputs, below)
        return makeNode({ kind: 'project', input: below, outputs: relation.outputs, schema })
      }
      case 'check':
        return makeNode({ kind: 'check', input: input(), checks: relation.checks, schema })
      case 'union':
        return makeNode({ kind: 'union', inputs: relation.inputs.map((branch) => this.plan(branch, outer)), schema })
      case 'unnest': {
        const { list, spread, ordinality } = relation
        return makeNode({ kind: 'unnest', input: input(), list, spread, ordinality, outer: relation.outer, schema })
      }
      case 'aggregate':
        return this.#aggregate(relation, schema, outer)
      case 'distinct':
        return this.#distinct(relation, schema, outer)
      case 'order':
        return this.#order(relation, schema, outer)
    }
  }

  #aggregate(relation: AggregateRelation, schema: Schema, outer: EmitNode | undefined): PlanNode {
    const own = relation.emission.emit
    const emit = own ?? (relation.window === undefined ? outer : undefined)
    const below = this.plan(relation.input, own ?? outer)
    const { input, expr: moved } =
      relation.emission.late === undefined || relation.window === undefined
        ? unchanged(below)
        : withoutHidden(relation, below)
    const emission = relation.window === undefined ? this.#plainEmission(relation, emit, input) : windowEmission(emit)
    this.#checkRetractable(relation, input)
    if (relation.window?.clock === 'event' && isSourceRevised(input)) {
      unsupported('a window by event time over a changelog', relation.window.span, 'group without a window')
    }
    if (relation.window === undefined && emission === 'changes' && !input.traits.bounded && relation.keys.length > 0) {
      this.#warnGrowth(relation.text, relation)
    }
    const keys = relation.keys.map(moved)
    const window = relation.window === undefined ? undefined : tumble(relation.window, moved)
    const time = timeOf(input, window)
    const aggregates = relation.aggregates.map((aggregate) => byEventTime(movedAggregate(aggregate, moved), time))
    const { latenessMicros = 0 } = relation.emission
    // A setting holds for all queries: nothing is late where there is no window over event time.
    const late = relation.window?.clock === 'event' ? relation.emission.late : undefined
    const target = late === undefined || late === 'dlq' ? late : { name: late.name, info: late.info }
    const lateness = window === undefined ? 0 : latenessMicros
    return makeNode({
      kind: 'aggregate',
      input,
      keys,
      window,
      aggregates,
      emission,
      latenessMicros: lateness,
      late: target,
      schema,
    })
  }

  #plainEmission(relation: AggregateRelation, emit: EmitNode | undefined, input: PlanNode): Emission {
    const { bounded } = input.traits
    switch (emit?.mode) {
      case undefined:
        return bounded ? 'end' : 'changes'
      case 'changes':
      case 'on-update':
        return 'changes'
      case 'final':
        if (bounded) return 'end'
        return fault(
          'sql_emit_final_unbounded',
          `EMIT FINAL would never emit: ${relation.text} has no window and its input never ends`,
          emit.span,
          {
            hint: 'add a window, or write EMIT CHANGES',
          },
        )
      case 'on-window-close':
        return fault('sql_emit_needs_window', 'EMIT ON WINDOW CLOSE stands where there is no window', emit.span, {
          hint: 'add a window: GROUP BY TUMBLE(ts, 5m)',
        })
      case 'after-watermark':
        return unsupported('EMIT AFTER WATERMARK', emit.span)
      case 'every':
        return unsupported('EMIT EVERY', emit.span)
    }
  }

  #checkRetractable(relation: AggregateRelation, input: PlanNode): void {
    if (input.traits.changes === 'append') return
    for (const { overload, span } of relation.aggregates) {
      if (this.#environment.functions.aggregate.get(overload.name)?.retract !== 'no') continue
      fault(
        'sql_aggregate_not_retractable',
        `${overload.name} cannot take rows back, but its input revises rows`,
        span ?? relation.span,
        {
          hint: 'use the exact aggregate, or EMIT FINAL in the query below',
        },
      )
    }
  }

  #warnGrowth(what: string, { span }: { readonly span: AggregateRelation['span'] }): void {
    this.#environment.reporter.report({
      code: 'sql_state_grows',
      message: `${what} keeps a row for every key of an input that never ends`,
      span,
      hint: 'group by a window: its groups are forgotten when it closes',
    })
  }

  /** Over rows that are revised, DISTINCT is a grouping by all columns. */
  #distinct(relation: DistinctRelation, schema: Schema, outer: EmitNode | undefined): PlanNode {
    const input = this.plan(relation.input, outer)
    if (!input.traits.bounded) this.#warnGrowth('DISTINCT', relation)
    if (input.traits.changes === 'append') return makeNode({ kind: 'distinct', input, schema })
    const keys = schema.fields.map((field, index): BoundExpr => ({ kind: 'column', index, ...field }))
    const rest = { window: undefined, aggregates: [], latenessMicros: 0, late: undefined } as const
    return makeNode({ kind: 'aggregate', input, keys, ...rest, emission: 'changes', schema })
  }

  #order(relation: OrderRelation, schema: Schema, outer: EmitNode | undefined): PlanNode {
    const emit = relation.emit ?? outer
    const input = this.plan(relation.input, emit)
    const { keys, limit, offset } = relation
    if (keys.length === 0) {
      if (input.traits.changes === 'append') return makeNode({ kind: 'limit', input, limit, offset, schema })
      // Rows are counted, not changes: as many as there are now, in order of arrival.
      return makeNode({ kind: 'sort', input, keys, mode: 'top', limit, offset, schema })
    }
    const mode = this.#sortMode(relation, input, emit)
    if (mode !== 'event-time') return makeNode({ kind: 'sort', input, keys, mode, limit, offset, schema })
    const time = columnOf(input, input.traits.eventTime!)
    const byTime = [{ ...keys[0]!, expr: time }, ...keys.slice(1)]
    const sorted = makeNode({ kind: 'sort', input, keys: byTime, mode, limit: undefined, offset: 0, schema })
    return limit === undefined && offset === 0
      ? sorted
      : makeNode({ kind: 'limit', input: sorted, limit, offset, schema })
  }

  #sortMode(relation: OrderRelation, input: PlanNode, emit: EmitNode | undefined): SortNode['mode'] {
    const { bounded, changes, eventTime } = input.traits
    const first = relation.keys[0]!
    if (bounded && emit?.mode !== 'changes') return 'end'
    const isTime =
      first.expr.kind === 'column' && eventTime !== undefined && isTimeColumn(relation.input, first.expr.index)
    const byTime = isTime && !first.descending
    if (!bounded && byTime && changes === 'append') return 'event-time'
    if (!bounded && changes === 'append' && relation.limit === undefined && closesWindows(input)) return 'window'
    if (relation.limit !== undefined) {
      if (!bounded) this.#warnGrowth('ORDER BY … LIMIT', relation)
      return 'top'
    }
    if (bounded) return 'end'
    return fault('sql_order_by_unbounded', 'ORDER BY would never emit: its input never ends', relation.span, {
      hint: 'add LIMIT, or order by the event time',
    })
  }
}

type Move = (expr: BoundExpr) => BoundExpr

const unchanged = (input: PlanNode): { input: PlanNode; expr: Move } => ({ input, expr: (expr) => expr })

/** The rows that LATE DATA TO gets hold the visible columns, and hidden ones only where the grouping reads them. */
function withoutHidden(relation: AggregateRelation, below: PlanNode): { input: PlanNode; expr: Move } {
  const read = new Set<number>()
  const aggregates = relation.aggregates.flatMap((one) => [
    ...one.args,
    one.filter,
    ...one.orderBy.map((key) => key.expr),
  ])
  for (const expr of [...relation.keys, relation.window?.time, ...aggregates])
    if (expr !== undefined) columnsRead(expr, read)
  const kept = relation.input.columns.flatMap((column, i) => (column.hidden && !read.has(i) ? [] : [i]))
  if (kept.length === relation.input.columns.length) return unchanged(below)
  const fields = kept.map((i) => below.schema.fields[i]!)
  const outputs = kept.map((index): BoundExpr => ({ kind: 'column', index, ...below.schema.fields[index]! }))
  const input = makeNode({ kind: 'project', input: below, outputs, schema: { fields } })
  const expr: Move = (node) =>
    mapExpr(node, (part) => (part.kind === 'column' ? { ...part, index: kept.indexOf(part.index) } : part))
  return { input, expr }
}

const columnOf = (node: PlanNode, index: number): BoundExpr => ({
  kind: 'column',
  index,
  ...node.schema.fields[index]!,
})

const TIMELY: ReadonlySet<string> = new Set(['FIRST', 'LAST', 'ANY_VALUE'])

/** FIRST and LAST go by event time where there is one; as an expression, so that the column is kept for them. */
function byEventTime(call: BoundAggregate, time: BoundExpr | undefined): BoundAggregate {
  if (!TIMELY.has(call.overload.name) || call.orderBy.length > 0 || time === undefined) return call
  return { ...call, orderBy: [{ expr: time, descending: false, nullsFirst: false }] }
}

/** The event time of the rows of a grouping: the column that is it, else what its window goes by. */
function timeOf(input: PlanNode, window: TumbleWindow | undefined): BoundExpr | undefined {
  const { eventTime } = input.traits
  if (eventTime !== undefined) return columnOf(input, eventTime)
  return window?.clock === 'event' ? window.time : undefined
}

const movedAggregate = (aggregate: BoundAggregate, moved: Move): BoundAggregate => ({
  ...aggregate,
  args: aggregate.args.map(moved),
  filter: aggregate.filter === undefined ? undefined : moved(aggregate.filter),
  orderBy: aggregate.orderBy.map((key) => ({ ...key, expr: moved(key.expr) })),
})

const tumble = ({ clock, time, sizeMicros, offsetMicros }: WindowSpec, moved: Move): TumbleWindow => ({
  kind: 'tumble',
  clock,
  time: moved(time),
  sizeMicros,
  offsetMicros,
})

function windowEmission(emit: EmitNode | undefined): Emission {
  switch (emit?.mode) {
    case 'changes':
    case 'on-update':
      return 'changes'
    case 'after-watermark':
      return unsupported('EMIT AFTER WATERMARK', emit.span)
    case 'every':
      return unsupported('EMIT EVERY', emit.span)
    default:
      return 'close'
  }
}

/** Over rows that are taken back, an expression must give the same value again (rulings 36). */
function refuseVolatile(exprs: readonly BoundExpr[], input: PlanNode): void {
  if (input.traits.changes === 'append') return
  const found = exprs.map(volatilePart).find((expr) => expr !== undefined)
  if (found === undefined) return
  const name = found.kind === 'context' ? found.name.toUpperCase() : found.kind === 'call' ? found.overload.name : ''
  unsupported(
    `${name}() over rows that are revised`,
    found.span ?? { start: 0, end: 0 },
    'add a window with EMIT FINAL below it',
  )
}

function volatilePart(expr: BoundExpr): BoundExpr | undefined {
  if (expr.kind === 'context' || (expr.kind === 'call' && !expr.overload.deterministic)) return expr
  for (const child of childrenOf(expr)) {
    const found = volatilePart(child)
    if (found !== undefined) return found
  }
  return undefined
}

/** The least skew that a source of the rows allows; the results of windows lie ahead of the clock by right. */
function futureGuard(node: PlanNode): number | undefined {
  if (node.kind === 'source') return node.info.maxFutureSkewMicros
  if (node.kind === 'aggregate') return undefined
  const all = inputsOf(node).flatMap((input) => futureGuard(input) ?? [])
  return all.length === 0 ? undefined : Math.min(...all)
}

/** True when a source takes rows back, rather than a grouping above it: a late half would part an update (rulings 37). */
const isSourceRevised = (node: PlanNode): boolean =>
  node.kind === 'source'
    ? node.traits.changes !== 'append'
    : node.kind !== 'aggregate' && inputsOf(node).some(isSourceRevised)

/** True for the results of a window and what keeps their order. */
function closesWindows(node: PlanNode): boolean {
  if (node.kind === 'aggregate') return node.window !== undefined && node.emission === 'close'
  return (node.kind === 'project' || node.kind === 'filter') && closesWindows(node.input)
}

/** True when an EMIT from outside can change what the relation gives. */
function hasOpenGrouping(relation: Relation): boolean {
  if (relation.kind === 'aggregate' && relation.window === undefined && relation.emission.emit === undefined)
    return true
  if (relation.kind === 'order' && relation.emit === undefined) return true
  return inputsOfRelation(relation).some((input) => input.boundary !== true && hasOpenGrouping(input))
}

function sourceNode(relation: SourceRelation, schema: Schema): PlanNode {
  const { name, info, systemColumns, required } = relation
  const columns = info.schema.fields.map((field) => ({
    name: field.name,
    path: [field.name],
    required: required.has(field.name),
  }))
  return makeNode({ kind: 'source', name, info, columns, systemColumns, schema })
}
