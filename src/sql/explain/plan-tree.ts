import { typeName } from '../../core/types.ts'
import { microsText } from '../expr-text.ts'
import { inputsOf, type Output, type PlanNode } from '../plan.ts'
import { isOrderSensitive, stateOf } from '../streaming/state.ts'
import { nodeText } from './plan-text.ts'

export type NodeLine = (node: PlanNode) => string

/** `plan` and `optimized`: one line per node, with its id once ids are given. */
export const plainLine: NodeLine = (node) =>
  `${nodeText(node)}${node.id === '' ? '' : `  #${node.id.split('-').slice(1).join('-')}`}`

/** `streaming`: changelog kind, key, event time, hold, state and what bounds it. */
export const streamingLine: NodeLine = (node) => {
  const { traits, schema } = node
  const name = (at: number) => schema.fields[at]!.name
  const facts = [
    traits.bounded ? 'bounded' : 'unbounded',
    traits.changes,
    ...(traits.key.length === 0 ? [] : [`key=[${traits.key.map(name).join(', ')}]`]),
    ...(traits.eventTime === undefined ? [] : [`time=${name(traits.eventTime)}`]),
    ...(isOrderSensitive(node) ? ['order_sensitive'] : []),
    ...(traits.holdMicros === 0 ? [] : [`hold=${microsText(traits.holdMicros)}`]),
  ]
  const state = stateOf(node)
  return `${nodeText(node)}\n  : ${facts.join(' ')}${state === undefined ? '' : `\n  : state ${state}`}`
}

/** The nodes of an output as a tree; a node that was printed before is named by its id or number only. */
export function planTree(outputs: readonly Output[], line: NodeLine): string {
  const shared = sharedNodes(outputs)
  const printed = new Map<PlanNode, number>()
  const lines: string[] = []
  const print = (node: PlanNode, depth: number): void => {
    const pad = '  '.repeat(depth)
    const before = printed.get(node)
    if (before !== undefined) {
      lines.push(`${pad}same as (${before}) ${node.kind}`)
      return
    }
    const mark = shared.has(node) ? `(${printed.size + 1}) ` : ''
    printed.set(node, printed.size + 1)
    const [first, ...rest] = line(node).split('\n')
    lines.push(`${pad}${mark}${first}`, ...rest.map((text) => `${pad}${text}`))
    for (const input of inputsOf(node)) print(input, depth + 1)
  }
  for (const output of outputs) {
    lines.push(outputText(output))
    print(output.root, 1)
  }
  return lines.join('\n')
}

function outputText(output: Output): string {
  const targets = output.targets.map((target) => (target === 'client' ? 'client' : target.name))
  const key = output.key.map((at) => output.root.schema.fields[at]!.name)
  return `output ${targets.join(', ')}${key.length === 0 ? '' : ` key=[${key.join(', ')}]`}${output.oldImages ? '' : ' without old images'}`
}

function sharedNodes(outputs: readonly Output[]): ReadonlySet<PlanNode> {
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

export function planJson(outputs: readonly Output[]): readonly unknown[] {
  return outputs.map((output) => ({
    targets: output.targets.map((target) => (target === 'client' ? 'client' : target.name)),
    key: output.key.map((at) => output.root.schema.fields[at]!.name),
    old_images: output.oldImages,
    root: nodeJson(output.root),
  }))
}

const nodeJson = (node: PlanNode): Readonly<Record<string, unknown>> => ({
  id: node.id,
  kind: node.kind,
  text: nodeText(node),
  columns: node.schema.fields.map(({ name, type, nullable }) => ({ name, type: typeName(type), nullable })),
  bounded: node.traits.bounded,
  changes: node.traits.changes,
  key: node.traits.key.map((at) => node.schema.fields[at]!.name),
  event_time: node.traits.eventTime === undefined ? null : node.schema.fields[node.traits.eventTime]!.name,
  hold_us: node.traits.holdMicros,
  order_sensitive: isOrderSensitive(node),
  state: stateOf(node) ?? null,
  inputs: inputsOf(node).map(nodeJson),
})
