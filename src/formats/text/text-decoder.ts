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
import { LongRecord } from '../long-lines.ts'

/** Bytes of a line that the pattern for the start of a record sees. */
const PATTERN_BYTES = 64 * 1024
const LINE_FEED = Uint8Array.of(10)

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
  readonly #lineBytesMax: number
  #ordinal = 0
  /** A value over the limit whose end has not come yet. */
  #long: LongRecord | undefined
  /** The slab begins inside of a line of `#long`. */
  #insideLine = false

  constructor(format: 'text' | 'raw', spec: DecoderSpec, memory: WorkerMemory) {
    this.#isText = format === 'text'
    this.#spec = spec
    this.#memory = memory
    this.#slab = new InputSlab(memory)
    this.#lineBytesMax = spec.lineBytesMax ?? limits.lineBytesMax
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
    else if (slab.end - slab.start > limits.recordBytesMax) {
      throw new HeadraceError('connector_record_too_large', `a value is longer than ${limits.recordBytesMax} bytes`, {
        hint: 'Read it with another format.',
      })
    }
  }

  *finish(): Iterable<Decoded> {
    const slab = this.#slab
    if (this.#isText) slab.skipMark(true)
    if (this.#isText) {
      if (slab.start < slab.end || this.#long !== undefined) yield* this.#lines(slab.end + 1)
      if (slab.start > slab.end) {
        slab.byte -= slab.start - slab.end
        slab.start = slab.end
      }
      return
    }
    if (slab.start === slab.end && this.#ordinal > 0) return
    this.#starts[0] = slab.start
    this.#ends[0] = slab.end
    yield this.#batch(1, slab.end)
  }

  seek(position: { readonly byte: number; readonly ordinal: number }): void {
    this.#slab.seek(position.byte)
    this.#ordinal = position.ordinal
    this.#long = undefined
  }

  [Symbol.dispose](): void {
    this.#slab[Symbol.dispose]()
    this.#memory.free(this.#region, 16 * this.#spec.batchRows)
  }

  *#lines(limit: number): Iterable<Decoded> {
    if (!this.#slab.skipMark(limit > this.#slab.end)) return
    const last = limit > this.#slab.end
    for (;;) {
      if (last && this.#long === undefined && this.#slab.start >= this.#slab.end) return
      if (this.#long !== undefined) {
        const passed = this.#pass(this.#long, limit, last)
        if (passed === undefined) return
        yield passed
        continue
      }
      const found = this.#index(limit, last)
      if (found.count > 0) yield this.#batch(found.count, found.at)
      if (found.long) {
        this.#long = new LongRecord({ ordinal: this.#ordinal++, byte: this.#slab.byte }, this.#lineBytesMax)
        this.#insideLine = true
      } else if (found.count === 0) return
    }
  }

  /**
   * Indexes whole values of `[slab.start, limit)`: how many, and where the first that is not among them begins. `long`:
   * that one is over the limit.
   */
  #index(limit: number, last: boolean): { readonly count: number; readonly at: number; readonly long: boolean } {
    const pattern = this.#spec.multilineStart
    let count = 0
    let next = this.#slab.start
    // With a pattern the value at `count` is still open: its lines may go on.
    let open = false
    while (count < this.#spec.batchRows) {
      // The sentinel ends a line only when there is one.
      if (last && next >= this.#slab.end) break
      const feed = indexOfByte(this.#memory, 10, { start: next, end: limit })
      // One byte more: the last may be the carriage return of a line of just the limit.
      if (feed < 0 && limit - next <= Math.max(this.#lineBytesMax + 1, PATTERN_BYTES)) break
      const at = feed < 0 ? limit : feed
      const end = feed < 0 ? limit : this.#withoutReturn(next, feed)
      const begins = pattern === undefined || !open || this.#matches(pattern, next, end)
      if (begins && open && ++count === this.#spec.batchRows) return { count, at: next, long: false }
      if (begins) this.#starts[count] = next
      if (end - this.#starts[count]! > this.#lineBytesMax) return { count, at: this.#starts[count]!, long: true }
      this.#ends[count] = end
      next = at + 1
      open = true
      if (pattern === undefined) {
        count++
        open = false
      }
    }
    if (!open) return { count, at: next, long: false }
    return last ? { count: count + 1, at: next, long: false } : { count, at: this.#starts[count]!, long: false }
  }

  /** End of a line: before the carriage return that precedes its line feed. */
  #withoutReturn(start: number, feed: number): number {
    return feed > start && this.#memory.bytes[feed - 1] === 13 ? feed - 1 : feed
  }

  #matches(pattern: RegExp, start: number, end: number): boolean {
    return pattern.test(this.#memory.text.utf8Slice(start, Math.min(end, start + PATTERN_BYTES)))
  }

  /** Passes over a value that is too long, up to `limit`; undefined when its end has not come yet. */
  #pass(long: LongRecord, limit: number, last: boolean): Decoded | undefined {
    const slab = this.#slab
    const pattern = this.#spec.multilineStart
    for (;;) {
      const feed = indexOfByte(this.#memory, 10, { start: slab.start, end: limit })
      const stop = feed < 0 ? limit : feed
      if (!this.#insideLine) {
        if (last && slab.start >= slab.end) break
        if (feed < 0 && limit - slab.start <= PATTERN_BYTES) return undefined
        if (this.#matches(pattern!, slab.start, this.#withoutReturn(slab.start, stop))) break
        long.take(LINE_FEED)
      }
      long.take(this.#memory.bytes.subarray(slab.start, stop))
      slab.consume(feed < 0 ? limit : feed + 1)
      this.#insideLine = feed < 0
      if (feed < 0) return undefined
      if (pattern === undefined) break
    }
    this.#long = undefined
    const byte = slab.byte - Math.max(0, slab.start - slab.end)
    return { batch: undefined, rejects: [long.reject()], next: { byte, ordinal: this.#ordinal } }
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
