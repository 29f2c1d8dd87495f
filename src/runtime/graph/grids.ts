import type { WatermarkGrid } from '../../operators/operator.ts'
import { inputsOf, type PlanNode } from '../../sql/plan.ts'

/** What operators further on want to see of a watermark (rulings 23). */
export interface GridNeeds {
  readonly grids: WatermarkGrid[]
  everyRow: boolean
  /** Rows of the node reach a union on more than one way. */
  cut: boolean
}

/** For every watermark node, the grids of the operators that its marks reach. */
export function gridNeeds(roots: readonly PlanNode[]): ReadonlyMap<PlanNode, GridNeeds> {
  const needs = new Map<PlanNode, GridNeeds>()
  const seen = new Set<PlanNode>()
  const visit = (node: PlanNode): void => {
    if (seen.has(node)) return
    seen.add(node)
    if (node.kind === 'aggregate' && node.window?.clock === 'event') {
      const { sizeMicros, offsetMicros } = node.window
      const grid = { periodMicros: sizeMicros, phaseMicros: offsetMicros + node.latenessMicros }
      ask(node.input, grid, node.late !== undefined, needs)
    }
    if (node.kind === 'sort' && node.mode === 'event-time') ask(node.input, undefined, true, needs)
    for (const input of inputsOf(node)) visit(input)
  }
  for (const root of roots) visit(root)
  for (const node of seen) {
    if (node.kind !== 'union') continue
    const below = node.inputs.flatMap((input) => [...watermarksBelow(input)])
    for (const [i, one] of below.entries()) {
      const entry = needs.get(one)
      if (entry !== undefined && below.indexOf(one) < i) entry.cut = true
    }
  }
  return needs
}

/** All watermark nodes whose rows take part in what a node gives. */
function watermarksBelow(node: PlanNode): ReadonlySet<PlanNode> {
  const found = new Set<PlanNode>(node.kind === 'watermark' ? [node] : [])
  for (const input of inputsOf(node)) for (const one of watermarksBelow(input)) found.add(one)
  return found
}

/** Walks down to the watermark nodes whose marks arrive here; a grouping makes its own watermarks. */
function ask(
  node: PlanNode,
  grid: WatermarkGrid | undefined,
  everyRow: boolean,
  needs: Map<PlanNode, GridNeeds>,
): void {
  if (node.kind === 'aggregate') return
  if (node.kind === 'watermark') {
    const entry = needs.get(node) ?? { grids: [], everyRow: false, cut: false }
    if (grid !== undefined) entry.grids.push(grid)
    entry.everyRow ||= everyRow
    needs.set(node, entry)
    return
  }
  for (const input of inputsOf(node)) ask(input, grid, everyRow, needs)
}
