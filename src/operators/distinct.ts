import type { Batch } from '../core/batch.ts'
import { valueAt } from '../core/column-read.ts'
import type { Schema } from '../core/types.ts'
import { KeyTable } from '../kernels/key-table.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { StateWriter } from '../state/state-writer.ts'
import { keepRows, lastMark } from './keep-rows.ts'
import { KeyCodec } from './keys/key-codec.ts'
import { readKeys, writeKeys } from './keys/key-state.ts'
import { KeyWriter } from './keys/key-writer.ts'
import type { Operator, OperatorContext, Output } from './operator.ts'

/** SELECT DISTINCT over appended rows: a row leaves when it is the first of its kind. State: the key of every kind. */
export class Distinct implements Operator {
  readonly schema: Schema
  readonly #context: OperatorContext
  readonly #codec: KeyCodec
  readonly #writer: KeyWriter
  readonly #table: KeyTable
  readonly #slotsAddress: number
  readonly #slots: Int32Array

  constructor(schema: Schema, context: OperatorContext) {
    this.schema = schema
    this.#context = context
    this.#codec = new KeyCodec(schema.fields.map((field) => field.type))
    this.#writer = new KeyWriter(context.memory, context.batchRowsMax)
    this.#table = new KeyTable(context.kernels, { expected: 1024 })
    this.#slotsAddress = context.memory.allocate(4 * context.batchRowsMax)
    this.#slots = new Int32Array(context.memory.buffer, this.#slotsAddress, context.batchRowsMax)
  }

  *process(batch: Batch): Iterable<Output> {
    this.#writer.reset()
    for (let row = 0; row < batch.rows; row++) {
      const values = batch.columns.map((column) => valueAt(column, row))
      this.#codec.write(this.#writer, values, row)
    }
    let known = this.#table.size
    this.#table.lookup(this.#writer.spansAddress, 0, batch.rows, this.#slotsAddress)
    const kept: number[] = []
    for (let row = 0; row < batch.rows; row++) {
      if (this.#slots[row]! < known) continue
      kept.push(row)
      known++
    }
    if (kept.length === batch.rows) yield { kind: 'batch', batch }
    else if (kept.length > 0) yield { kind: 'batch', batch: keepRows(batch, kept) }
    else yield* lastMark(batch)
  }

  *onWatermark(micros: number): Iterable<Output> {
    yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  snapshot(out: StateWriter): void {
    out.u8(STATE_VERSION)
    writeKeys(out, this.#table)
  }

  restore(state: StateReader): void {
    state.version(STATE_VERSION)
    readKeys(state, this.#table)
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]()
    this.#table[Symbol.dispose]()
    this.#context.memory.free(this.#slotsAddress, 4 * this.#context.batchRowsMax)
  }
}

const STATE_VERSION = 1
