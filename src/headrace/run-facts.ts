import type { OperatorContext } from '../operators/operator.ts'
import type { Graph } from '../runtime/graph/build.ts'
import type { SinkStage } from '../runtime/graph/sink-stage.ts'
import type { ScriptPlan } from '../sql/plan.ts'
import type { DeadLetters } from './dead-letters.ts'
import { savepointsOf } from './durable/savepoints.ts'
import type { Durable } from './durable/start.ts'
import { guarantees } from './guarantee.ts'
import type { DeadLetterQueue } from './letter-queue.ts'
import type { RunFacts } from './run-control.ts'

/** A pipeline that runs, as its status sees it. */
export interface RunningParts {
  readonly input: { readonly plan: ScriptPlan; readonly baseDirectory: string; readonly deadLetters: DeadLetters }
  readonly graph: Graph
  readonly sinks: readonly SinkStage[]
  readonly context: OperatorContext
  readonly queue: DeadLetterQueue | undefined
  readonly rowsIn: () => number
  readonly nowMicros: number
}

export function runFacts(
  { input, graph, sinks, context, queue, rowsIn, nowMicros }: RunningParts,
  { place, snapshots, folder }: Durable,
): RunFacts {
  return {
    pipeline: input.plan.name!,
    lineage: place.lineage,
    incarnation: String(place.incarnation),
    started: new Date(nowMicros / 1000).toISOString(),
    guarantees: guarantees(input.plan, input.baseDirectory),
    rowsIn,
    rowsOut: () => sinks.map(({ name, rows }) => ({ target: name, rows })),
    lateRows: () => context.counters.lateRows,
    deadLetters: () => Object.fromEntries(input.deadLetters.byCode),
    queue: () => {
      const fill = queue?.fill
      return fill === undefined ? null : { entries: fill.entries, bytes: fill.bytes, fill: fill.share }
    },
    queueWait: () => queue?.wait,
    bytes: () => snapshots.bytes,
    ...savepointsOf(folder, snapshots),
    watermarkMicros: () => {
      const open = graph.stages.flatMap(({ operator }) => operator.openSinceMicros ?? [])
      return open.length === 0 ? undefined : Math.min(...open)
    },
  }
}
