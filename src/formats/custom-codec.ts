import { type Batch, recordOf } from '../core/batch.ts'
import { HeadraceError } from '../core/errors.ts'
import { BatchBuilder, type Row, rowAt } from '../core/row-batch.ts'
import { type Schema, types } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { CustomFormat } from './custom-formats.ts'
import type { Decoded, Decoder, DecoderSpec, Framing, Reject } from './decoder.ts'
import type { Encoder, EncoderSpec } from './encoder.ts'
import { EncoderOutput } from './encoder-output.ts'
import type { FormatDeps } from './format-deps.ts'
import { createTextDecoder } from './text/text-decoder.ts'

/** Cuts as the text formats do: their positions, their limits. */
export function createCustomDecoder(name: string, format: CustomFormat, spec: DecoderSpec, deps: FormatDeps): Decoder {
  if (format.reader === undefined) throw oneWay(name, 'decode')
  return new CustomDecoder(format, spec, deps)
}

export function createCustomEncoder(name: string, format: CustomFormat, spec: EncoderSpec, deps: FormatDeps): Encoder {
  if (format.writer === undefined) throw oneWay(name, 'encode')
  return new CustomEncoder(format.writer(spec), format.framing, deps)
}

const oneWay = (name: string, wanted: string): HeadraceError =>
  new HeadraceError('connector_operation_unsupported', `format "${name}" has no ${wanted}`, {
    hint: `register it with { ${wanted}: … }`,
  })

class CustomDecoder implements Decoder {
  readonly schema: Schema
  readonly #read: (record: Uint8Array) => readonly Value[] | undefined
  readonly #inner: Decoder
  readonly #builder: BatchBuilder
  /** Where the next record begins. */
  #byte = 0
  #ordinal = 0

  constructor({ reader, framing }: CustomFormat, spec: DecoderSpec, deps: FormatDeps) {
    const { columns } = spec
    this.schema = { fields: columns.map(({ name, type, required }) => ({ name, type, nullable: !required })) }
    this.#read = reader!(columns)
    const isLine = framing === 'line'
    const record = { name: 'record', path: ['record'], type: isLine ? types.string : types.bytes, required: false }
    this.#inner = createTextDecoder(isLine ? 'text' : 'raw', { ...spec, columns: [record] }, deps)
    this.#builder = new BatchBuilder(this.schema, spec.batchRows, deps.memory)
  }

  get counters() {
    return this.#inner.counters
  }

  reserve(min: number): Uint8Array {
    return this.#inner.reserve(min)
  }

  *commit(length: number, framing: Framing): Iterable<Decoded> {
    for (const decoded of this.#inner.commit(length, framing)) yield this.#decoded(decoded)
  }

  *finish(): Iterable<Decoded> {
    for (const decoded of this.#inner.finish()) yield this.#decoded(decoded)
  }

  seek(position: { readonly byte: number; readonly ordinal: number }): void {
    this.#byte = position.byte
    this.#ordinal = position.ordinal
    this.#inner.seek(position)
  }

  #decoded({ batch: records, rejects: long, next }: Decoded): Decoded {
    const from = { byte: this.#byte, ordinal: this.#ordinal }
    this.#byte = next.byte
    this.#ordinal = next.ordinal
    if (records === undefined) return { batch: undefined, rejects: long, next }
    const { provenance } = records
    const { recordStarts, recordEnds, slab } = provenance!
    const builder = this.#builder
    builder.reset()
    const rejects: Reject[] = [...long]
    const kept: number[] = []
    for (let i = 0; i < records.rows; i++) {
      const bytes = recordOf(provenance!, i)!
      try {
        const values = this.#read(bytes)
        if (values === undefined) continue
        builder.append(this.#checked(values))
        kept.push(i)
      } catch (error) {
        const byte = from.byte + recordStarts![i]! - recordStarts![0]!
        const code = (error as Error).name === NOT_NULL ? 'row_not_null_violated' : 'connector_record_invalid'
        rejects.push({
          ordinal: from.ordinal + i,
          byte,
          bytes,
          code,
          detail: String((error as Error).message ?? error),
        })
      }
    }
    if (kept.length === 0) return { batch: undefined, rejects, next }
    const batch = builder.finish({
      ...provenance!,
      ordinals: Int32Array.from(kept),
      slab,
      recordStarts: Uint32Array.from(kept, (i) => recordStarts![i]!),
      recordEnds: Uint32Array.from(kept, (i) => recordEnds![i]!),
    })
    return { batch, rejects, next }
  }

  #checked(values: readonly Value[]): readonly Value[] {
    const missing = this.schema.fields.findIndex(({ nullable }, i) => !nullable && values[i] === null)
    if (missing < 0) return values
    const error = new Error(`column ${JSON.stringify(this.schema.fields[missing]!.name)} is NULL`)
    error.name = NOT_NULL
    throw error
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]()
    this.#builder[Symbol.dispose]()
  }
}

const NOT_NULL = 'NotNullViolated'

class CustomEncoder implements Encoder {
  readonly #write: (row: Row) => Uint8Array
  readonly #end: number
  readonly #deps: FormatDeps
  readonly #output: EncoderOutput

  constructor(write: (row: Row) => Uint8Array, framing: CustomFormat['framing'], deps: FormatDeps) {
    this.#write = write
    this.#end = framing === 'line' ? 1 : 0
    this.#deps = deps
    this.#output = new EncoderOutput(deps.memory)
  }

  get rowEnds(): Uint32Array {
    return this.#output.rowEnds
  }

  header(): Uint8Array {
    return new Uint8Array(0)
  }

  encode(batch: Batch): Uint8Array {
    const output = this.#output
    const { memory } = this.#deps
    output.begin(batch.rows)
    let used = 0
    for (let row = 0; row < batch.rows; row++) {
      const bytes = this.#write(rowAt(batch, row))
      const room = used + bytes.length + this.#end
      if (room > output.size) output.grow(used, room)
      memory.bytes.set(bytes, output.address + used)
      used += bytes.length
      if (this.#end > 0) memory.bytes[output.address + used++] = LINE_FEED
      output.rowEnds[row] = used
    }
    return memory.bytes.subarray(output.address, output.address + used)
  }

  [Symbol.dispose](): void {
    this.#output[Symbol.dispose]()
  }
}

const LINE_FEED = 10
