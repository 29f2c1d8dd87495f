import type { SinkFacts } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import { inputsOf, type PlanNode, type ScriptPlan, type SinkTarget, type SourceNode } from '../sql/plan.ts'
import { overflowOf, queueSettings } from './dlq/settings.ts'
import type { Endpoint } from './endpoint.ts'
import { keepsState } from './keeps-state.ts'
import { type Regime, regimeOf } from './regime.ts'

/** What an independent reader of a sink sees after any number of crashes, strongest first (delivery.md §1). */
export const levels = ['exactly_once', 'effectively_once', 'at_least_once', 'at_most_once', 'none'] as const
export type Level = (typeof levels)[number]

/** What holds on the way from one source to one sink, and what would make it stronger (delivery.md §7). */
export interface EdgeGuarantee {
  readonly source: string
  readonly sink: string
  readonly level: Level
  readonly regime: Regime
  /** Mechanisms that it rests on. */
  readonly how: string
  readonly weakened_by: readonly string[]
  readonly raise_by: readonly string[]
}

interface Weakening {
  readonly to: Level
  readonly by: string
  readonly raise?: string | undefined
}

const weaker = (a: Level, b: Level): Level => levels[Math.max(levels.indexOf(a), levels.indexOf(b))]!

/** Computed when planned, from what connectors and options say; nothing is opened. */
export function guarantees(plan: ScriptPlan, baseDirectory: string): readonly EdgeGuarantee[] {
  const regime = regimeOf(plan)
  return plan.outputs.flatMap(({ root, targets }) =>
    targets.flatMap((target) =>
      sourcesOf(root).map((source) => edge(plan, { root, target, source }, { regime, baseDirectory })),
    ),
  )
}

function edge(
  plan: ScriptPlan,
  path: { readonly root: PlanNode; readonly target: SinkTarget | 'client'; readonly source: SourceNode | undefined },
  form: { readonly regime: Regime; readonly baseDirectory: string },
): EdgeGuarantee {
  const { root, target, source } = path
  const keeps = form.regime !== 'none'
  const facts = sinkFactsOf(target, { bounded: root.traits.bounded, baseDirectory: form.baseDirectory })
  const weakenings = [...sourceWeakenings(source), ...sinkWeakenings(facts)]
  if (!keeps) weakenings.push(withoutState(plan))
  const level = weakenings.reduce<Level>((at, { to }) => weaker(at, to), 'exactly_once')
  const notes = [
    ...(source !== undefined && onErrorOf(source) === 'skip' ? ['bad rows dropped (on_error = skip)'] : []),
    ...(keeps ? queueLosses(plan) : []),
  ]
  const raise = weakenings.flatMap(({ raise: by }) => (by === undefined ? [] : [by]))
  return {
    source: source?.info.uri ?? 'VALUES',
    sink: target === 'client' ? 'stdout:' : target.info.uri,
    level,
    regime: form.regime,
    how: keeps ? [replayOf(source), facts.how].filter((text) => text !== '').join(', ') : 'one run from start to end',
    weakened_by: [...weakenings.map(({ by }) => by), ...notes],
    raise_by: [...new Set(raise)],
  }
}

function sinkFactsOf(
  target: SinkTarget | 'client',
  form: { readonly bounded: boolean; readonly baseDirectory: string },
): SinkFacts {
  if (target === 'client') return { delivery: 'at-least-once', how: 'written at once' }
  const { connector, uri, options } = target.info.handle as Endpoint
  const own = connector.sinkFacts?.(uri, options, form)
  if (own !== undefined) return own
  const { delivery } = connector.capabilities.sink!
  return { delivery, how: connector.name === 'blackhole' ? 'no reader' : HOW[delivery] }
}

const HOW: Readonly<Record<SinkFacts['delivery'], string>> = {
  transactional: 'published at commit',
  idempotent: 'the same key overwrites',
  'at-least-once': 'written at once',
  'at-most-once': 'written at once',
}

const SINK_LEVEL: Readonly<Record<SinkFacts['delivery'], Level>> = {
  transactional: 'exactly_once',
  idempotent: 'effectively_once',
  'at-least-once': 'at_least_once',
  'at-most-once': 'at_most_once',
}

function sinkWeakenings({ delivery, how, weakenedBy, raiseBy }: SinkFacts): Weakening[] {
  if (delivery === 'transactional' || how === 'no reader') return []
  const by = weakenedBy ?? 'the sink cannot take back what a crash leaves'
  return [{ to: SINK_LEVEL[delivery], by, raise: raiseBy }]
}

function sourceWeakenings(source: SourceNode | undefined): Weakening[] {
  if (source === undefined) return []
  const { connector, printed } = source.info.handle as Endpoint
  if (connector.capabilities.source?.resume === 'offset') return []
  return [{ to: 'at_most_once', by: `${printed} cannot be read again`, raise: 'read from a file' }]
}

function withoutState(plan: ScriptPlan): Weakening {
  if (plan.name === undefined) {
    return { to: 'none', by: 'a text without a name keeps no state', raise: 'put it in a file, or write -- @name' }
  }
  if (keepsState(plan)) return { to: 'none', by: 'checkpoint.enabled = false', raise: 'checkpoint.enabled = true' }
  return { to: 'none', by: 'nothing of a run outlives it: it starts over', raise: 'write to a file' }
}

/** What the dead letters of a pipeline that keeps state may lose. */
function queueLosses(plan: ScriptPlan): string[] {
  const settings = queueSettings(plan)
  if (!settings.enabled) return ['bad rows dropped (dlq.enabled = false)']
  return overflowOf(settings) === 'drop_oldest' ? ['oldest dead letters dropped when full (dlq.overflow)'] : []
}

const onErrorOf = (source: SourceNode): unknown => (source.info.handle as Endpoint).options['on_error']

const replayOf = (source: SourceNode | undefined): string => (source === undefined ? '' : 'offset replay')

function sourcesOf(root: PlanNode): readonly (SourceNode | undefined)[] {
  const found = new Set<SourceNode | undefined>()
  const visit = (node: PlanNode): void => {
    if (node.kind === 'source') found.add(node)
    else if (node.kind === 'values') found.add(undefined)
    else for (const input of inputsOf(node)) visit(input)
  }
  visit(root)
  return [...found]
}

/** Refuses a plan that asks for more than is proved, before anything is opened (delivery.md §7). */
export function refuseUnprovable(plan: ScriptPlan, baseDirectory: string): void {
  const asked = plan.settings.get('delivery')
  if (asked === undefined) return
  if (!levels.some((level) => level === asked)) {
    throw new HeadraceError('connector_option_invalid', `delivery = '${asked}' is not known`, {
      hint: `one of: ${levels.join(', ')}`,
    })
  }
  const short = guarantees(plan, baseDirectory).find(
    ({ level }) => levels.indexOf(level) > levels.indexOf(asked as Level),
  )
  if (short === undefined) return
  const { source, sink, level, weakened_by: by, raise_by: raise } = short
  throw new HeadraceError('delivery_not_provable', `${source} → ${sink} is ${level}, not ${asked}: ${by.join('; ')}`, {
    hint: raise.length > 0 ? raise.join('; ') : `ask for delivery = '${level}'`,
    details: { ...short },
  })
}

/** One line per edge. */
export function guaranteeText(edges: readonly EdgeGuarantee[]): string {
  const ways = edges.map(({ source, sink }) => `${source} → ${sink}`)
  const wide = Math.max(0, ...ways.map((way) => way.length))
  return edges
    .map(({ level, regime, how, weakened_by: by, raise_by: raise }, i) => {
      const weak = by.length === 0 ? '' : `; weakened by ${by.join(', ')}`
      const up = raise.length === 0 ? '' : `; raise by ${raise.join(', ')}`
      const led = regime === 'none' ? '' : `${regime}; `
      return `${ways[i]!.padEnd(wide)}   ${level.padEnd(16)}   ${led}${how}${weak}${up}\n`
    })
    .join('')
}
