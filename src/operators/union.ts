import type { Batch } from '../core/batch.ts'
import type { Schema } from '../core/types.ts'
import type { Operator, Output } from './operator.ts'

/** UNION ALL: rows as they come; the stage combines the watermarks. */
export class Union implements Operator {
  readonly schema: Schema

  constructor(schema: Schema) {
    this.schema = schema
  }

  *process(batch: Batch): Iterable<Output> {
    yield { kind: 'batch', batch: { ...batch, schema: this.schema } }
  }

  *onWatermark(micros: number): Iterable<Output> {
    yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  [Symbol.dispose](): void {}
}
