import type { Batch } from '../core/batch.ts'
import { adds, CHANGE } from '../core/change.ts'
import { valueAt } from '../core/column-read.ts'
import { BatchBuilder, type Row, rowAt } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { SortKey } from '../expr/bound.ts'
import { type Comparator, comparator } from '../expr/compare.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { StateWriter } from '../state/state-writer.ts'
import type { Operator, OperatorContext, Output } from './operator.ts'
import { SortKeys } from './sort-order.ts'
import { readSorted, type SortedRow, writeSorted } from './sorted-rows.ts'

export interface SortSpec {
  readonly schema: Schema
  readonly keys: readonly SortKey[]
  /** `end`: at the end; `window`: rows between two watermarks; `event-time`: as the watermark passes `time`. */
  readonly mode: 'end' | 'window' | 'event-time'
  readonly limit: number | undefined
  readonly offset: number
  /** The input revises rows: none is forgotten before the end. */
  readonly revises: boolean
  /** Event-time column, for mode `event-time`. */
  readonly time: number | undefined
}

/** ORDER BY. Keeps the rows until they may leave; with a limit at the end only the best `offset + limit`. */
export class Sort implements Operator {
  readonly schema: Schema
  readonly #spec: SortSpec
  readonly #context: OperatorContext
  readonly #keys: SortKeys
  readonly #comparators: readonly Comparator[]
  readonly #builder: BatchBuilder
  #rows: SortedRow[] = []
  #sequence = 0

  constructor(spec: SortSpec, context: OperatorContext) {
    this.schema = spec.schema
    this.#spec = spec
    this.#context = context
    this.#keys = new SortKeys(spec.keys, context)
    this.#comparators = spec.schema.fields.map((field) => comparator(field.type))
    this.#builder = new BatchBuilder(spec.schema, context.batchRows, context.memory)
  }

  *process(batch: Batch): Iterable<Output> {
    let from = 0
    if (this.#spec.mode !== 'end') {
      for (const mark of batch.marks ?? []) {
        this.#take(batch, from, mark.row)
        from = mark.row
        yield* this.onWatermark(mark.watermark)
      }
    }
    this.#take(batch, from, batch.rows)
    this.#prune()
  }

  #take(batch: Batch, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      if (this.#isLate(batch, row)) {
        this.#context.counters.lateRows++
        continue
      }
      const keys = this.#keys.of(batch, row)
      if (keys === undefined) continue
      const kept = rowAt(batch, row)
      if (adds(kept.change))
        this.#rows.push({ row: { ...kept, change: CHANGE.insert }, keys, sequence: this.#sequence++ })
      else this.#remove(kept)
    }
  }

  /** ORDER BY event time: a row below the watermark at its arrival has missed its place (rulings 27). */
  #isLate(batch: Batch, row: number): boolean {
    const { mode, time } = this.#spec
    if (mode !== 'event-time' || batch.watermarks === undefined) return false
    return Number(valueAt(batch.columns[time!]!, row)) < batch.watermarks[row]!
  }

  /** A row that is taken back removes one equal row. */
  #remove(gone: Row): void {
    const index = this.#rows.findIndex(({ row }) =>
      row.values.every((value, i) => {
        const other = gone.values[i]!
        if (value === null || other === null) return value === other
        return this.#comparators[i]!(value, other) === 0
      }),
    )
    if (index >= 0) this.#rows.splice(index, 1)
  }

  /** With a limit, forgets rows that can no longer be among the first. */
  #prune(): void {
    const { limit, offset, mode, revises } = this.#spec
    if (limit === undefined || mode !== 'end' || revises) return
    const wanted = limit + offset
    if (this.#rows.length < 2 * wanted + 1024) return
    this.#rows.sort(this.#keys.compare)
    this.#rows.length = wanted
  }

  *onWatermark(micros: number): Iterable<Output> {
    const { mode, time } = this.#spec
    if (mode === 'window') yield* this.#give(this.#rows.splice(0))
    if (mode === 'event-time') {
      const ready = this.#rows.filter(({ row }) => Number(row.values[time!]) < micros)
      this.#rows = this.#rows.filter(({ row }) => !(Number(row.values[time!]) < micros))
      yield* this.#give(ready)
    }
    // Rows that leave at the end must not come after the watermark that passed them.
    if (mode !== 'end') yield { kind: 'watermark', micros }
  }

  *#give(rows: SortedRow[]): Iterable<Output> {
    rows.sort(this.#keys.compare)
    this.#builder.reset()
    for (const { row } of rows) {
      this.#builder.append(row.values)
      if (this.#builder.full) {
        yield { kind: 'batch', batch: this.#builder.finish() }
        this.#builder.reset()
      }
    }
    if (this.#builder.rows > 0) yield { kind: 'batch', batch: this.#builder.finish() }
  }

  *onEnd(): Iterable<Output> {
    const { limit, offset } = this.#spec
    const rows = this.#rows.sort(this.#keys.compare).slice(offset, limit === undefined ? undefined : offset + limit)
    this.#rows = []
    yield* this.#give(rows)
    yield { kind: 'end' }
  }

  /** The rows in the order in which they are kept: a row that is taken back removes the first of its equals. */
  snapshot(out: StateWriter): void {
    out.u8(STATE_VERSION)
    out.f64(this.#sequence)
    writeSorted(out, this.#rows)
  }

  restore(state: StateReader): void {
    state.version(STATE_VERSION)
    this.#sequence = state.f64()
    this.#rows = readSorted(state)
  }

  [Symbol.dispose](): void {
    this.#builder[Symbol.dispose]()
  }
}

const STATE_VERSION = 1
