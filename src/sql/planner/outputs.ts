import type { Span } from '../../expr/bound.ts'
import type { EmitNode } from '../ast.ts'
import type { BoundOutput } from '../binder/bind-script.ts'
import type { Environment } from '../binder/context.ts'
import { fault } from '../binder/failure.ts'
import { shownOnly } from '../binder/query.ts'
import type { Sink } from '../binder/relation.ts'
import type { Output, PlanNode } from '../plan.ts'
import { inputsOf } from '../plan.ts'
import { holdsKey } from '../streaming/traits.ts'
import { refuseLoops } from './loops.ts'
import { Planner } from './relation-to-plan.ts'

/** Plans all outputs of a script; what fails is reported and left out. */
export function planOutputs(outputs: readonly BoundOutput[], environment: Environment): Output[] {
  refuseLoops(outputs, environment)
  const planner = new Planner(environment)
  return outputs.flatMap((output) => environment.reporter.attempt(() => planOutput(output, planner)) ?? [])
}

function planOutput(output: BoundOutput, planner: Planner): Output {
  const { emit } = output
  const top = shownOnly(output.relation)
  const root = planner.plan(top, output.relation.boundary === true ? undefined : emit)
  checkEmit(emit, root)
  const marked = output.primaryKey.map((at) => visiblePlace(output, at))
  const key = marked.length > 0 ? marked : root.traits.key
  const targets = output.targets.map((target) => {
    if (target === 'client') return target
    const own = target.info.key.map((name) => root.schema.fields.findIndex((field) => field.name === name))
    checkSink(target, root, own.length > 0 ? own : key, output.span)
    return { name: target.name, info: target.info }
  })
  if (emit?.mode === 'on-update' && root.traits.changes !== 'append' && key.length === 0) {
    fault('sql_sink_needs_key', 'EMIT ON UPDATE needs a key, but the result has none', emit.span, {
      hint: 'mark the key: SELECT c PRIMARY KEY, or GROUP BY a column',
    })
  }
  const sinkKey = output.targets.find((target) => target !== 'client' && target.info.key.length > 0)
  const named = sinkKey === undefined || sinkKey === 'client' ? [] : sinkKey.info.key
  const chosen = named.map((name) => root.schema.fields.findIndex((field) => field.name === name))
  const final = chosen.length > 0 ? chosen : key
  return { root, targets, key: final, oldImages: emit?.mode !== 'on-update' }
}

const visiblePlace = (output: BoundOutput, at: number): number =>
  output.relation.columns.slice(0, at).filter((column) => !column.hidden).length

/** EMIT clauses that no grouping of the query takes. */
function checkEmit(emit: EmitNode | undefined, root: PlanNode): void {
  if (emit === undefined) return
  const windowed = some(root, (node) => node.kind === 'aggregate' && node.window !== undefined)
  if ((emit.mode === 'on-window-close' || emit.mode === 'after-watermark') && !windowed) {
    fault('sql_emit_needs_window', 'the EMIT clause stands where there is no window', emit.span, {
      hint: 'add a window: GROUP BY TUMBLE(ts, 5m)',
    })
  }
  if (emit.mode === 'final' && !windowed && !root.traits.bounded) {
    fault(
      'sql_emit_final_unbounded',
      'EMIT FINAL would never emit: there is no window and the input never ends',
      emit.span,
      {
        hint: 'add a window, or write EMIT CHANGES',
      },
    )
  }
}

const some = (node: PlanNode, test: (node: PlanNode) => boolean): boolean =>
  test(node) || inputsOf(node).some((input) => some(input, test))

function checkSink(sink: Sink, root: PlanNode, key: readonly number[], query: Span): void {
  const { changes } = root.traits
  const missing = sink.info.key.find((name) => !root.schema.fields.some((field) => field.name === name))
  if (missing !== undefined) {
    fault('sql_column_not_found', `the key column "${missing}" of the sink is no output column`, sink.span, {
      hint: `select it, or name another key; the query gives ${root.schema.fields.map((field) => field.name).join(', ')}`,
    })
  }
  if (changes === 'append' || sink.info.accepts === 'changelog') return
  if (sink.info.accepts === 'append') {
    const message = `sink ${sink.info.label} accepts appends only, but this query revises rows (${reviser(root)})`
    fault('sql_sink_rejects_updates', message, sink.span, {
      hint: `add a window with EMIT FINAL, or ${changelogHint(sink, query)}, or use an upsert sink such as postgresql`,
    })
  }
  const own = root.traits.key
  if (key.length > 0 && changes === 'upsert' && !holdsKey(root.traits, key)) {
    const names = own.map((at) => root.schema.fields[at]!.name).join(', ')
    fault(
      'sql_sink_needs_key',
      `the key of sink ${sink.info.label} does not hold the key of the result (${names})`,
      sink.span,
      {
        hint: `name these columns as key, or more: key = [${own.map((at) => `'${root.schema.fields[at]!.name}'`).join(', ')}]`,
      },
    )
  }
  if (key.length === 0) {
    fault('sql_sink_needs_key', `sink ${sink.info.label} writes by key, but the result has none`, sink.span, {
      hint: "mark it: SELECT c PRIMARY KEY, or WITH (key = ['c'])",
    })
  }
}

/** Where the option may be written: behind the query, or where the sink is made. */
function changelogHint(sink: Sink, query: Span): string {
  const option = "WITH (changelog = 'columns')"
  if (sink.name !== sink.info.uri) return `${option} behind CREATE SINK ${sink.name} INTO …`
  return sink.span.end <= query.start ? `${option} behind the query of the INSERT` : option
}

/** What makes the rows of a plan change: `GROUP BY user without a window`. */
function reviser(node: PlanNode): string {
  if (node.kind === 'aggregate' && node.emission !== 'close' && node.emission !== 'end') {
    if (node.window !== undefined) return 'a window with EMIT CHANGES'
    const keys = node.keys.map((_, i) => node.schema.fields[i]!.name)
    return keys.length === 0 ? 'an aggregate without a window' : `GROUP BY ${keys.join(', ')} without a window`
  }
  if (node.kind === 'sort' && node.mode === 'top') return 'ORDER BY … LIMIT'
  if (node.kind === 'source') return `the changelog of ${node.name}`
  return reviser(inputsOf(node).find((input) => input.traits.changes !== 'append') ?? inputsOf(node)[0]!)
}
