import { limits } from '../../core/limits.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import { field, type Schema } from '../../core/types.ts'
import { JsonScanner, type ScannerCounters } from '../../kernels/json-scan.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import { indexOfByte, LineIndex } from '../../kernels/lines.ts'
import type { Misfit } from '../../kernels/store-json.ts'
import type { Decoded, Decoder, DecoderSpec, Framing, Reject } from '../decoder.ts'
import { InputSlab } from '../input-slab.ts'
import { LongLines, LongRecord } from '../long-lines.ts'
import { decodedOf } from '../record-batch.ts'

/** What one call may take beside fresh input: a line that was pending. */
const PENDING_BYTES = 64 * 1024

export interface DecoderDeps {
  readonly memory: WorkerMemory
  readonly kernels: Kernels
}

/** JSON lines → batches (connectors.md §5); one JSON object per line or per framed record. */
export function createJsonLinesDecoder(spec: DecoderSpec, deps: DecoderDeps): Decoder {
  return new JsonLinesDecoder(spec, deps)
}

class JsonLinesDecoder implements Decoder {
  readonly schema: Schema
  readonly #spec: DecoderSpec
  readonly #memory: WorkerMemory
  readonly #slab: InputSlab
  readonly #lines: LineIndex
  readonly #scanner: JsonScanner
  readonly #lineBytesMax: number
  readonly #longLines: LongLines
  #ordinal = 0
  /** A line over the limit whose end has not come yet. */
  #long: LongRecord | undefined

  constructor(spec: DecoderSpec, deps: DecoderDeps) {
    const { memory, kernels } = deps
    this.#spec = spec
    this.#memory = memory
    this.#lineBytesMax = spec.lineBytesMax ?? limits.lineBytesMax
    this.schema = { fields: spec.columns.map((column) => field(column.name, column.type, !column.required)) }
    const compiled = spec.kernels === 'on'
    this.#slab = new InputSlab(memory)
    this.#longLines = new LongLines(memory, this.#lineBytesMax)
    this.#lines = new LineIndex(kernels, { capacity: spec.batchRows, compiled })
    const columns = spec.columns.map((column) => ({
      ...column,
      timeUnit: column.timeUnit ?? ('auto' as const),
      mixed: column.mixed ?? false,
    }))
    this.#scanner = new JsonScanner(columns, kernels, { capacity: spec.batchRows, strict: spec.strict, compiled })
  }

  get counters(): ScannerCounters {
    return this.#scanner.counters
  }

  reserve(min: number): Uint8Array {
    return this.#slab.reserve(min)
  }

  *commit(length: number, framing: Framing): Iterable<Decoded> {
    const slab = this.#slab
    const from = slab.end
    slab.commit(length)
    if (framing.kind === 'index') {
      yield* this.#framed(from, framing)
      return
    }
    if (!slab.skipMark(false)) return
    this.#longLines.reset()
    if (this.#long !== undefined) {
      const passed = this.#pass(this.#long, slab.end)
      if (passed === undefined) return
      yield passed
    }
    // A long unfinished line is not looked through again from its start.
    const quiet = from - slab.start > PENDING_BYTES && indexOfByte(this.#memory, 10, { start: from, end: slab.end }) < 0
    if (!quiet) yield* this.#lineBatches(slab.end)
    // One byte more: the last may be the carriage return of a line of just the limit.
    if (slab.end - slab.start > this.#lineBytesMax + 1) this.#pass(this.#beginLong(), slab.end)
  }

  *finish(): Iterable<Decoded> {
    const slab = this.#slab
    slab.skipMark(true)
    this.#longLines.reset()
    const { end } = slab
    // The sentinel is a line feed: with it the last line is a whole one.
    if (this.#long !== undefined) yield this.#pass(this.#long, end + 1)!
    else if (slab.start < end) yield* this.#lineBatches(end + 1)
    if (slab.start > slab.end) {
      slab.byte -= slab.start - slab.end
      slab.start = slab.end
    }
  }

  seek(position: { readonly byte: number; readonly ordinal: number }): void {
    this.#slab.seek(position.byte)
    this.#ordinal = position.ordinal
    this.#long = undefined
  }

  [Symbol.dispose](): void {
    this.#slab[Symbol.dispose]()
    this.#lines[Symbol.dispose]()
    this.#scanner[Symbol.dispose]()
  }

  /** Batches of the whole lines of `[slab.start, limit)`. */
  *#lineBatches(limit: number): Iterable<Decoded> {
    const slab = this.#slab
    const lines = this.#lines
    while (slab.start < limit) {
      // One call takes what was pending and at most `kernelInputBytes` of fresh input.
      const most = limits.kernelInputBytes + PENDING_BYTES
      let stop = limit - slab.start <= most ? limit : this.#lineEnd(slab.start + limits.kernelInputBytes, limit)
      const long = this.#longLines.first(slab.start, stop)
      if (long === slab.start) {
        yield this.#pass(this.#beginLong(), stop)!
        continue
      }
      if (long > 0) stop = long
      lines.run(slab.start, stop, this.#spec.batchRows)
      const inputBytes = lines.next - slab.start
      if (lines.count > 0) {
        const nextByte = slab.byte + inputBytes - (lines.next > slab.end ? 1 : 0)
        const decoded = this.#scan({ byte: slab.byte - slab.start, nextByte, inputBytes })
        slab.consume(lines.next)
        yield decoded
      } else if (inputBytes > 0) slab.consume(lines.next)
      if (inputBytes === 0) return
    }
  }

  /** Behind the line that `from` lies in; a single line may be longer than a call's input. */
  #lineEnd(from: number, limit: number): number {
    const at = indexOfByte(this.#memory, 10, { start: from, end: limit })
    return at < 0 ? limit : at + 1
  }

  /** Decodes the records of the index. `byte`: what to add to an address to get the offset in the split. */
  #scan(at: { readonly byte: number; readonly nextByte: number; readonly inputBytes: number }): Decoded {
    const lines = this.#lines
    const { count } = lines
    const starts = lines.starts.subarray(0, count)
    const ends = lines.ends.subarray(0, count)
    const rejects: Reject[] = []
    const ordinal = this.#ordinal
    const reject = (record: number, misfit: Misfit): void => {
      const [start, end] = [starts[record]!, ends[record]!]
      const bytes = this.#memory.bytes.slice(start, end)
      rejects.push({ ordinal: ordinal + record, byte: at.byte + start, bytes, ...misfit })
    }
    const input = { starts: lines.startsAddress, ends: lines.endsAddress, count, inputBytes: at.inputBytes }
    const rows = this.#scanner.scan(input, reject)
    this.#ordinal += count
    const scanned = {
      split: this.#spec.split,
      slab: this.#memory.bytes,
      starts,
      ends,
      count,
      rows,
      rowRecord: this.#scanner.rowRecord,
      ordinal,
      ingestMicros: this.#spec.nowMicros(),
    }
    return decodedOf(scanned, this.schema, this.#scanner.finish(rows), { rejects, nextByte: at.nextByte })
  }

  /** Records whose borders the connector knows. */
  *#framed(from: number, framing: Framing & { kind: 'index' }): Iterable<Decoded> {
    const slab = this.#slab
    const lines = this.#lines
    slab.startBehindMark()
    for (let first = 0; first < framing.count; ) {
      let count = 0
      let stop = from
      for (; count < this.#spec.batchRows && first + count < framing.count; count++) {
        const end = from + framing.ends[first + count]!
        if (count > 0 && end - slab.start > limits.kernelInputBytes) break
        lines.starts[count] = from + framing.starts[first + count]!
        lines.ends[count] = end
        stop = end
      }
      lines.count = count
      first += count
      const inputBytes = stop - slab.start
      const decoded = this.#scan({ byte: slab.byte - slab.start, nextByte: slab.byte + inputBytes, inputBytes })
      slab.consume(stop)
      yield decoded
    }
    slab.consume(slab.end)
  }

  #beginLong(): LongRecord {
    return new LongRecord({ ordinal: this.#ordinal++, byte: this.#slab.byte }, this.#lineBytesMax)
  }

  /** Passes over a line that is too long, up to `limit`; undefined when its end has not come yet. */
  #pass(long: LongRecord, limit: number): Decoded | undefined {
    const slab = this.#slab
    const at = indexOfByte(this.#memory, 10, { start: slab.start, end: limit })
    long.take(this.#memory.bytes.subarray(slab.start, at < 0 ? limit : at))
    slab.consume(at < 0 ? limit : at + 1)
    this.#long = at < 0 ? long : undefined
    if (at < 0) return undefined
    const byte = slab.byte - Math.max(0, slab.start - slab.end)
    return { batch: undefined, rejects: [long.reject()], next: { byte, ordinal: this.#ordinal } }
  }
}
