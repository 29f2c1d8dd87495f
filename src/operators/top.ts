import type { Batch } from '../core/batch.ts'
import { CHANGE } from '../core/change.ts'
import { BatchBuilder, type Row, rowAt } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { SortKey } from '../expr/bound.ts'
import { RowFailure } from '../expr/functions.ts'
import { type Evaluator, interpret } from '../expr/interpret.ts'
import type { Operator, OperatorContext, Output } from './operator.ts'
import { type Sortable, sortOrder } from './sort-order.ts'

export interface TopSpec {
  readonly schema: Schema
  readonly keys: readonly SortKey[]
  readonly limit: number | undefined
  readonly offset: number
}

/**
 * ORDER BY … LIMIT over endless appended rows: the rows at places `offset` … `offset + limit`, as a changelog. A row
 * that is pushed out leaves with −D, a row that moves in comes with +I. Keeps `offset + limit` rows.
 */
export class Top implements Operator {
  readonly schema: Schema
  readonly #spec: TopSpec
  readonly #context: OperatorContext
  readonly #keys: readonly Evaluator[]
  readonly #order: (a: Sortable, b: Sortable) => number
  readonly #builder: BatchBuilder
  #rows: (Sortable & { readonly row: Row })[] = []
  #sequence = 0

  constructor(spec: TopSpec, context: OperatorContext) {
    this.schema = spec.schema
    this.#spec = spec
    this.#context = context
    this.#keys = spec.keys.map((key) => interpret(key.expr, context))
    this.#order = sortOrder(spec.keys)
    this.#builder = new BatchBuilder(spec.schema, context.batchRows, context.memory)
  }

  *process(batch: Batch): Iterable<Output> {
    const before = this.#visible()
    for (let row = 0; row < batch.rows; row++) this.#take(batch, row)
    const after = this.#visible()
    this.#builder.reset()
    for (const gone of before) if (!after.includes(gone)) yield* this.#put(gone.row.values, CHANGE.delete)
    for (const came of after) if (!before.includes(came)) yield* this.#put(came.row.values, CHANGE.insert)
    if (this.#builder.rows > 0) yield { kind: 'batch', batch: this.#builder.finish() }
  }

  *#put(values: readonly Value[], change: 0 | 3): Iterable<Output> {
    this.#builder.append(values, change)
    if (!this.#builder.full) return
    yield { kind: 'batch', batch: this.#builder.finish() }
    this.#builder.reset()
  }

  #visible(): (Sortable & { readonly row: Row })[] {
    return this.#rows.slice(this.#spec.offset)
  }

  #take(batch: Batch, row: number): void {
    try {
      const entry = {
        row: rowAt(batch, row),
        keys: this.#keys.map((key) => key(batch, row)),
        sequence: this.#sequence++,
      }
      let at = this.#rows.length
      while (at > 0 && this.#order(entry, this.#rows[at - 1]!) < 0) at--
      this.#rows.splice(at, 0, entry)
      const most = this.#spec.offset + (this.#spec.limit ?? Number.POSITIVE_INFINITY)
      if (this.#rows.length > most) this.#rows.pop()
    } catch (failure) {
      if (!(failure instanceof RowFailure)) throw failure
      const { code, detail, span } = failure
      this.#context.onRowError({ code, detail, span, batch, row })
    }
  }

  *onWatermark(micros: number): Iterable<Output> {
    yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  [Symbol.dispose](): void {
    this.#builder[Symbol.dispose]()
  }
}
