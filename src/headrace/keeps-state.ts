import type { ScriptPlan } from '../sql/plan.ts'
import type { Endpoint } from './endpoint.ts'

/** Targets that nothing of a run survives in. */
const PASSING: ReadonlySet<string> = new Set(['stdio', 'blackhole', 'memory'])

/**
 * A pipeline keeps its progress when it has a name, and there is something that a second start could go on with: an
 * endless source, or a target that outlives the process (rulings 9, 68).
 */
export function keepsState(plan: ScriptPlan): boolean {
  if (plan.name === undefined) return false
  return plan.outputs.some(
    ({ root, targets }) =>
      !root.traits.bounded ||
      targets.some((target) => target !== 'client' && !PASSING.has((target.info.handle as Endpoint).connector.name)),
  )
}
