import type { Batch } from '../core/batch.ts'
import type { Value } from '../core/values.ts'
import type { SortKey } from '../expr/bound.ts'
import { comparator } from '../expr/compare.ts'
import { RowFailure } from '../expr/functions.ts'
import { type Evaluator, interpret } from '../expr/interpret.ts'
import type { OperatorContext } from './operator.ts'

/** What a row is sorted by: its keys, then its order of arrival. */
export interface Sortable {
  readonly keys: readonly Value[]
  readonly sequence: number
}

/** The order that ORDER BY asks for. */
export function sortOrder(keys: readonly SortKey[]): (a: Sortable, b: Sortable) => number {
  const comparators = keys.map((key) => comparator(key.expr.type))
  return (a, b) => {
    for (const [i, key] of keys.entries()) {
      const x = a.keys[i]!
      const y = b.keys[i]!
      if (x === null || y === null) {
        if (x === y) continue
        return (x === null) === key.nullsFirst ? -1 : 1
      }
      const order = comparators[i]!(x, y)
      if (order !== 0) return key.descending ? -order : order
    }
    return a.sequence - b.sequence
  }
}

/** ORDER BY over the rows of batches: their keys, and which of two comes first. */
export class SortKeys {
  readonly compare: (a: Sortable, b: Sortable) => number
  readonly #context: OperatorContext
  readonly #keys: readonly Evaluator[]

  constructor(keys: readonly SortKey[], context: OperatorContext) {
    this.compare = sortOrder(keys)
    this.#context = context
    this.#keys = keys.map((key) => interpret(key.expr, context))
  }

  /** The keys of a row; undefined when one fails, which is then a row error. */
  of(batch: Batch, row: number): readonly Value[] | undefined {
    try {
      return this.#keys.map((key) => key(batch, row))
    } catch (failure) {
      if (!(failure instanceof RowFailure)) throw failure
      const { code, detail, span } = failure
      this.#context.onRowError({ code, detail, span, batch, row })
      return undefined
    }
  }
}
