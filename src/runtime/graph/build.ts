import type { Schema } from '../../core/types.ts'
import type { BoundExpr } from '../../expr/bound.ts'
import { substitute } from '../../expr/fallible.ts'
import { GroupAggregate } from '../../operators/aggregate/group-aggregate.ts'
import { AssignWatermarks } from '../../operators/assign-watermarks.ts'
import { Check } from '../../operators/check.ts'
import { Distinct } from '../../operators/distinct.ts'
import { Limit } from '../../operators/limit.ts'
import type { Operator, OperatorContext } from '../../operators/operator.ts'
import { RowStage } from '../../operators/row-stage.ts'
import { Sort } from '../../operators/sort.ts'
import { Top } from '../../operators/top.ts'
import { Union } from '../../operators/union.ts'
import { Unnest } from '../../operators/unnest.ts'
import {
  type AggregateNode,
  inputsOf,
  type PlanKind,
  type PlanNode,
  type PlanOf,
  type ScriptPlan,
} from '../../sql/plan.ts'
import { columnsOf, fusePrefix, type Prefix } from './fuse.ts'
import { type GridNeeds, gridNeeds } from './grids.ts'
import { Origin } from './origin.ts'
import { Stage } from './stage.ts'

/** A plan turned into operators, without its sinks. */
export interface Graph {
  readonly origins: readonly Origin[]
  readonly stages: readonly Stage[]
  /** The stage or origin that gives the rows of a plan node. */
  place(node: PlanNode): Stage | Origin
  /** False for a node that was joined with the one above it. */
  has(node: PlanNode): boolean
  /** Stage and late target of each grouping with LATE DATA TO. */
  readonly late: readonly { readonly stage: Stage; readonly node: AggregateNode; readonly schema: Schema }[]
}

interface BuildState {
  readonly context: OperatorContext
  readonly shared: ReadonlySet<PlanNode>
  readonly places: Map<PlanNode, Stage | Origin>
  readonly needs: ReadonlyMap<PlanNode, GridNeeds>
  readonly late: { stage: Stage; node: AggregateNode; schema: Schema }[]
}

/** Builds the operators of all outputs; nodes that the plan shares become one operator. */
export function buildGraph(plan: Pick<ScriptPlan, 'outputs'>, context: OperatorContext): Graph {
  const roots = plan.outputs.map((output) => output.root)
  const state: BuildState = {
    context,
    shared: sharedNodes(roots),
    places: new Map(),
    needs: gridNeeds(roots),
    late: [],
  }
  for (const root of roots) placeOf(root, state)
  const places = [...state.places.values()]
  return {
    origins: places.filter((place) => place instanceof Origin),
    stages: places.filter((place) => place instanceof Stage),
    late: state.late,
    place: (node) => state.places.get(node)!,
    has: (node) => state.places.has(node),
  }
}

/** Nodes with more than one reader. */
function sharedNodes(roots: readonly PlanNode[]): ReadonlySet<PlanNode> {
  const readers = new Map<PlanNode, number>()
  const visit = (node: PlanNode): void => {
    const count = readers.get(node) ?? 0
    readers.set(node, count + 1)
    if (count === 0) for (const input of inputsOf(node)) visit(input)
  }
  for (const root of roots) visit(root)
  return new Set([...readers].filter(([, count]) => count > 1).map(([node]) => node))
}

function placeOf(node: PlanNode, state: BuildState): Stage | Origin {
  const known = state.places.get(node)
  if (known !== undefined) return known
  const place = build(node, state)
  state.places.set(node, place)
  return place
}

const build = <K extends PlanKind>(node: PlanOf<K>, state: BuildState): Stage | Origin =>
  (builders[node.kind as K] as Builder<K>)(node, state)

type Builder<K extends PlanKind> = (node: PlanOf<K>, state: BuildState) => Stage | Origin

const builders: { readonly [K in PlanKind]: Builder<K> } = {
  source: (node) => new Origin(node),
  values: (node) => new Origin(node),
  filter: (node, state) => rowStage(node, state),
  project: (node, state) => rowStage(node, state),
  check: (node, state) =>
    over(node, [node.input], state, new Check({ schema: node.schema, checks: node.checks }, state.context)),
  watermark: (node, state) => {
    const needs = state.needs.get(node) ?? { grids: [], everyRow: false, cut: false }
    const { schema, column, delayMicros, expr, futureMicros } = node
    const spec = { schema, column, delayMicros, expr, futureMicros, ...needs }
    const operator = new AssignWatermarks(spec, state.context)
    const stage = over(node, [node.input], state, operator)
    for (const origin of originsBelow(node, state)) origin.watermarks.push({ stage, operator })
    return stage
  },
  aggregate: (node, state) => aggregateStage(node, state),
  distinct: (node, state) => over(node, [node.input], state, new Distinct(node.schema, state.context)),
  union: (node, state) => over(node, node.inputs, state, new Union(node.schema)),
  unnest: (node, state) => over(node, [node.input], state, new Unnest({ ...node, output: node.schema }, state.context)),
  sort: (node, state) => {
    const { mode } = node
    const revises = node.input.traits.changes !== 'append'
    const time = node.input.traits.eventTime
    const operator =
      mode === 'top'
        ? new Top({ ...node, revises }, state.context)
        : new Sort({ ...node, mode, time, revises }, state.context)
    return over(node, [node.input], state, operator)
  },
  limit: (node, state) => over(node, [node.input], state, new Limit(node, state.context)),
}

/** Puts an operator behind its inputs. */
function over(node: PlanNode, inputs: readonly PlanNode[], state: BuildState, operator: Operator): Stage {
  const stage = new Stage(node.id, operator, inputs.length)
  inputs.forEach((input, i) => {
    placeOf(input, state).connect(stage.input(i))
  })
  return stage
}

/** The source places under a watermark node. */
function originsBelow(node: PlanNode, state: BuildState): Origin[] {
  if (node.kind === 'source' || node.kind === 'values') return [placeOf(node, state) as Origin]
  return inputsOf(node).flatMap((input) => originsBelow(input, state))
}

const identity = (input: PlanNode): Prefix => ({ input, filters: [], columns: columnsOf(input) })

function rowStage(node: PlanOf<'filter'> | PlanOf<'project'>, state: BuildState): Stage {
  const prefix = state.context.mode === 'compiled' ? fusePrefix(node, state.shared) : single(node)
  const revises = prefix.input.traits.changes !== 'append'
  const spec = { input: prefix.input.schema, output: node.schema, filters: prefix.filters, outputs: prefix.columns }
  return over(node, [prefix.input], state, new RowStage({ ...spec, revises }, state.context))
}

/** The interpreter runs filters and projections one by one. */
function single(node: PlanOf<'filter'> | PlanOf<'project'>): Prefix {
  if (node.kind === 'filter') return { ...identity(node.input), filters: [node.predicate] }
  return { input: node.input, filters: [], columns: node.outputs }
}

function aggregateStage(node: AggregateNode, state: BuildState): Stage {
  const fuse = state.context.mode === 'compiled' && node.late === undefined
  const prefix = fuse ? fusePrefix(node.input, state.shared, false) : identity(node.input)
  const inside = (expr: BoundExpr) => substitute(expr, prefix.columns)
  const late = node.late === undefined ? undefined : lateSchema(node.input.schema)
  const operator = new GroupAggregate(
    {
      input: prefix.input.schema,
      output: node.schema,
      filters: prefix.filters,
      keys: node.keys.map(inside),
      window: node.window === undefined ? undefined : { ...node.window, time: inside(node.window.time) },
      aggregates: node.aggregates.map((call) => ({
        ...call,
        args: call.args.map(inside),
        filter: call.filter === undefined ? undefined : inside(call.filter),
        orderBy: call.orderBy.map((key) => ({ ...key, expr: inside(key.expr) })),
      })),
      retracts: node.input.traits.changes !== 'append',
      emission: node.emission,
      latenessMicros: node.latenessMicros,
      late,
    },
    state.context,
  )
  const stage = over(node, [prefix.input], state, operator)
  if (late !== undefined) state.late.push({ stage, node, schema: late })
  return stage
}

/** The rows of LATE DATA TO. */
export function lateSchema(input: Schema): Schema {
  const time = { type: { kind: 'timestamp' }, nullable: false } as const
  return {
    fields: [
      ...input.fields,
      { name: '_late_by', type: { kind: 'interval' }, nullable: false },
      { name: '_watermark', ...time },
      { name: '_window_start', ...time },
      { name: '_window_end', ...time },
    ],
  }
}
