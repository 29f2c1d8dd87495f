import { aggregateFunctions } from '../../expr/catalogue.ts'
import { microsText } from '../expr-text.ts'
import type { PlanNode } from '../plan.ts'

/** True when the answer depends on the order of the rows, which no ORDER BY fixes (rulings 33). */
export const isOrderSensitive = (node: PlanNode): boolean =>
  node.kind === 'aggregate' &&
  node.aggregates.some(({ overload, orderBy }) => {
    return orderBy.length === 0 && aggregateFunctions.get(overload.name)?.orderSensitive === true
  })

/** What a node keeps and what bounds it; undefined for nodes without state. */
export function stateOf(node: PlanNode): string | undefined {
  const endless = !node.traits.bounded
  switch (node.kind) {
    case 'aggregate': {
      const keys = node.keys.map((_, i) => node.schema.fields[i]!.name)
      const what = keys.length === 0 ? 'one row' : `a row per (${keys.join(', ')})`
      if (node.window !== undefined) {
        const clock = node.window.clock === 'event' ? 'the watermark' : 'the clock'
        const lateness = node.latenessMicros === 0 ? '' : ` + ${microsText(node.latenessMicros)}`
        return `${what} and open window, freed when ${clock} passes window_end${lateness}`
      }
      return keys.length === 0 ? what : `${what}${endless ? ', grows with the keys' : ''}`
    }
    case 'distinct':
      return `every row once${endless ? ', grows with the rows' : ''}`
    case 'sort':
      if (node.mode === 'top') return `the first ${(node.limit ?? 0) + node.offset} rows`
      if (node.mode === 'event-time') return 'rows ahead of the watermark'
      return node.mode === 'window' ? 'the rows of one watermark' : 'all rows'
    case 'limit':
      return 'a count'
    default:
      return undefined
  }
}
