import type { Batch } from '../../core/batch.ts'
import type { Dictionary } from '../../core/column.ts'
import type { Value } from '../../core/values.ts'
import { type BoundExpr, childrenOf } from '../bound.ts'
import { RowFailure } from '../functions.ts'
import { columnPath, type Evaluator } from '../interpret.ts'

/** Stands for a row that failed. */
export const FAILED: unique symbol = Symbol('failed')

export type CodeValue = Value | typeof FAILED

/** Answers of one expression per code of each dictionary. A dictionary may grow but never changes an entry. */
export class PerCode {
  readonly #evaluate: Evaluator
  readonly #answers = new WeakMap<Dictionary, CodeValue[]>()

  constructor(evaluate: Evaluator) {
    this.#evaluate = evaluate
  }

  /** The answers so far, indexed by code; holes are not known yet. */
  answersOf(dictionary: Dictionary): CodeValue[] {
    let answers = this.#answers.get(dictionary)
    if (answers === undefined) {
      answers = []
      this.#answers.set(dictionary, answers)
    }
    return answers
  }

  compute(batch: Batch, row: number): CodeValue {
    try {
      return this.#evaluate(batch, row)
    } catch (failure) {
      if (failure instanceof RowFailure) return FAILED
      throw failure
    }
  }
}

/** The one column path that an expression reads; undefined when it reads none or several, or is not a function of it. */
export function onlyPath(expr: BoundExpr): readonly number[] | undefined {
  const paths = new Map<string, readonly number[]>()
  return collect(expr, paths) && paths.size === 1 ? [...paths.values()][0] : undefined
}

function collect(expr: BoundExpr, paths: Map<string, readonly number[]>): boolean {
  const path = columnPath(expr)
  if (path !== undefined) {
    paths.set(path.join('.'), path)
    return true
  }
  if (expr.kind === 'context' || (expr.kind === 'call' && !expr.overload.deterministic)) return false
  return childrenOf(expr).every((child) => collect(child, paths))
}
