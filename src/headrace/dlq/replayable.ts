import { HeadraceError } from '../../core/errors.ts'
import { inputsOf, type PlanKind, type PlanNode, type ScriptPlan, type SourceNode } from '../../sql/plan.ts'
import type { EntryFacts } from './entry.ts'

/** What keeps rows or counts them: a row that comes once more would be counted beside the others, or too late. */
const STATEFUL: Readonly<Partial<Record<PlanKind, string>>> = {
  aggregate: 'a grouping',
  distinct: 'DISTINCT',
  sort: 'ORDER BY',
  limit: 'LIMIT',
}

/** Names of what keeps rows in a plan. */
const keepersOf = (plan: ScriptPlan): ReadonlySet<string> =>
  new Set([...nodesOf(plan)].flatMap(({ kind }) => STATEFUL[kind] ?? []))

/** Rows can run again one by one. */
export const isRowByRow = (plan: ScriptPlan): boolean => keepersOf(plan).size === 0

/** Refuses a pipeline whose rows cannot run again one by one. */
export function refuseStateful(plan: ScriptPlan): void {
  const kept = keepersOf(plan)
  if (kept.size === 0) return
  throw new HeadraceError(
    'dlq_replay_refused',
    `"${plan.name}" has ${[...kept].join(' and ')}: its rows do not run again`,
    {
      hint:
        'windows that have closed would not count them, and others would count them late; ' +
        'write what headrace dlq show --raw gives into a source of the pipeline',
    },
  )
}

function nodesOf({ outputs }: ScriptPlan): ReadonlySet<PlanNode> {
  const found = new Set<PlanNode>()
  const visit = (node: PlanNode): void => {
    if (found.has(node)) return
    found.add(node)
    for (const input of inputsOf(node)) visit(input)
  }
  for (const { root } of outputs) visit(root)
  return found
}

/** Why an entry does not run again. */
export type LeftOut =
  | 'its source is no part of the script'
  | 'its bytes were cut'
  | 'its original bytes are gone'
  | 'it came too late'
  | 'other outputs have its row already'
  | 'other rows of its record were delivered'
  | 'its header is gone'
  | '--map left it out'

/** What the plan says of entries that failed behind the decoder: some of the record may have been delivered. */
export class Replayable {
  readonly #sources: readonly SourceNode[]
  /** By source: targets that its rows lead to, and whether a record may be several rows. */
  readonly #paths = new Map<string, { readonly outputs: number; readonly unnests: boolean }>()

  constructor(plan: ScriptPlan) {
    const nodes = [...nodesOf(plan)]
    this.#sources = nodes.filter((node) => node.kind === 'source')
    for (const { id } of this.#sources) {
      const leading = plan.outputs.filter(({ root }) => leadsTo(root, id))
      const outputs = leading.reduce((sum, { targets }) => sum + targets.length, 0)
      this.#paths.set(id, { outputs, unnests: leading.some(({ root }) => unnests(root, id)) })
    }
  }

  /** The source that an entry came from; by its name when the plan has changed. */
  sourceOf({ original_message: { source_id: id, source_uri: uri } }: EntryFacts): SourceNode | undefined {
    return this.#sources.find((node) => node.id === id) ?? this.#sources.find((node) => node.info.uri === uri)
  }

  leftOut(facts: EntryFacts, stage: string): LeftOut | undefined {
    const source = this.sourceOf(facts)
    const { truncated, encoding } = facts.original_message
    if (source === undefined) return 'its source is no part of the script'
    if (truncated === true) return 'its bytes were cut'
    if (encoding === 'row') return 'its original bytes are gone'
    if (stage === 'window') return 'it came too late'
    const { outputs, unnests: several } = this.#paths.get(source.id)!
    if (stage !== 'decode' && outputs > 1) return 'other outputs have its row already'
    if (stage !== 'decode' && several) return 'other rows of its record were delivered'
    return undefined
  }
}

const leadsTo = (node: PlanNode, id: string): boolean =>
  node.id === id || inputsOf(node).some((input) => leadsTo(input, id))

const unnests = (node: PlanNode, id: string): boolean =>
  leadsTo(node, id) && (node.kind === 'unnest' || inputsOf(node).some((input) => unnests(input, id)))
