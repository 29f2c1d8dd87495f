import type { Batch } from '../core/batch.ts'
import type { Column } from '../core/column.ts'
import { BatchBuilder, rowAt } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { StateWriter } from '../state/state-writer.ts'
import { keepMarks, lastMark } from './keep-rows.ts'
import type { Operator, OperatorContext, Output } from './operator.ts'

export interface LimitSpec {
  readonly schema: Schema
  readonly limit: number | undefined
  readonly offset: number
}

/** LIMIT and OFFSET: rows `offset` … `offset + limit` in the order in which they come; then the query ends. */
export class Limit implements Operator {
  readonly schema: Schema
  readonly #context: OperatorContext
  #skip: number
  #left: number
  #builder: BatchBuilder | undefined

  constructor(spec: LimitSpec, context: OperatorContext) {
    this.schema = spec.schema
    this.#context = context
    this.#skip = spec.offset
    this.#left = spec.limit ?? Number.POSITIVE_INFINITY
  }

  get finished(): boolean {
    return this.#left === 0
  }

  *process(batch: Batch): Iterable<Output> {
    if (this.#left === 0) return
    const from = Math.min(this.#skip, batch.rows)
    this.#skip -= from
    const to = Math.min(batch.rows, from + this.#left)
    if (from >= to) {
      yield* lastMark(batch)
      return
    }
    this.#left -= to - from
    if (from === 0) {
      const marks = batch.marks?.filter((mark) => mark.row <= to)
      yield { kind: 'batch', batch: { ...batch, rows: to, marks, columns: batch.columns.map((c) => shortened(c, to)) } }
    } else yield { kind: 'batch', batch: this.#copied(batch, from, to) }
  }

  #copied(batch: Batch, from: number, to: number): Batch {
    this.#builder ??= new BatchBuilder(this.schema, this.#context.batchRowsMax, this.#context.memory)
    this.#builder.reset()
    const kept: number[] = []
    for (let row = from; row < to; row++) {
      const { values, change } = rowAt(batch, row)
      this.#builder.append(values, change)
      kept.push(row)
    }
    const marks = batch.marks === undefined ? undefined : keepMarks(batch.marks, kept)
    return { ...this.#builder.finish(), marks, watermarks: batch.watermarks?.slice(from, to) }
  }

  *onWatermark(micros: number): Iterable<Output> {
    yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  snapshot(out: StateWriter): void {
    out.u8(STATE_VERSION)
    out.f64(this.#skip)
    out.f64(this.#left)
  }

  restore(state: StateReader): void {
    state.version(STATE_VERSION)
    this.#skip = state.f64()
    this.#left = state.f64()
  }

  [Symbol.dispose](): void {
    this.#builder?.[Symbol.dispose]()
  }
}

const STATE_VERSION = 1

/** Boxed values are cut; typed arrays may be longer than the batch. */
const shortened = (column: Column, rows: number): Column =>
  column.kind === 'boxed' ? { ...column, data: column.data.slice(0, rows) } : column
