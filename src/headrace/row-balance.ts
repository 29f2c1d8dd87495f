import { inputsOf, type PlanNode, type ScriptPlan } from '../sql/plan.ts'

/** Where the records of a run went: `in` is the sum of all others. */
export interface RowBalance {
  /** Records that were read, those that did not decode included. */
  readonly in: number
  readonly out: number
  /** Rows that a condition of the query left out. */
  readonly filtered: number
  readonly dlq: number
  readonly late: number
  /** Bad rows that `on_error = 'skip'` dropped. */
  readonly skipped: number
}

const ROW_TO_ROW: ReadonlySet<PlanNode['kind']> = new Set([
  'source',
  'values',
  'watermark',
  'filter',
  'project',
  'check',
  'union',
])

/** Every record becomes one row at most, on one way to one target: only then can they be added up. */
export function isRowToRow(plan: ScriptPlan): boolean {
  const [output, other] = plan.outputs
  if (output === undefined || other !== undefined || output.targets.length !== 1) return false
  if (output.root.traits.changes !== 'append' || plan.settings.get('on_expr_error') === 'null') return false
  const seen = new Set<PlanNode>()
  const visit = (node: PlanNode): boolean => {
    if (!ROW_TO_ROW.has(node.kind) || seen.has(node)) return false
    seen.add(node)
    return inputsOf(node).every(visit)
  }
  return visit(output.root)
}

/** Undefined where the numbers of an older snapshot do not tell. */
export function balanceOf(counts: {
  readonly rowsIn: number
  readonly rowsOut: number
  readonly lateRows: number
  /** Records that did not become rows. */
  readonly undecoded: number
  readonly rejected: number
  readonly skipped: number
}): RowBalance | undefined {
  const { rowsIn, rowsOut: out, lateRows: late, undecoded, rejected, skipped } = counts
  const dlq = rejected - skipped
  const filtered = rowsIn + undecoded - out - dlq - skipped - late
  if (filtered < 0 || dlq < 0) return undefined
  return { in: rowsIn + undecoded, out, filtered, dlq, late, skipped }
}
