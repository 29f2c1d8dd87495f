import { shortHash } from '../../core/short-hash.ts'
import { nodeText } from '../explain/plan-text.ts'
import { inputsOf, type Output, type PlanNode } from '../plan.ts'
import { withInputs } from './node.ts'

/** Gives every node an id from what it means: its own text and the ids of its inputs. Shared nodes stay shared. */
export function assignIds(outputs: readonly Output[]): Output[] {
  const done = new Map<PlanNode, PlanNode>()
  const used = new Map<string, number>()
  const visit = (node: PlanNode): PlanNode => {
    const before = done.get(node)
    if (before !== undefined) return before
    const inputs = inputsOf(node).map(visit)
    const meaning = `${meaningOf(node)}|${inputs.map((input) => input.id).join()}`
    const id = `${node.kind}-${shortHash(meaning)}`
    const count = (used.get(id) ?? 0) + 1
    used.set(id, count)
    const result: PlanNode = { ...withInputs(node, inputs), id: count === 1 ? id : `${id}-${count}` }
    done.set(node, result)
    return result
  }
  return outputs.map((output) => ({ ...output, root: visit(output.root) }))
}

/** Which columns a scan reads depends on its other readers: only where it reads counts. */
const meaningOf = (node: PlanNode): string =>
  node.kind === 'source' ? `source ${node.name} ${node.info.uri}` : nodeText(node)
