import type { Schema } from '../core/types.ts'
import type { Graph } from '../runtime/graph/build.ts'
import type { Receiver } from '../runtime/graph/stage.ts'
import type { ScriptPlan, SinkTarget } from '../sql/plan.ts'
import type { Endpoint } from './endpoint.ts'
import { PartNames, type SinkForm } from './open.ts'

/** A sink of a plan, not opened yet. */
export interface PlannedSink {
  /** As the digest names it. */
  readonly name: string
  /** As snapshots and staged files name it: the same in every run of the same plan. */
  readonly part: string
  /** Undefined: rows go to the client. */
  readonly target: SinkTarget | undefined
  readonly schema: Schema
  readonly form: SinkForm
  readonly oldImages: boolean
  /** Lead rows to the receiver: one for each path, statements that write the same target share its sink. */
  readonly paths: ((receiver: Receiver) => void)[]
}

/** All sinks of a plan in the order of its outputs, then those of late rows. */
export function planSinks(plan: ScriptPlan, graph: Graph): readonly PlannedSink[] {
  const parts = new PartNames()
  const sinks: PlannedSink[] = []
  const byTarget = new Map<string, PlannedSink>()
  const add = (
    target: SinkTarget | undefined,
    sink: Pick<PlannedSink, 'schema' | 'form' | 'oldImages'>,
    path: (receiver: Receiver) => void,
  ): void => {
    const same = target === undefined ? undefined : sameText(target, sink)
    const known = same === undefined ? undefined : byTarget.get(same)
    if (known !== undefined) {
      known.paths.push(path)
      return
    }
    const name = target?.info.uri ?? 'client'
    const part = parts.of({ name: target?.name ?? 'client', uri: name })
    const planned: PlannedSink = { ...sink, name, part, target, paths: [path] }
    sinks.push(planned)
    if (same !== undefined) byTarget.set(same, planned)
  }
  for (const { root, targets, key, oldImages } of plan.outputs) {
    const changes = root.traits.changes !== 'append'
    const { bounded, eventTime } = root.traits
    for (const target of targets) {
      const isClient = target === 'client'
      const form = { changes: changes && (isClient || target.info.accepts === 'changelog'), key, bounded, eventTime }
      add(isClient ? undefined : target, { schema: root.schema, form, oldImages }, (receiver) =>
        graph.place(root).connect(receiver),
      )
    }
  }
  for (const { stage, node, schema } of graph.late) {
    if (node.late === 'dlq') continue
    const form = { changes: false, key: [], bounded: node.traits.bounded, eventTime: undefined }
    add(node.late!, { schema, form, oldImages: true }, (receiver) => stage.connectLate(receiver))
  }
  return sinks
}

function sameText(target: SinkTarget, { schema, form, oldImages }: Pick<PlannedSink, 'schema' | 'form' | 'oldImages'>) {
  const { uri, options } = target.info.handle as Endpoint
  return JSON.stringify([uri.text, Object.entries(options), form, oldImages, schema.fields], (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
}
