import type { BoundExpr } from '../../expr/bound.ts'
import type { NodeDraft, PlanNode, Traits } from '../plan.ts'

const plain: Traits = { bounded: true, changes: 'append', key: [], eventTime: undefined, holdMicros: 0 }

/** What streaming analysis says of a node, from its own fields and the traits of its inputs. */
export function traitsOf(node: NodeDraft): Traits {
  switch (node.kind) {
    case 'source': {
      const key = node.info.key.map((name) => node.columns.findIndex((column) => column.name === name))
      const known = key.length > 0 && key.every((at) => at >= 0)
      const changes = node.info.changes === 'append' ? 'append' : known ? 'upsert' : 'retract'
      return { ...plain, bounded: node.info.bounded, changes, key: known ? key : [] }
    }
    case 'values':
      return plain
    case 'watermark':
      return { ...node.input.traits, eventTime: node.column }
    case 'project':
      return projected(node)
    case 'filter':
    case 'check':
    case 'limit':
      return node.input.traits
    case 'aggregate':
      return aggregated(node)
    case 'distinct':
      return { ...node.input.traits, changes: 'append', key: node.schema.fields.map((_, i) => i) }
    case 'union':
      return united(node.inputs)
    case 'unnest': {
      const { changes, ...rest } = node.input.traits
      return { ...rest, changes: changes === 'append' ? 'append' : 'retract', key: [] }
    }
    case 'sort':
      return sorted(node)
  }
}

/** True when columns tell live rows apart: they hold the key, of the edges of a window at least one. */
export function holdsKey({ key, window }: Traits, columns: readonly number[]): boolean {
  const other = (column: number) => (column === window?.start ? window.end : window?.start)
  const isEdge = (column: number) => column === window?.start || column === window?.end
  return key.every((column) => columns.includes(column) || (isEdge(column) && columns.includes(other(column)!)))
}

type DraftOf<K extends NodeDraft['kind']> = Extract<NodeDraft, { kind: K }>

function projected(node: DraftOf<'project'>): Traits {
  const { traits } = node.input
  const isColumn = (column: number) => (output: BoundExpr) => output.kind === 'column' && output.index === column
  const place = (column: number) => node.outputs.findIndex(isColumn(column))
  const start = traits.window === undefined ? -1 : place(traits.window.start)
  const end = traits.window === undefined ? -1 : place(traits.window.end)
  const isImplied = (column: number) =>
    (column === traits.window?.end && start >= 0) || (column === traits.window?.start && end >= 0)
  const key = traits.key.filter((column) => place(column) >= 0 || !isImplied(column)).map(place)
  const kept = key.length > 0 && key.every((at) => at >= 0)
  // The hidden copy that a query keeps for its readers comes last.
  const time = traits.eventTime === undefined ? -1 : node.outputs.findLastIndex(isColumn(traits.eventTime))
  return {
    ...traits,
    changes: traits.changes === 'upsert' && !kept ? 'retract' : traits.changes,
    key: kept ? key : [],
    window: start >= 0 && end >= 0 ? { start, end } : undefined,
    eventTime: time < 0 ? undefined : time,
  }
}

/** Results at once revise by key; a result for good is append. A grouping without a key has one row without a name. */
function aggregated(node: DraftOf<'aggregate'>): Traits {
  const { traits } = node.input
  const { keys, window, emission } = node
  const holdMicros = traits.holdMicros + node.latenessMicros
  const eventTime = window?.clock === 'event' ? keys.length + 2 : undefined
  const edges = window === undefined ? undefined : { start: keys.length, end: keys.length + 1 }
  const key = [...keys.map((_, i) => i), ...(edges === undefined ? [] : [edges.start, edges.end])]
  const common = { bounded: traits.bounded, key, window: edges, eventTime, holdMicros }
  if (emission === 'close' || emission === 'end') return { ...common, changes: 'append' }
  return { ...common, changes: key.length > 0 ? 'upsert' : 'retract' }
}

function united(inputs: readonly PlanNode[]): Traits {
  const all = inputs.map((input) => input.traits)
  const times = new Set(all.map((traits) => traits.eventTime))
  return {
    bounded: all.every((traits) => traits.bounded),
    changes: all.every((traits) => traits.changes === 'append') ? 'append' : 'retract',
    key: [],
    eventTime: times.size === 1 ? all[0]?.eventTime : undefined,
    holdMicros: Math.max(...all.map((traits) => traits.holdMicros)),
  }
}

function sorted(node: DraftOf<'sort'>): Traits {
  const { traits } = node.input
  if (node.mode === 'top') return { ...traits, changes: 'retract', key: [], eventTime: undefined }
  if (node.mode === 'end') return { ...traits, changes: 'append', eventTime: undefined }
  return traits
}
