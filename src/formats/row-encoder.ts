import type { Batch } from '../core/batch.ts'
import type { Column } from '../core/column.ts'
import type { WorkerMemory } from '../core/memory.ts'
import { Scratch } from '../core/scratch.ts'
import type { DataType } from '../core/types.ts'
import type { Kernels } from '../kernels/kernels.ts'
import {
  addressOf,
  PUT,
  putValueOf,
  STEP_BYTES,
  type TextKinds,
  type TextOf,
  writeStep,
} from '../kernels/row-program.ts'
import { EncoderOutput } from './encoder-output.ts'

/** A step of the layout of a row, made once; columns are bound to it per batch. */
export type LayoutStep =
  | { readonly kind: 'value'; readonly literal: string; readonly column: readonly number[]; readonly type: DataType }
  | { readonly kind: 'struct'; readonly literal: string; readonly column: readonly number[]; readonly skip: number }
  | { readonly kind: 'change'; readonly literal: string }
  | { readonly kind: 'constant'; readonly literal: string }
  | { readonly kind: 'end'; readonly literal: string }

export interface RowDialect {
  readonly kinds: TextKinds
  /** The spelling of a value that only the host can write. */
  readonly textOf: (type: DataType) => TextOf
  readonly nullText: string
  /** JSON text forms stand in quotes: times, base64, NaN. */
  readonly quoted: (type: DataType) => boolean
  /** `_op` stands in quotes. */
  readonly quotedChange: boolean
  readonly delimiter: number
  readonly quote: number
  readonly escapeByte: number
}

/** Runs the compiled row encoder over batches. */
export class RowEncoder implements Disposable {
  readonly output: EncoderOutput
  readonly #kernels: Kernels
  readonly #memory: WorkerMemory
  readonly #steps: readonly LayoutStep[]
  readonly #dialect: RowDialect
  readonly #program: number
  readonly #words: Uint32Array
  readonly #literals: readonly { readonly address: number; readonly length: number }[]
  readonly #literalBytes: number
  readonly #literalAddress: number
  readonly #nullAddress: number
  readonly #nullLength: number
  readonly #scratch: Scratch

  constructor(steps: readonly LayoutStep[], dialect: RowDialect, kernels: Kernels) {
    const { memory } = kernels
    this.#kernels = kernels
    this.#memory = memory
    this.#steps = steps
    this.#dialect = dialect
    this.output = new EncoderOutput(memory)
    this.#scratch = new Scratch(memory)
    this.#program = memory.allocate(steps.length * STEP_BYTES)
    this.#words = new Uint32Array(memory.buffer, this.#program, (steps.length * STEP_BYTES) / 4)
    const texts = [...steps.map((step) => step.literal), dialect.nullText].map((text) => Buffer.from(text))
    this.#literalBytes = texts.reduce((sum, text) => sum + text.length + 16, 0)
    this.#literalAddress = memory.allocate(this.#literalBytes)
    let at = this.#literalAddress
    const places = texts.map((text) => {
      memory.bytes.set(text, at)
      const place = { address: at, length: text.length }
      at += text.length + 16
      return place
    })
    this.#literals = places
    this.#nullAddress = places.at(-1)!.address
    this.#nullLength = places.at(-1)!.length
  }

  /** The bytes of all rows; `output.rowEnds` are their ends. Valid until the next call. */
  encode(batch: Batch): Uint8Array {
    const { output } = this
    const { exports } = this.#kernels
    const dialect = this.#dialect
    this.#scratch.reset()
    output.begin(batch.rows)
    this.#bind(batch)
    exports.encodeDialect(dialect.delimiter, dialect.quote, dialect.escapeByte, this.#nullAddress, this.#nullLength)
    let used = 0
    for (let row = 0; ; ) {
      const from = output.address + used
      const end = output.address + output.size
      row = exports.encodeRows(this.#program, row, batch.rows, from, end, output.rowEndsAddress, output.address)
      used = (exports.encodeEnd.value >>> 0) - output.address
      if (row === batch.rows) break
      output.grow(used)
    }
    return this.#memory.bytes.subarray(output.address, output.address + used)
  }

  [Symbol.dispose](): void {
    this.output[Symbol.dispose]()
    this.#scratch[Symbol.dispose]()
    this.#memory.free(this.#program, this.#steps.length * STEP_BYTES)
    this.#memory.free(this.#literalAddress, this.#literalBytes)
  }

  #bind(batch: Batch): void {
    this.#steps.forEach((step, index) => {
      const place = this.#literals[index]!
      const base = {
        literal: place.address,
        literalLength: place.length,
        data: 0,
        validity: 0,
        extra: 0,
        skip: 0,
        quoted: false,
      }
      switch (step.kind) {
        case 'value':
          writeStep(this.#words, index, { ...base, ...this.#value(batch, step.column, step.type) })
          return
        case 'struct': {
          const { validity } = columnAt(batch.columns, step.column)
          const address = validity === undefined ? 0 : addressOf(validity, this.#scratch)
          writeStep(this.#words, index, { ...base, kind: PUT.struct, validity: address, skip: step.skip })
          return
        }
        case 'change': {
          const data = batch.changes === undefined ? 0 : addressOf(batch.changes, this.#scratch)
          writeStep(this.#words, index, { ...base, kind: PUT.change, data, quoted: this.#dialect.quotedChange })
          return
        }
        default:
          writeStep(this.#words, index, { ...base, kind: step.kind === 'end' ? PUT.end : PUT.constant })
      }
    })
  }

  #value(batch: Batch, path: readonly number[], type: DataType) {
    const column = columnAt(batch.columns, path)
    const { kinds, textOf, quoted } = this.#dialect
    const value = putValueOf(column, batch.rows, { scratch: this.#scratch, kinds, textOf: textOf(type) })
    const validity = column.validity === undefined ? 0 : addressOf(column.validity, this.#scratch)
    return { ...value, validity, quoted: quoted(type) }
  }
}

function columnAt(columns: readonly Column[], path: readonly number[]): Column {
  let column = columns[path[0]!]!
  for (const index of path.slice(1)) {
    if (column.kind === 'struct') column = column.fields[index]!
  }
  return column
}
