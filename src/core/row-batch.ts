import type { Batch, Provenance } from './batch.ts'
import { CHANGE, type ChangeCode } from './change.ts'
import { ColumnBuilder } from './column-builder.ts'
import { valueAt } from './column-read.ts'
import type { WorkerMemory } from './memory.ts'
import type { Schema } from './types.ts'
import type { Value } from './values.ts'

/** A row at an edge of the engine: tests, VALUES, in-process channels. */
export interface Row {
  readonly values: readonly Value[]
  readonly change: ChangeCode
}

/** Builds batches row by row. The batch that `finish` returns is valid until `reset`. */
export class BatchBuilder implements Disposable {
  readonly schema: Schema
  readonly #columns: readonly ColumnBuilder[]
  #changes: Uint8Array | undefined
  readonly capacity: number
  rows = 0

  constructor(schema: Schema, capacity: number, memory: WorkerMemory) {
    this.schema = schema
    this.capacity = capacity
    this.#columns = schema.fields.map((field) => new ColumnBuilder(field.type, capacity, memory))
  }

  get full(): boolean {
    return this.rows === this.capacity
  }

  column(index: number): ColumnBuilder {
    return this.#columns[index]!
  }

  append(values: readonly Value[], change: ChangeCode = CHANGE.insert): void {
    for (let i = 0; i < this.#columns.length; i++) this.#columns[i]!.append(values[i]!)
    this.endRow(change)
  }

  /** Counts a row whose values were appended to the columns one by one. */
  endRow(change: ChangeCode = CHANGE.insert): void {
    if (change !== CHANGE.insert) this.#changes ??= new Uint8Array(this.capacity)
    if (this.#changes !== undefined) this.#changes[this.rows] = change
    this.rows++
  }

  /** Counts rows that were appended to the columns in bulk; all are inserts. */
  endRows(count: number): void {
    this.rows += count
  }

  finish(provenance?: Provenance): Batch {
    return {
      schema: this.schema,
      rows: this.rows,
      columns: this.#columns.map((column) => column.finish()),
      changes: this.#changes,
      provenance,
    }
  }

  reset(): void {
    this.rows = 0
    this.#changes = undefined
    for (const column of this.#columns) column.reset()
  }

  [Symbol.dispose](): void {
    for (const column of this.#columns) column[Symbol.dispose]()
  }
}

/** One row of a batch as values, copied. */
export function rowAt(batch: Batch, row: number): Row {
  return {
    values: batch.columns.map((column) => valueAt(column, row)),
    change: (batch.changes?.[row] ?? CHANGE.insert) as ChangeCode,
  }
}
