import { type BoundExpr, mapExpr } from '../../expr/bound.ts'
import { isFallible, substitute } from '../../expr/fallible.ts'
import type { FilterNode, Output, PlanNode } from '../plan.ts'
import { makeNode } from '../planner/node.ts'
import { columnsRead } from './access.ts'
import { isSimple, rewrite } from './rewrite.ts'

/**
 * Moves filters towards the sources: below projections that cannot fail, unions, UNNEST and groupings by the columns
 * they test. Never below a watermark (rows that a filter drops move it too), never past another filter, and no
 * expression that can fail changes sides with a filter (rulings 23, 40).
 */
export const pushFilters = (outputs: readonly Output[]): Output[] => rewrite(outputs, pushNode)

function pushNode(node: PlanNode, isShared: (input: PlanNode) => boolean): PlanNode {
  if (node.kind !== 'filter' || isShared(node.input)) return node
  const push = (input: PlanNode, predicate: BoundExpr): PlanNode =>
    pushNode(makeNode({ kind: 'filter', input, predicate, schema: input.schema }), isShared)
  const below = node.input
  switch (below.kind) {
    case 'project': {
      const read = columnsRead(node.predicate)
      if (below.outputs.some(isFallible) || ![...read].every((at) => isSimple(below.outputs[at]!))) return node
      return makeNode({ ...below, input: push(below.input, substitute(node.predicate, below.outputs)) })
    }
    case 'union':
      return makeNode({ ...below, inputs: below.inputs.map((input) => push(input, node.predicate)) })
    case 'unnest': {
      const width = below.input.schema.fields.length
      if (isFallible(below.list) || ![...columnsRead(node.predicate)].every((at) => at < width)) return node
      return makeNode({ ...below, input: push(below.input, node.predicate) })
    }
    case 'aggregate':
      return mayPushBelowGroups(node, below) ? pushBelowGroups(node, below, push) : node
    default:
      return node
  }
}

type Aggregate = Extract<PlanNode, { kind: 'aggregate' }>

/** Rows that a window would count as late must reach it; a key that can fail must see every row. */
function mayPushBelowGroups(filter: FilterNode, groups: Aggregate): boolean {
  if (groups.window !== undefined || groups.keys.length === 0 || isFallible(filter.predicate)) return false
  if (
    groups.keys.some(isFallible) ||
    groups.aggregates.some((one) => [...one.args, one.filter].some((e) => e && isFallible(e)))
  ) {
    return false
  }
  const read = columnsRead(filter.predicate)
  return read.size > 0 && [...read].every((at) => at < groups.keys.length && isSimple(groups.keys[at]!))
}

function pushBelowGroups(
  filter: FilterNode,
  groups: Aggregate,
  push: (input: PlanNode, predicate: BoundExpr) => PlanNode,
): PlanNode {
  const predicate = mapExpr(filter.predicate, (expr) => (expr.kind === 'column' ? groups.keys[expr.index]! : expr))
  return makeNode({ ...groups, input: push(groups.input, predicate) })
}
