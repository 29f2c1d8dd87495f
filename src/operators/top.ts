import type { Batch } from '../core/batch.ts'
import { adds, CHANGE } from '../core/change.ts'
import { BatchBuilder, rowAt } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { SortKey } from '../expr/bound.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { StateWriter } from '../state/state-writer.ts'
import type { Operator, OperatorContext, Output } from './operator.ts'
import { sameValues } from './same-values.ts'
import { type Sortable, SortKeys } from './sort-order.ts'
import { readSorted, type SortedRow, writeSorted } from './sorted-rows.ts'

export interface TopSpec {
  /** The input revises rows: all of them are kept, so that one that leaves can be replaced (rulings 34). */
  readonly revises: boolean
  readonly schema: Schema
  readonly keys: readonly SortKey[]
  readonly limit: number | undefined
  readonly offset: number
}

/**
 * ORDER BY … LIMIT over endless rows: the rows at places `offset` … `offset + limit`, as a changelog. A row that is
 * pushed out leaves with −D, a row that moves in comes with +I. Keeps `offset + limit` rows of appended input.
 */
export class Top implements Operator {
  readonly schema: Schema
  readonly #spec: TopSpec
  readonly #keys: SortKeys
  readonly #builder: BatchBuilder
  #rows: SortedRow[] = []
  #sequence = 0

  constructor(spec: TopSpec, context: OperatorContext) {
    this.schema = spec.schema
    this.#spec = spec
    this.#keys = new SortKeys(spec.keys, context)
    this.#builder = new BatchBuilder(spec.schema, context.batchRows, context.memory)
  }

  *process(batch: Batch): Iterable<Output> {
    const before = new Set(this.#visible())
    for (let row = 0; row < batch.rows; row++) this.#take(batch, row)
    const after = new Set(this.#visible())
    this.#builder.reset()
    for (const gone of before) if (!after.has(gone)) yield* this.#put(gone.row.values, CHANGE.delete)
    for (const came of after) if (!before.has(came)) yield* this.#put(came.row.values, CHANGE.insert)
    if (this.#builder.rows > 0) yield { kind: 'batch', batch: this.#builder.finish() }
  }

  *#put(values: readonly Value[], change: 0 | 3): Iterable<Output> {
    this.#builder.append(values, change)
    if (!this.#builder.full) return
    yield { kind: 'batch', batch: this.#builder.finish() }
    this.#builder.reset()
  }

  #visible(): SortedRow[] {
    return this.#rows.slice(this.#spec.offset, this.#most)
  }

  get #most(): number {
    return this.#spec.offset + (this.#spec.limit ?? Number.POSITIVE_INFINITY)
  }

  #take(batch: Batch, row: number): void {
    const keys = this.#keys.of(batch, row)
    if (keys === undefined) return
    const entry = rowAt(batch, row)
    if (adds(entry.change)) this.#add({ row: entry, keys, sequence: this.#sequence++ })
    else this.#remove({ row: entry, keys, sequence: Number.NEGATIVE_INFINITY })
  }

  #add(entry: SortedRow): void {
    this.#rows.splice(this.#placeOf(entry), 0, entry)
    if (!this.#spec.revises && this.#rows.length > this.#most) this.#rows.pop()
  }

  /** Takes back one row that equals this one. */
  #remove(gone: SortedRow): void {
    let at = this.#placeOf(gone)
    while (at < this.#rows.length && !sameValues(this.#rows[at]!.row.values, gone.row.values)) at++
    if (at < this.#rows.length) this.#rows.splice(at, 1)
  }

  /** Where the entry belongs: before the first row that follows it. */
  #placeOf(entry: Sortable): number {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#keys.compare(entry, this.#rows[middle]!) < 0) high = middle
      else low = middle + 1
    }
    return low
  }

  *onWatermark(micros: number): Iterable<Output> {
    yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  /** The rows in their order. */
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
