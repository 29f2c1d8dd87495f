import type { Batch } from '../core/batch.ts'
import type { Schema } from '../core/types.ts'
import type { BoundExpr } from '../expr/bound.ts'
import { RowFailure } from '../expr/functions.ts'
import { type Evaluator, interpret } from '../expr/interpret.ts'
import { keepRows, lastMark } from './keep-rows.ts'
import type { Operator, OperatorContext, Output } from './operator.ts'

export interface CheckSpec {
  readonly schema: Schema
  readonly checks: readonly {
    readonly expr: BoundExpr
    readonly code: 'row_check_violated' | 'row_not_null_violated'
    /** The condition, as messages print it. */
    readonly text: string
  }[]
}

/** CHECK and NOT NULL of declared columns: a row for which a condition is false is a row error. NULL passes. */
export class Check implements Operator {
  readonly schema: Schema
  readonly #spec: CheckSpec
  readonly #context: OperatorContext
  readonly #checks: readonly Evaluator[]

  constructor(spec: CheckSpec, context: OperatorContext) {
    this.schema = spec.schema
    this.#spec = spec
    this.#context = context
    this.#checks = spec.checks.map((check) => interpret(check.expr, context))
  }

  *process(batch: Batch): Iterable<Output> {
    const kept: number[] = []
    for (let row = 0; row < batch.rows; row++) if (this.#passes(batch, row)) kept.push(row)
    if (kept.length === batch.rows) yield { kind: 'batch', batch }
    else if (kept.length > 0) yield { kind: 'batch', batch: keepRows(batch, kept) }
    else yield* lastMark(batch)
  }

  #passes(batch: Batch, row: number): boolean {
    for (const [i, check] of this.#checks.entries()) {
      try {
        if (check(batch, row) !== false) continue
        const { code, text } = this.#spec.checks[i]!
        this.#context.onRowError({ code, detail: `${text} is false`, span: undefined, batch, row })
      } catch (failure) {
        if (!(failure instanceof RowFailure)) throw failure
        const { code, detail, span } = failure
        this.#context.onRowError({ code, detail, span, batch, row })
      }
      return false
    }
    return true
  }

  *onWatermark(micros: number): Iterable<Output> {
    yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  [Symbol.dispose](): void {}
}
