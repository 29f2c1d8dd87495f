import { type BoundExpr, childrenOf } from '../../expr/bound.ts'
import { isFallible, substitute } from '../../expr/fallible.ts'
import type { Output, PlanNode, ProjectNode } from '../plan.ts'
import { makeNode } from '../planner/node.ts'
import { isSimple, rewrite } from './rewrite.ts'

/** Joins a projection with the one below it, and drops projections that change nothing. */
export const mergeProjects = (outputs: readonly Output[]): Output[] => rewrite(outputs, mergeNode)

function mergeNode(node: PlanNode, isShared: (input: PlanNode) => boolean): PlanNode {
  if (node.kind !== 'project') return node
  if (isIdentity(node)) return node.input
  const inner = node.input
  if (inner.kind !== 'project' || !mayMerge(node, inner, isShared(inner))) return node
  const outputs = node.outputs.map((output) => substitute(output, inner.outputs))
  return mergeNode(makeNode({ ...node, input: inner.input, outputs }), isShared)
}

/** All columns of the input, in order, under their names. */
function isIdentity(node: ProjectNode): boolean {
  const fields = node.input.schema.fields
  return (
    node.outputs.length === fields.length &&
    node.outputs.every((output, i) => {
      return output.kind === 'column' && output.index === i && fields[i]!.name === node.schema.fields[i]!.name
    })
  )
}

/**
 * A computed column may move up only when it cannot fail (a CASE or a filter above must not change which rows fail)
 * and is read once (it would be computed twice).
 */
function mayMerge(outer: ProjectNode, inner: ProjectNode, shared: boolean): boolean {
  const uses = new Map<number, number>()
  const count = (expr: BoundExpr): void => {
    if (expr.kind === 'column') uses.set(expr.index, (uses.get(expr.index) ?? 0) + 1)
    childrenOf(expr).forEach(count)
  }
  outer.outputs.forEach(count)
  return inner.outputs.every((output, i) => {
    if (isSimple(output) || !uses.has(i)) return true
    return !shared && !isFallible(output) && uses.get(i) === 1
  })
}
