import { inputsOf, type PlanNode, type ScriptPlan } from '../../sql/plan.ts'
import type { Graph } from './build.ts'
import { Origin } from './origin.ts'

/** An operator of a graph and what it was made of. */
export interface GraphNode {
  readonly id: string
  readonly operator: string
  /** Plan nodes that became this operator, from the top. */
  readonly nodes: readonly string[]
  readonly inputs: readonly GraphNode[]
}

/** The operators of each output, from the sink down. */
export function describeGraph(graph: Graph, plan: Pick<ScriptPlan, 'outputs'>): readonly GraphNode[] {
  return plan.outputs.map((output) => describeNode(graph, output.root))
}

function describeNode(graph: Graph, node: PlanNode): GraphNode {
  const place = graph.place(node)
  const nodes: string[] = [node.kind]
  const inputs: GraphNode[] = []
  const visit = (input: PlanNode): void => {
    if (graph.has(input)) inputs.push(describeNode(graph, input))
    else {
      nodes.push(input.kind)
      inputsOf(input).forEach(visit)
    }
  }
  inputsOf(node).forEach(visit)
  const operator = place instanceof Origin ? 'Origin' : place.operator.constructor.name
  return { id: node.id, operator, nodes, inputs }
}

/** The same as indented text, one operator a line. */
export function graphText(nodes: readonly GraphNode[]): string {
  const lines: string[] = []
  const visit = ({ id, operator, nodes: parts, inputs }: GraphNode, depth: number): void => {
    lines.push(`${'  '.repeat(depth)}${operator} (${parts.join(', ')})  #${id}`)
    for (const input of inputs) visit(input, depth + 1)
  }
  for (const node of nodes) visit(node, 0)
  return `${lines.join('\n')}\n`
}
