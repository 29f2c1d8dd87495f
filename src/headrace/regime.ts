import { inputsOf, type PlanNode, type ScriptPlan } from '../sql/plan.ts'
import { queueSettings } from './dlq/settings.ts'
import { checkpointSettings, runSettings } from './durable/settings.ts'
import type { Endpoint } from './endpoint.ts'
import { keepsState } from './keeps-state.ts'
import { isRowToRow } from './row-balance.ts'

/** What the progress of a pipeline is kept by (delivery.md §6). */
export type Regime = 'checkpoint-led' | 'sink-led' | 'none'

/**
 * `sink-led`: rows and offsets are committed by the only sink in one transaction, and its offsets are what a start goes
 * on from. It takes a plan without state, sources whose offsets say everything, and no queue of dead letters, whose
 * entries would be committed beside the rows.
 */
export function regimeOf(plan: ScriptPlan): Regime {
  if (!keepsState(plan) || !checkpointSettings(plan).enabled) return 'none'
  if (runSettings(plan).commit_regime === 'checkpoint') return 'checkpoint-led'
  return isLed(plan) ? 'sink-led' : 'checkpoint-led'
}

function isLed(plan: ScriptPlan): boolean {
  if (!isRowToRow(plan) || queueSettings(plan).enabled) return false
  const { root, targets } = plan.outputs[0]!
  const target = targets[0]!
  if (target === 'client') return false
  const { connector } = target.info.handle as Endpoint
  return connector.capabilities.sink?.ledger === 'offsets' && leaves(root).every(isReplayed)
}

function isReplayed(node: PlanNode): boolean {
  if (node.kind !== 'source') return false
  const { connector, options } = node.info.handle as Endpoint
  const source = connector.capabilities.source
  return source?.resume === 'offset' && source.listed !== true && options['max_records'] === undefined
}

const leaves = (node: PlanNode): readonly PlanNode[] => {
  const inputs = inputsOf(node)
  return inputs.length === 0 ? [node] : inputs.flatMap(leaves)
}
