import type { BoundExpr } from '../../expr/bound.ts'
import { isFallible, substitute } from '../../expr/fallible.ts'
import type { PlanNode, ProjectNode } from '../../sql/plan.ts'

/** A chain of filters and projections over one node: rows that pass all filters, then the columns. */
export interface Prefix {
  readonly input: PlanNode
  readonly filters: readonly BoundExpr[]
  /** One per column of the chain's output, over the input's columns. */
  readonly columns: readonly BoundExpr[]
}

/** The columns of a node as expressions. */
export const columnsOf = (node: PlanNode): BoundExpr[] =>
  node.schema.fields.map((field, index) => ({
    kind: 'column',
    index,
    name: field.name,
    type: field.type,
    nullable: field.nullable,
  }))

/**
 * Joins the filters and projections above a node into one (rulings 64). Nodes in `shared` have other readers and end
 * the chain. A projection that can fail a row also ends it: the filter above must not spare that row its failure.
 */
export function fusePrefix(node: PlanNode, shared: ReadonlySet<PlanNode>, top = true): Prefix {
  if (shared.has(node) && !top) return { input: node, filters: [], columns: columnsOf(node) }
  if (node.kind === 'filter') {
    const below = fusePrefix(node.input, shared, false)
    return { ...below, filters: [...below.filters, substitute(node.predicate, below.columns)] }
  }
  if (node.kind === 'project' && (top || !node.outputs.some(isFallible))) {
    const below = fusePrefix(node.input, shared, false)
    return { ...below, columns: node.outputs.map((output) => substitute(output, below.columns)) }
  }
  return { input: node, filters: [], columns: columnsOf(node) }
}

/** True when every output of a projection is a column of its input. */
export const isReordering = (node: ProjectNode): boolean => node.outputs.every((output) => output.kind === 'column')
