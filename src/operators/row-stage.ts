import type { Batch } from '../core/batch.ts'
import { CHANGE } from '../core/change.ts'
import type { Schema } from '../core/types.ts'
import type { BoundExpr } from '../expr/bound.ts'
import { RowProgram } from '../expr/project.ts'
import { lastMark } from './keep-rows.ts'
import type { Operator, OperatorContext, Output } from './operator.ts'

export interface RowStageSpec {
  readonly input: Schema
  readonly output: Schema
  readonly filters: readonly BoundExpr[]
  readonly outputs: readonly BoundExpr[]
  /** True when the input revises rows: a filter may then part an update pair. */
  readonly revises: boolean
}

/** Filters and projections, joined into one pass. */
export class RowStage implements Operator {
  readonly schema: Schema
  readonly #spec: RowStageSpec
  readonly #context: OperatorContext
  readonly #program: RowProgram

  constructor(spec: RowStageSpec, context: OperatorContext) {
    this.schema = spec.output
    this.#spec = spec
    this.#context = context
    this.#program = new RowProgram({ ...spec, mode: context.mode, onFailure: context.onExprError, deps: context })
  }

  *process(batch: Batch): Iterable<Output> {
    const { batch: output, failures } = this.#program.run(batch)
    for (const failure of failures) this.#context.onRowError({ ...failure, batch })
    if (output !== undefined) {
      yield { kind: 'batch', batch: this.#spec.revises ? this.#withPairs(batch, output) : output }
      return
    }
    yield* lastMark(batch)
  }

  /** A lone −U becomes −D, a lone +U becomes +I (rulings 36); the halves of a pair are neighbours. */
  #withPairs(input: Batch, output: Batch): Batch {
    const before = input.changes
    if (before === undefined || output.changes === undefined || output.rows === input.rows) return output
    const { kept } = this.#program
    const changes = output.changes.slice(0, output.rows)
    for (let i = 0; i < output.rows; i++) {
      const row = kept[i]!
      const isOld = changes[i] === CHANGE.updateBefore
      if (isOld && before[row + 1] === CHANGE.updateAfter && (i + 1 === output.rows || kept[i + 1] !== row + 1)) {
        changes[i] = CHANGE.delete
      }
      const isNew = changes[i] === CHANGE.updateAfter
      if (isNew && before[row - 1] === CHANGE.updateBefore && (i === 0 || kept[i - 1] !== row - 1)) {
        changes[i] = CHANGE.insert
      }
    }
    return { ...output, changes }
  }

  *onWatermark(micros: number): Iterable<Output> {
    yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]()
  }
}
