import { limits } from '../../core/limits.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import { field, type Schema } from '../../core/types.ts'
import { JsonScanner, type ScannerCounters } from '../../kernels/json-scan.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import type { Misfit } from '../../kernels/store-json.ts'
import type { Decoded, Decoder, DecoderSpec, Framing, Reject } from '../decoder.ts'
import { InputSlab } from '../input-slab.ts'
import { decodedOf } from '../record-batch.ts'
import { createJsonLinesDecoder } from './json-lines-decoder.ts'
import { nestedEndTwin, ValueSplitter } from './value-splitter.ts'

/** Bytes of an over-long record that its reject keeps. */
const OVERLONG_KEPT = 64 * 1024

interface Deps {
  readonly memory: WorkerMemory
  readonly kernels: Kernels
}

/**
 * JSON documents → batches: the items of an array, or values one after another, taken as the bytes come. Framed records
 * are one value each. A position inside of a document means nothing without what is open around it, so `next` is the
 * split's first byte and the number of records to pass over.
 */
export function createJsonDecoder(spec: DecoderSpec, deps: Deps): Decoder {
  return new JsonDecoder(spec, deps)
}

class JsonDecoder implements Decoder {
  readonly schema: Schema
  readonly #spec: DecoderSpec
  readonly #memory: WorkerMemory
  readonly #slab: InputSlab
  readonly #scanner: JsonScanner
  readonly #splitter: ValueSplitter
  readonly #index: number
  readonly #starts: Uint32Array
  readonly #ends: Uint32Array
  readonly #recordBytesMax: number
  /** Decodes framed records. */
  #framed: Decoder | undefined
  readonly #deps: Deps
  #ordinal = 0
  /** Records that were read before the start that `seek` asked for. */
  #skip = 0

  constructor(spec: DecoderSpec, deps: Deps) {
    const { memory, kernels } = deps
    this.#spec = spec
    this.#deps = deps
    this.#memory = memory
    this.#recordBytesMax = spec.lineBytesMax ?? limits.lineBytesMax
    this.schema = { fields: spec.columns.map((column) => field(column.name, column.type, !column.required)) }
    const compiled = spec.kernels === 'on' && kernels.mode === 'on'
    this.#slab = new InputSlab(memory)
    const columns = spec.columns.map((column) => ({
      ...column,
      timeUnit: column.timeUnit ?? ('auto' as const),
      mixed: column.mixed ?? false,
    }))
    this.#scanner = new JsonScanner(columns, kernels, { capacity: spec.batchRows, strict: spec.strict, compiled })
    const nestedEnd = compiled
      ? (start: number, end: number) => kernels.exports.endOfNested(start, end)
      : nestedEndTwin(memory)
    this.#splitter = new ValueSplitter(memory, nestedEnd, spec.records)
    this.#index = memory.allocate(8 * spec.batchRows)
    this.#starts = new Uint32Array(memory.buffer, this.#index, spec.batchRows)
    this.#ends = new Uint32Array(memory.buffer, this.#index + 4 * spec.batchRows, spec.batchRows)
  }

  get counters(): ScannerCounters {
    return this.#framed?.counters ?? this.#scanner.counters
  }

  reserve(min: number): Uint8Array {
    return (this.#framed ?? this.#slab).reserve(min)
  }

  *commit(length: number, framing: Framing): Iterable<Decoded> {
    if (framing.kind === 'index') {
      yield* this.#commitFramed(length, framing)
      return
    }
    this.#slab.commit(length)
    yield* this.#batches(false)
  }

  *finish(): Iterable<Decoded> {
    if (this.#framed !== undefined) {
      yield* this.#framed.finish()
      return
    }
    yield* this.#batches(true)
    const slab = this.#slab
    if (slab.start < slab.end) yield this.#rejectRest('connector_record_invalid', 'the JSON text is cut off', slab.end)
    else if (!this.#splitter.atTop)
      yield this.#rejectRest('connector_record_invalid', 'the JSON text ends inside brackets', slab.end)
  }

  seek(position: { readonly byte: number; readonly ordinal: number }): void {
    this.#slab.seek(position.byte)
    this.#framed?.seek(position)
    this.#ordinal = 0
    this.#skip = position.ordinal
    this.#splitter.reset()
  }

  [Symbol.dispose](): void {
    this.#slab[Symbol.dispose]()
    this.#scanner[Symbol.dispose]()
    this.#framed?.[Symbol.dispose]()
    this.#memory.free(this.#index, 8 * this.#spec.batchRows)
  }

  *#commitFramed(length: number, framing: Framing): Iterable<Decoded> {
    if (this.#framed === undefined) {
      const bytes = this.#memory.bytes.slice(this.#slab.end, this.#slab.end + length)
      this.#framed = createJsonLinesDecoder(this.#spec, this.#deps)
      this.#framed.seek({ byte: this.#slab.byte, ordinal: this.#skip })
      this.#framed.reserve(length).set(bytes)
    }
    yield* this.#framed.commit(length, framing)
  }

  *#batches(last: boolean): Iterable<Decoded> {
    const slab = this.#slab
    if (!slab.skipMark(last)) return
    const splitter = this.#splitter
    splitter.position = slab.start
    for (;;) {
      let count = 0
      const from = splitter.position
      let piece = splitter.next(slab.end, last)
      while (piece.kind === 'record') {
        if (this.#ordinal < this.#skip) this.#ordinal++
        else {
          this.#starts[count] = piece.start
          this.#ends[count++] = piece.end
        }
        if (count === this.#spec.batchRows || piece.end - from > limits.kernelInputBytes) break
        piece = splitter.next(slab.end, last)
      }
      const rest = piece.kind === 'broken' ? piece.start : splitter.position
      if (count > 0) {
        const decoded = this.#scan(count, rest)
        slab.consume(rest)
        yield decoded
      } else slab.consume(rest)
      if (piece.kind === 'broken') {
        const decoded = this.#rejectRest('connector_record_invalid', 'no JSON value begins here', piece.end)
        if (this.#ordinal > this.#skip) yield decoded
      }
      if (piece.kind === 'more') break
    }
    if (slab.end - slab.start > this.#recordBytesMax) {
      const detail = `the record is longer than ${this.#recordBytesMax} bytes; its first ${OVERLONG_KEPT} are kept`
      yield this.#rejectRest('connector_record_too_large', detail, slab.end)
    }
  }

  #scan(count: number, next: number): Decoded {
    const slab = this.#slab
    const toByte = slab.byte - slab.start
    const rejects: Reject[] = []
    const ordinal = this.#ordinal
    const reject = (record: number, misfit: Misfit): void => {
      const [start, end] = [this.#starts[record]!, this.#ends[record]!]
      rejects.push({
        ordinal: ordinal + record,
        byte: toByte + start,
        bytes: this.#memory.bytes.slice(start, end),
        ...misfit,
      })
    }
    const input = {
      starts: this.#index,
      ends: this.#index + 4 * this.#spec.batchRows,
      count,
      inputBytes: next - slab.start,
    }
    const rows = this.#scanner.scan(input, reject)
    this.#ordinal += count
    const scanned = {
      split: this.#spec.split,
      slab: this.#memory.bytes,
      starts: this.#starts.subarray(0, count),
      ends: this.#ends.subarray(0, count),
      count,
      rows,
      rowRecord: this.#scanner.rowRecord,
      ordinal,
      ingestMicros: this.#spec.nowMicros(),
    }
    return decodedOf(scanned, this.schema, this.#scanner.finish(rows), { rejects, nextByte: 0 })
  }

  /** Rejects what lies between the slab's start and `end` as one record. */
  #rejectRest(code: Reject['code'], detail: string, end: number): Decoded {
    const slab = this.#slab
    const bytes = this.#memory.bytes.slice(slab.start, Math.min(end, slab.start + OVERLONG_KEPT))
    const reject: Reject = { ordinal: this.#ordinal++, byte: slab.byte, bytes, code, detail }
    slab.consume(end)
    this.#splitter.position = end
    return { batch: undefined, rejects: [reject], next: { byte: 0, ordinal: this.#ordinal } }
  }
}
