import type { BoundExpr } from '../../expr/bound.ts'
import { inputsOf, type Output, type PlanNode } from '../plan.ts'
import { makeNode, withInputs } from '../planner/node.ts'

/** Nodes that more than one node or output reads. */
export function sharedNodes(outputs: readonly Output[]): ReadonlySet<PlanNode> {
  const seen = new Set<PlanNode>()
  const shared = new Set<PlanNode>()
  const visit = (node: PlanNode): void => {
    if (seen.has(node)) {
      shared.add(node)
      return
    }
    seen.add(node)
    inputsOf(node).forEach(visit)
  }
  for (const output of outputs) visit(output.root)
  return shared
}

/**
 * Rebuilds all plans bottom-up; `change` gets a node over its new inputs and whether others read it too, and returns
 * it or a better one. Shared nodes stay shared.
 */
export function rewrite(
  outputs: readonly Output[],
  change: (node: PlanNode, isShared: (input: PlanNode) => boolean) => PlanNode,
): Output[] {
  const shared = sharedNodes(outputs)
  const done = new Map<PlanNode, PlanNode>()
  const sharedResults = new Set<PlanNode>()
  const visit = (node: PlanNode): PlanNode => {
    const before = done.get(node)
    if (before !== undefined) return before
    const result = change(withInputs(node, inputsOf(node).map(visit)), (input) => sharedResults.has(input))
    done.set(node, result)
    if (shared.has(node)) sharedResults.add(result)
    return result
  }
  return outputs.map((output) => ({ ...output, root: visit(output.root) }))
}

/** A node with all its expressions changed. */
export function mapNodeExprs(node: PlanNode, change: (expr: BoundExpr) => BoundExpr): PlanNode {
  const keysOf = <T extends { readonly expr: BoundExpr }>(keys: readonly T[]) =>
    keys.map((key) => ({ ...key, expr: change(key.expr) }))
  switch (node.kind) {
    case 'source':
    case 'values':
    case 'distinct':
    case 'union':
    case 'limit':
      return node
    case 'watermark':
      return node.expr === undefined ? node : makeNode({ ...node, expr: change(node.expr) })
    case 'filter':
      return makeNode({ ...node, predicate: change(node.predicate) })
    case 'project':
      return makeNode({ ...node, outputs: node.outputs.map(change) })
    case 'check':
      return makeNode({ ...node, checks: keysOf(node.checks) })
    case 'unnest':
      return makeNode({ ...node, list: change(node.list) })
    case 'sort':
      return makeNode({ ...node, keys: keysOf(node.keys) })
    case 'aggregate':
      return makeNode({
        ...node,
        keys: node.keys.map(change),
        window: node.window === undefined ? undefined : { ...node.window, time: change(node.window.time) },
        aggregates: node.aggregates.map((aggregate) => ({
          ...aggregate,
          args: aggregate.args.map(change),
          filter: aggregate.filter === undefined ? undefined : change(aggregate.filter),
          orderBy: keysOf(aggregate.orderBy),
        })),
      })
  }
}

/** All expressions of a node. */
export function exprsOf(node: PlanNode): readonly BoundExpr[] {
  const all: BoundExpr[] = []
  mapNodeExprs(node, (expr) => {
    all.push(expr)
    return expr
  })
  return all
}

/** A column, or a field of one: costs nothing and cannot fail. */
export const isSimple = (expr: BoundExpr): boolean =>
  expr.kind === 'column' || expr.kind === 'literal' || (expr.kind === 'field' && isSimple(expr.arg))
