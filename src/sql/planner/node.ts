import type { NodeDraft, PlanNode } from '../plan.ts'
import { traitsOf } from '../streaming/traits.ts'

/** A node with the traits that follow from its inputs; ids are given when the plan is complete. */
export const makeNode = (draft: NodeDraft): PlanNode => ({ ...draft, id: '', traits: traitsOf(draft) }) as PlanNode

/** The node over other inputs, its traits anew; itself when nothing changed. */
export function withInputs(node: PlanNode, inputs: readonly PlanNode[]): PlanNode {
  switch (node.kind) {
    case 'source':
    case 'values':
      return node
    case 'union':
      return node.inputs.every((input, i) => input === inputs[i]) ? node : makeNode({ ...node, inputs })
    default:
      return node.input === inputs[0] ? node : makeNode({ ...node, input: inputs[0]! })
  }
}
