import type { Batch } from '../../core/batch.ts'
import { CHANGE, type ChangeCode } from '../../core/change.ts'
import type { Column, Utf8Column } from '../../core/column.ts'
import { BatchBuilder } from '../../core/row-batch.ts'
import type { DataType } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { RowFailure } from '../../expr/functions.ts'
import type { KeyCodec } from '../keys/key-codec.ts'
import type { OperatorContext } from '../operator.ts'
import type { Pane } from './pane.ts'
import { type GroupSpec, windowEnd, windowStart, windowTime } from './spec.ts'

/** Rows of a batch that hold results, for row errors of results that do not fit their type. */
const NO_ROW = -1

/** Writes groups as rows: keys, window columns, results. */
export class GroupOutput implements Disposable {
  readonly #spec: GroupSpec
  readonly #codec: KeyCodec
  readonly #context: OperatorContext
  readonly #builder: BatchBuilder
  readonly #skipEmpty: boolean
  readonly #spansAddress: number
  readonly #spans: Uint32Array
  /** Some group has given its row, or a row error in its place. */
  answered = false

  constructor(spec: GroupSpec, codec: KeyCodec, form: { readonly skipEmpty: boolean }, context: OperatorContext) {
    this.#spec = spec
    this.#codec = codec
    this.#context = context
    this.#skipEmpty = form.skipEmpty
    this.#builder = new BatchBuilder(spec.output, Math.max(2, context.batchRows), context.memory)
    this.#spansAddress = context.memory.allocate(8 * context.batchRows)
    this.#spans = new Uint32Array(context.memory.buffer, this.#spansAddress, 2 * context.batchRows)
  }

  /** All groups of a pane as inserts, in the order in which their keys first came. */
  *groups(pane: Pane, window: number, form: { readonly empty: boolean } = { empty: false }): Iterable<Batch> {
    const step = this.#context.batchRows
    for (let from = 0; from < pane.slots; from += step) {
      const to = Math.min(pane.slots, from + step)
      const batch = this.#bulk(pane, window, from, to) ?? this.#oneByOne(pane, window, from, to, form.empty)
      if (batch.rows === 0) continue
      this.answered = true
      yield batch
    }
  }

  /** Whole columns at once; undefined when a group has to be left out or a result fails. */
  #bulk(pane: Pane, window: number, from: number, to: number): Batch | undefined {
    if (this.#skipEmpty && hasEmpty(pane, from, to)) return undefined
    const builder = this.#builder
    builder.reset()
    const keys = this.#spec.keys.length
    const textKey = this.#codec.form === 'text'
    if (!textKey && keys > 0) this.#appendKeys(pane, from, to)
    const windows = this.#appendWindow(keys, window, to - from)
    const own = new Map<number, Column>()
    try {
      pane.accumulators.forEach((accumulator, i) => {
        const index = keys + windows + i
        const whole = accumulator.column?.(from, to)
        if (whole !== undefined) {
          own.set(index, whole)
          return
        }
        const column = builder.column(index)
        if (accumulator.write !== undefined) accumulator.write(from, to, column)
        else for (let slot = from; slot < to; slot++) column.append(accumulator.result(slot))
      })
    } catch (failure) {
      if (failure instanceof RowFailure) return undefined
      throw failure
    }
    if (textKey) own.set(0, this.#textKeys(pane, from, to))
    builder.endRows(to - from)
    const batch = builder.finish()
    return { ...batch, columns: batch.columns.map((column, i) => own.get(i) ?? column) }
  }

  /** The table's own bytes are the column: nothing is copied. */
  #textKeys(pane: Pane, from: number, to: number): Utf8Column {
    const table = pane.table!
    const bytes = this.#context.memory.bytes
    let validity: Uint8Array | undefined
    for (let slot = from; slot < to; slot++) {
      const at = 2 * (slot - from)
      const address = table.keyAddress(slot)
      const length = table.keyLength(slot)
      this.#spans[at] = address
      this.#spans[at + 1] = length
      if (length === 1 && bytes[address] === 0xff) {
        validity ??= new Uint8Array(to - from).fill(1)
        validity[slot - from] = 0
      }
    }
    return { kind: 'utf8', type: this.#spec.keys[0]!.type, validity, spans: this.#spans, bytes }
  }

  #appendKeys(pane: Pane, from: number, to: number): void {
    for (let slot = from; slot < to; slot++) {
      this.keyValues(pane, slot).forEach((value, i) => {
        this.#builder.column(i).append(value)
      })
    }
  }

  #appendWindow(at: number, window: number, rows: number): number {
    const spec = this.#spec.window
    if (spec === undefined) return 0
    const columns = [windowStart(spec, window), windowEnd(spec, window), windowTime(spec, window)]
    columns.forEach((micros, i) => {
      const column = this.#builder.column(at + i)
      for (let row = 0; row < rows; row++) column.append(micros)
    })
    return columns.length
  }

  #oneByOne(pane: Pane, window: number, from: number, to: number, empty: boolean): Batch {
    this.#builder.reset()
    for (let slot = from; slot < to; slot++) {
      if (this.#skipEmpty && pane.cells.rows(slot) === 0 && !empty) continue
      const values = this.values(pane, window, slot)
      if (values !== undefined) this.#builder.append(values)
    }
    return this.#builder.finish()
  }

  keyValues(pane: Pane, slot: number): Value[] {
    if (pane.table === undefined) return []
    return this.#codec.read(this.#context.memory, pane.table.keyAddress(slot), pane.table.keyLength(slot))
  }

  /** One group as a row; undefined, after a row error, when a result does not fit its type. */
  values(pane: Pane, window: number, slot: number): Value[] | undefined {
    try {
      return this.#row(pane, window, slot)
    } catch (failure) {
      if (!(failure instanceof RowFailure)) throw failure
      const { code, detail, span } = failure
      this.answered = true
      this.#context.onRowError({ code, detail, span, batch: this.#builder.finish(), row: NO_ROW })
      return undefined
    }
  }

  /** The same without a row error. */
  silentValues(pane: Pane, window: number, slot: number): Value[] | undefined {
    try {
      return this.#row(pane, window, slot)
    } catch (failure) {
      if (failure instanceof RowFailure) return undefined
      throw failure
    }
  }

  #row(pane: Pane, window: number, slot: number): Value[] {
    const spec = this.#spec.window
    const values = this.keyValues(pane, slot)
    if (spec !== undefined) {
      values.push(windowStart(spec, window), windowEnd(spec, window), windowTime(spec, window))
    }
    for (const accumulator of pane.accumulators) values.push(accumulator.result(slot))
    return values
  }

  get resultTypes(): readonly DataType[] {
    return this.#spec.aggregates.map((call) => call.type)
  }

  /** Rows of changes, in batches. */
  *rows(changes: Iterable<{ readonly values: readonly Value[]; readonly change: ChangeCode }>): Iterable<Batch> {
    this.#builder.reset()
    for (const { values, change } of changes) {
      // The halves of a pair stay together.
      if (change === CHANGE.updateBefore && this.#builder.rows === this.#builder.capacity - 1) {
        yield this.#builder.finish()
        this.#builder.reset()
      }
      this.#builder.append(values, change)
      if (this.#builder.full) {
        yield this.#builder.finish()
        this.#builder.reset()
      }
    }
    if (this.#builder.rows === 0) return
    this.answered = true
    yield this.#builder.finish()
  }

  [Symbol.dispose](): void {
    this.#builder[Symbol.dispose]()
    this.#context.memory.free(this.#spansAddress, 8 * this.#context.batchRows)
  }
}

function hasEmpty(pane: Pane, from: number, to: number): boolean {
  for (let slot = from; slot < to; slot++) if (pane.cells.rows(slot) === 0) return true
  return false
}
