import type { Batch } from '../../core/batch.ts'
import { valueAt } from '../../core/column-read.ts'
import { BatchBuilder } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import { type ExactInteger, isWide, type Value } from '../../core/values.ts'
import { type Evaluator, interpret } from '../../expr/interpret.ts'
import type { OperatorContext, Output } from '../operator.ts'
import type { Intake } from './row-intake.ts'
import { type GroupSpec, windowEnd, windowStart } from './spec.ts'

/** LATE DATA TO: the input row, then `_late_by`, `_watermark`, `_window_start`, `_window_end`, once per missed window. */
export class LateOutput implements Disposable {
  readonly #spec: GroupSpec
  readonly #builder: BatchBuilder
  readonly #time: Evaluator

  constructor(spec: GroupSpec, schema: Schema, context: OperatorContext) {
    this.#spec = spec
    this.#builder = new BatchBuilder(schema, context.batchRows, context.memory)
    this.#time = interpret(spec.window!.time, context)
  }

  /** `watermark`: what the rows were judged against when the batch does not say it per row. */
  *rows(batch: Batch, intake: Intake, watermark: number): Iterable<Output> {
    const window = this.#spec.window!
    const inputs = this.#builder.schema.fields.length - 4
    this.#builder.reset()
    for (let i = 0; i < intake.late; i++) {
      const row = intake.lateRows[i]!
      const seen = batch.watermarks?.[row] ?? watermark
      const missed = intake.lateWindow[i]!
      const time = this.#time(batch, row) as ExactInteger
      const late = seen - (isWide(time) ? Number(time) : time)
      const values: Value[] = batch.columns.slice(0, inputs).map((column) => valueAt(column, row))
      values.push({ months: 0, days: 0, micros: late }, seen, windowStart(window, missed), windowEnd(window, missed))
      this.#builder.append(values)
      if (this.#builder.full) {
        yield { kind: 'late', batch: this.#builder.finish() }
        this.#builder.reset()
      }
    }
    if (this.#builder.rows > 0) yield { kind: 'late', batch: this.#builder.finish() }
  }

  [Symbol.dispose](): void {
    this.#builder[Symbol.dispose]()
  }
}
