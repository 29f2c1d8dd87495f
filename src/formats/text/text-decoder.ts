import { isUtf8 } from 'node:buffer'
import type { Batch } from '../../core/batch.ts'
import { HeadraceError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import { field, type Schema } from '../../core/types.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import { indexOfByte } from '../../kernels/lines.ts'
import type { Decoded, Decoder, DecoderSpec, Framing, Reject } from '../decoder.ts'
import { InputSlab } from '../input-slab.ts'

/**
 * `text`: one column of lines (LF or CRLF), empty ones included. `raw`: one column of octets; a value is a framed
 * record, or all bytes of the split when nothing frames them.
 */
export function createTextDecoder(
  format: 'text' | 'raw',
  spec: DecoderSpec,
  deps: { readonly memory: WorkerMemory; readonly kernels: Kernels },
): Decoder {
  return new TextDecoderOfLines(format, spec, deps.memory)
}

class TextDecoderOfLines implements Decoder {
  readonly schema: Schema
  readonly counters = { kernelValues: 0, fallbackValues: 0, fallbackRecords: 0 }
  readonly #isText: boolean
  readonly #spec: DecoderSpec
  readonly #memory: WorkerMemory
  readonly #slab: InputSlab
  readonly #region: number
  readonly #spans: Uint32Array
  readonly #starts: Uint32Array
  readonly #ends: Uint32Array
  #ordinal = 0

  constructor(format: 'text' | 'raw', spec: DecoderSpec, memory: WorkerMemory) {
    this.#isText = format === 'text'
    this.#spec = spec
    this.#memory = memory
    this.#slab = new InputSlab(memory)
    this.schema = { fields: spec.columns.map((column) => field(column.name, column.type, !column.required)) }
    const wanted = format === 'text' ? 'string' : 'bytes'
    if (spec.columns.some((column) => column.type.kind !== wanted)) {
      throw new HeadraceError(
        'connector_schema_mismatch',
        `format "${format}" has one column of type ${wanted.toUpperCase()}`,
        {
          hint: format === 'text' ? 'Declare (line STRING).' : 'Declare (value BYTES).',
        },
      )
    }
    this.#region = memory.allocate(16 * spec.batchRows)
    this.#spans = new Uint32Array(memory.buffer, this.#region, 2 * spec.batchRows)
    this.#starts = new Uint32Array(memory.buffer, this.#region + 8 * spec.batchRows, spec.batchRows)
    this.#ends = new Uint32Array(memory.buffer, this.#region + 12 * spec.batchRows, spec.batchRows)
  }

  reserve(min: number): Uint8Array {
    return this.#slab.reserve(min)
  }

  *commit(length: number, framing: Framing): Iterable<Decoded> {
    const slab = this.#slab
    const from = slab.end
    slab.commit(length)
    if (framing.kind === 'index') {
      for (let first = 0; first < framing.count; ) {
        let count = 0
        for (; count < this.#spec.batchRows && first + count < framing.count; count++) {
          this.#starts[count] = from + framing.starts[first + count]!
          this.#ends[count] = from + framing.ends[first + count]!
        }
        first += count
        yield this.#batch(count, first === framing.count ? slab.end : this.#ends[count - 1]!)
      }
      return
    }
    if (this.#isText) yield* this.#lines(slab.end)
    const most = this.#isText ? limits.lineBytesMax : limits.recordBytesMax
    if (slab.end - slab.start > most) {
      throw new HeadraceError('connector_record_too_large', `a value is longer than ${most} bytes`, {
        hint: this.#isText ? 'Check that the file is text.' : 'Read it with another format.',
      })
    }
  }

  *finish(): Iterable<Decoded> {
    const slab = this.#slab
    if (this.#isText) slab.skipMark(true)
    if (slab.start === slab.end && (this.#isText || this.#ordinal > 0)) return
    if (this.#isText) {
      yield* this.#lines(slab.end + 1)
      slab.byte -= slab.start - slab.end
      slab.start = slab.end
      return
    }
    this.#starts[0] = slab.start
    this.#ends[0] = slab.end
    yield this.#batch(1, slab.end)
  }

  seek(position: { readonly byte: number; readonly ordinal: number }): void {
    this.#slab.seek(position.byte)
    this.#ordinal = position.ordinal
  }

  [Symbol.dispose](): void {
    this.#slab[Symbol.dispose]()
    this.#memory.free(this.#region, 16 * this.#spec.batchRows)
  }

  *#lines(limit: number): Iterable<Decoded> {
    if (!this.#slab.skipMark(limit > this.#slab.end)) return
    const last = limit > this.#slab.end
    for (;;) {
      const next = this.#index(limit, last)
      if (next.count === 0) return
      yield this.#batch(next.count, next.at)
    }
  }

  /** Indexes whole values of `[slab.start, limit)`; how many, and where the first that is not whole begins. */
  #index(limit: number, last: boolean): { readonly count: number; readonly at: number } {
    const { bytes } = this.#memory
    const pattern = this.#spec.multilineStart
    let count = 0
    let next = this.#slab.start
    // With a pattern the value at `count` is still open: its lines may go on.
    let open = false
    while (count < this.#spec.batchRows) {
      const at = indexOfByte(this.#memory, 10, { start: next, end: limit })
      if (at < 0) break
      const end = at > next && bytes[at - 1] === 13 ? at - 1 : at
      const begins = pattern === undefined || !open || pattern.test(this.#memory.text.utf8Slice(next, end))
      if (begins && open && ++count === this.#spec.batchRows) return { count, at: next }
      if (begins) this.#starts[count] = next
      this.#ends[count] = end
      next = at + 1
      open = true
      if (pattern === undefined) {
        count++
        open = false
      }
    }
    if (!open) return { count, at: next }
    return last ? { count: count + 1, at: next } : { count, at: this.#starts[count]! }
  }

  /** The indexed values as one batch; invalid UTF-8 is a reject. */
  #batch(count: number, next: number): Decoded {
    const slab = this.#slab
    const { bytes } = this.#memory
    const toByte = slab.byte - slab.start
    const rejects: Reject[] = []
    const ordinals = new Int32Array(count)
    const ordinal = this.#ordinal
    const allValid = !this.#isText || isUtf8(bytes.subarray(slab.start, Math.min(next, slab.end)))
    let rows = 0
    for (let i = 0; i < count; i++) {
      const [start, end] = [this.#starts[i]!, this.#ends[i]!]
      if (!allValid && !isUtf8(bytes.subarray(start, end))) {
        const detail = 'the line is not valid UTF-8'
        rejects.push({
          ordinal: ordinal + i,
          byte: toByte + start,
          bytes: bytes.slice(start, end),
          code: 'connector_record_invalid',
          detail,
        })
        continue
      }
      this.#starts[rows] = start
      this.#ends[rows] = end
      this.#spans[2 * rows] = start
      this.#spans[2 * rows + 1] = end - start
      ordinals[rows++] = i
    }
    this.#ordinal += count
    slab.consume(next)
    const nextByte = toByte + Math.min(next, slab.end)
    const position = { byte: nextByte, ordinal: this.#ordinal }
    if (rows === 0) return { batch: undefined, rejects, next: position }
    const columns = this.schema.fields.map(({ type }) => ({
      kind: 'utf8' as const,
      type,
      validity: undefined,
      spans: this.#spans,
      bytes,
    }))
    const provenance = {
      split: this.#spec.split,
      rowOrdinal: ordinal,
      ordinals: rows === count ? undefined : ordinals.subarray(0, rows),
      slab: bytes,
      recordStarts: this.#starts.subarray(0, rows),
      recordEnds: this.#ends.subarray(0, rows),
      ingestMicros: this.#spec.nowMicros(),
    }
    const batch: Batch = { schema: this.schema, rows, columns, provenance }
    this.counters.fallbackValues += rows * columns.length
    return { batch, rejects, next: position }
  }
}
