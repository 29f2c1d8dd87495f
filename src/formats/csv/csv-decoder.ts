import { HeadraceError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import { field, type Schema } from '../../core/types.ts'
import { CsvScanner } from '../../kernels/csv-scan.ts'
import type { ScannerCounters } from '../../kernels/json-scan.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import { indexOfByte } from '../../kernels/lines.ts'
import type { Misfit } from '../../kernels/store-json.ts'
import type { CsvOptions, Decoded, Decoder, DecoderSpec, Framing, Reject } from '../decoder.ts'
import { InputSlab } from '../input-slab.ts'
import { LongRecord } from '../long-lines.ts'
import { decodedOf } from '../record-batch.ts'
import { Transcoder } from '../transcoder.ts'
import { csvOptions, dialectOf } from './csv-options.ts'
import { headerNames, positionNames, positionOf } from './header.ts'

/** What one call may take beside fresh input: a record that was pending. */
const PENDING_BYTES = 64 * 1024
/** A quote that is closed within so many bytes behind the limit was meant; the record is rejected whole. */
const CLOSE_BYTES = 64 * 1024
const LF = 10
const CR = 13

/** csv and tsv → batches (connectors.md §5). */
export function createCsvDecoder(
  format: 'csv' | 'tsv',
  spec: DecoderSpec,
  deps: { readonly memory: WorkerMemory; readonly kernels: Kernels },
): Decoder {
  return new CsvDecoder(spec, csvOptions(spec.csv, format), deps)
}

class CsvDecoder implements Decoder {
  readonly schema: Schema
  readonly #spec: DecoderSpec
  readonly #options: CsvOptions
  readonly #memory: WorkerMemory
  readonly #slab: InputSlab
  readonly #scanner: CsvScanner
  readonly #lineBytesMax: number
  /** Byte that a comment begins with, or −1. */
  readonly #comment: number
  #transcoder: Transcoder | undefined
  /** Where the connector writes when the bytes are transcoded first. */
  #raw = new Uint8Array(0)
  /** Offset in the original bytes of the slab's start, when transcoding. */
  #originalByte = 0
  #ordinal = 0
  #linesToSkip: number
  #names: readonly string[] | undefined
  #ready = false
  /** The line that a record over the limit begins with, or a comment: its end has not come yet. */
  #passing: LongRecord | 'comment' | undefined

  constructor(
    spec: DecoderSpec,
    options: CsvOptions,
    deps: { readonly memory: WorkerMemory; readonly kernels: Kernels },
  ) {
    const { memory, kernels } = deps
    this.#spec = spec
    this.#options = options
    this.#memory = memory
    this.#lineBytesMax = spec.lineBytesMax ?? limits.lineBytesMax
    this.#linesToSkip = options.skipLines
    this.#names = options.names
    this.#slab = new InputSlab(memory)
    this.#transcoder = options.encoding === 'utf-8' ? undefined : new Transcoder(options.encoding)
    this.schema = { fields: spec.columns.map((column) => field(column.name, column.type, !column.required)) }
    const specs = spec.columns.map((column) => {
      if (column.type.kind === 'struct') {
        throw new HeadraceError('sql_feature_unsupported', `column "${column.name}": a CSV field is no STRUCT`, {
          hint: 'Declare it JSON.',
        })
      }
      return { ...column, timeUnit: column.timeUnit ?? ('auto' as const), mixed: false }
    })
    const compiled = spec.kernels === 'on'
    const dialect = dialectOf(options)
    this.#comment = dialect.comment
    this.#scanner = new CsvScanner(specs, kernels, { capacity: spec.batchRows, compiled, dialect })
  }

  get counters(): ScannerCounters {
    return this.#scanner.counters
  }

  reserve(min: number): Uint8Array {
    if (this.#transcoder === undefined) return this.#slab.reserve(min)
    if (this.#raw.length < min) this.#raw = new Uint8Array(Math.max(min, limits.kernelInputBytes))
    return this.#raw
  }

  *commit(length: number, framing: Framing): Iterable<Decoded> {
    const slab = this.#slab
    if (framing.kind === 'index') {
      yield* this.#framed(framing, length)
      return
    }
    if (this.#transcoder === undefined) slab.commit(length)
    else this.#append(this.#transcoder.write(this.#raw.subarray(0, length)))
    yield* this.#batches(slab.end, false)
  }

  *finish(): Iterable<Decoded> {
    const slab = this.#slab
    if (this.#transcoder !== undefined) this.#append(this.#transcoder.end())
    slab.skipMark(true, (address) => this.#consume(address))
    // So few bytes that a byte order mark was waited for may be whole records.
    yield* this.#batches(slab.end, false)
    if (slab.start === slab.end && this.#passing === undefined) return
    // The sentinel is a line feed: with it the last record is a whole one.
    yield* this.#batches(slab.end + 1, true)
    if (slab.start < slab.end)
      yield this.#rejectFrom('connector_record_invalid', 'a quoted field is not closed', slab.end)
    if (slab.start > slab.end) {
      slab.byte -= slab.start - slab.end
      slab.start = slab.end
    }
  }

  seek(position: { readonly byte: number; readonly ordinal: number }): void {
    this.#slab.seek(position.byte)
    this.#originalByte = position.byte
    this.#ordinal = position.ordinal
    this.#passing = undefined
    const { encoding } = this.#options
    this.#transcoder = encoding === 'utf-8' ? undefined : new Transcoder(encoding)
    const atStart = position.byte === 0
    this.#linesToSkip = atStart ? this.#options.skipLines : 0
    if (atStart) {
      this.#names = this.#options.names
      this.#ready = false
    } else if (this.#names === undefined && this.#options.header) {
      throw new HeadraceError('connector_offset_invalid', 'a CSV file with a header cannot be entered in the middle', {
        hint: 'Give the names of its fields, or read it from the start.',
      })
    } else if (this.#names !== undefined) this.#layOut(this.#names)
  }

  [Symbol.dispose](): void {
    this.#slab[Symbol.dispose]()
    this.#scanner[Symbol.dispose]()
  }

  #append(text: Uint8Array): void {
    this.#slab.reserve(text.length).set(text)
    this.#slab.commit(text.length)
  }

  *#batches(limit: number, last: boolean): Iterable<Decoded> {
    const slab = this.#slab
    if (!(yield* this.#passed(limit, last)) || !(yield* this.#prepare(limit, last))) return
    let reach = limits.kernelInputBytes + PENDING_BYTES
    while (slab.start < limit) {
      const stop = Math.min(limit, slab.start + reach)
      const decoded = this.#scan(slab.start, stop)
      if (decoded === 'long') {
        const whole = this.#rejectLong(stop)
        if (whole === undefined) yield* this.#giveUp(limit, last)
        else yield whole
        continue
      }
      const moved = this.#scanner.next > slab.start
      this.#consume(this.#scanner.next)
      if (decoded !== undefined) yield decoded
      if (moved) {
        reach = limits.kernelInputBytes + PENDING_BYTES
        continue
      }
      if (stop < limit) {
        reach *= 2
        continue
      }
      if (slab.end - slab.start <= this.#lineBytesMax + (last ? 0 : CLOSE_BYTES)) return
      if (!(yield* this.#giveUp(limit, last))) return
    }
  }

  /**
   * Gives up the line at the slab's start: a record over the limit begins there, by a quote that nothing closes. Reading goes on with the next line. A comment may be of any length. False when the line's end has not come yet.
   */
  *#giveUp(limit: number, last: boolean): Generator<Decoded, boolean> {
    const slab = this.#slab
    const comment = this.#memory.bytes[slab.start] === this.#comment
    const at = { ordinal: this.#ordinal, byte: this.#offsetOf(slab.start) }
    this.#passing = comment ? 'comment' : new LongRecord(at, this.#lineBytesMax)
    if (!comment) this.#ordinal++
    return yield* this.#passed(limit, last)
  }

  /** Rejects the record at the slab's start; undefined when it is not well-formed, or goes on for too long. */
  #rejectLong(limit: number): Decoded | undefined {
    const slab = this.#slab
    const read = this.#scanner.reader.read(slab.start, limit, false)
    if (read.kind !== 'record' || read.end - slab.start > this.#lineBytesMax + CLOSE_BYTES - 2) return undefined
    const long = new LongRecord({ ordinal: this.#ordinal++, byte: this.#offsetOf(slab.start) }, this.#lineBytesMax)
    long.take(this.#memory.bytes.subarray(slab.start, read.end))
    this.#consume(read.next)
    const next = { byte: this.#offsetOf(slab.start), ordinal: this.#ordinal }
    return { batch: undefined, rejects: [long.reject()], next }
  }

  /** Passes over what is being passed over; its reject comes with its end. False when that has not come yet. */
  *#passed(limit: number, last: boolean): Generator<Decoded, boolean> {
    const passing = this.#passing
    if (passing === undefined) return true
    const slab = this.#slab
    const { bytes } = this.#memory
    const end = this.#lineBreak(slab.start, limit)
    if (passing !== 'comment') passing.take(bytes.subarray(slab.start, Math.min(end, slab.end)))
    // A line feed may follow a carriage return that comes last.
    const isReturn = end < limit && bytes[end] === CR
    const whole = end < limit && (!isReturn || end + 1 < limit || last)
    const breakBytes = isReturn && end + 1 < limit && bytes[end + 1] === LF ? 2 : 1
    this.#consume(whole ? end + breakBytes : end)
    if (!whole) return false
    this.#passing = undefined
    if (passing === 'comment') return true
    const next = { byte: this.#offsetOf(slab.start), ordinal: this.#ordinal }
    yield { batch: undefined, rejects: [passing.reject()], next }
    return true
  }

  /** Address of the first line feed or carriage return of `[start, limit)`, or `limit`. */
  #lineBreak(start: number, limit: number): number {
    const feed = indexOfByte(this.#memory, LF, { start, end: limit })
    const end = feed < 0 ? limit : feed
    const back = indexOfByte(this.#memory, CR, { start, end })
    return back < 0 ? end : back
  }

  /** Mark, skipped lines and header; false when more bytes are needed for them. */
  *#prepare(limit: number, last: boolean): Generator<Decoded, boolean> {
    const slab = this.#slab
    if (!slab.skipMark(last, (address) => this.#consume(address))) return false
    for (; this.#linesToSkip > 0; this.#linesToSkip--) {
      const at = indexOfByte(this.#memory, LF, { start: slab.start, end: limit })
      this.#consume(at < 0 ? limit : at + 1)
      if (at < 0) return false
    }
    const { header, names } = this.#options
    while (!this.#ready) {
      if (slab.start >= limit) return false
      const read = this.#scanner.reader.read(slab.start, limit, false)
      if (read.kind === 'nothing') {
        this.#consume(read.next)
        continue
      }
      const whole = read.kind !== 'incomplete'
      const length = (whole ? read.end : slab.end) - slab.start
      // Two bytes more: they may be the end of a record of just the limit.
      if (length > this.#lineBytesMax + (whole || last ? 0 : 2)) {
        if (header && this.#memory.bytes[slab.start] !== this.#comment) throw this.#headerTooLong()
        if (!(yield* this.#giveUp(limit, last))) return false
        continue
      }
      if (!whole) return false
      if (read.kind === 'malformed') {
        throw new HeadraceError('connector_record_invalid', 'the first record of the file is not well-formed CSV', {
          hint: 'Check delimiter, quote and encoding.',
        })
      }
      this.#layOut(names ?? (header ? headerNames(read.fields) : positionNames(read.fields.length)))
      if (header) this.#consume(read.next)
    }
    return true
  }

  #headerTooLong(): HeadraceError {
    const message = `the header is longer than line_bytes_max, ${this.#lineBytesMax} bytes`
    return new HeadraceError('connector_record_too_large', message, {
      hint: 'Raise line_bytes_max; or check delimiter and quote.',
    })
  }

  #layOut(names: readonly string[]): void {
    this.#names = names
    this.#ready = true
    const positions = this.#spec.columns.map((column) => positionOf(column.path[0] ?? column.name, names))
    this.#scanner.setLayout({ positions, width: names.length })
  }

  #consume(address: number): void {
    const slab = this.#slab
    if (this.#transcoder !== undefined && address > slab.start) {
      const text = this.#memory.bytes.subarray(slab.start, Math.min(address, slab.end))
      this.#originalByte += this.#transcoder.originalBytes(text)
    }
    slab.consume(address)
  }

  /** Offset in the split's own bytes of an address that is not consumed yet. */
  #offsetOf(address: number): number {
    const slab = this.#slab
    if (this.#transcoder === undefined) return slab.byte + Math.min(address, slab.end) - slab.start
    const text = this.#memory.bytes.subarray(slab.start, Math.min(address, slab.end))
    return this.#originalByte + this.#transcoder.originalBytes(text)
  }

  /** The records of `[start, limit)` before the first that is over the limit; `long` when that comes first. */
  #scan(start: number, limit: number): Decoded | 'long' | undefined {
    const scanner = this.#scanner
    const rejects: Reject[] = []
    const ordinal = this.#ordinal
    const reject = (record: number, misfit: Misfit): void => {
      const from = scanner.starts[record]!
      const bytes = this.#memory.bytes.slice(from, scanner.ends[record]!)
      rejects.push({ ordinal: ordinal + record, byte: this.#offsetOf(from), bytes, ...misfit })
    }
    let rows = scanner.scan({ start, limit, most: this.#spec.batchRows }, reject)
    const long = scanner.next - start > this.#lineBytesMax ? this.#firstLong() : -1
    if (long === 0) {
      this.#consume(scanner.starts[0]!)
      return 'long'
    }
    if (long > 0) {
      rejects.length = 0
      rows = scanner.scan({ start, limit, most: long }, reject)
    }
    const count = scanner.records
    if (count === 0) return undefined
    this.#ordinal += count
    const scanned = {
      split: this.#spec.split,
      slab: this.#memory.bytes,
      starts: scanner.starts.subarray(0, count),
      ends: scanner.ends.subarray(0, count),
      count,
      rows,
      rowRecord: scanner.rowRecord,
      ordinal,
      ingestMicros: this.#spec.nowMicros(),
    }
    return decodedOf(scanned, this.schema, scanner.finish(rows), { rejects, nextByte: this.#offsetOf(scanner.next) })
  }

  /** The first record of the last scan that is over the limit, or −1. */
  #firstLong(): number {
    const { starts, ends, records } = this.#scanner
    return starts.subarray(0, records).findIndex((start, i) => ends[i]! - start > this.#lineBytesMax)
  }

  /** Rejects what lies between the slab's start and `next`. */
  #rejectFrom(code: Reject['code'], detail: string, next: number): Decoded {
    const slab = this.#slab
    const bytes = this.#memory.bytes.slice(slab.start, Math.min(next, slab.start + PENDING_BYTES))
    const reject: Reject = { ordinal: this.#ordinal++, byte: this.#offsetOf(slab.start), bytes, code, detail }
    this.#consume(next)
    return { batch: undefined, rejects: [reject], next: { byte: this.#offsetOf(slab.start), ordinal: this.#ordinal } }
  }

  /** Records that the connector has cut: each is one record without header; names must be known. */
  *#framed(framing: Framing & { kind: 'index' }, length: number): Iterable<Decoded> {
    const slab = this.#slab
    if (this.#options.names === undefined && this.#options.header) {
      throw new HeadraceError('connector_option_conflict', 'CSV records of messages have no header', {
        hint: 'Set header = false, or declare the columns.',
      })
    }
    const source = this.#transcoder === undefined ? this.#memory.bytes.slice(slab.end, slab.end + length) : this.#raw
    slab.startBehindMark()
    for (let i = 0; i < framing.count; i++) {
      const record = source.subarray(framing.starts[i]!, framing.ends[i]!)
      this.#append(Buffer.concat([this.#transcoder?.write(record) ?? record, Buffer.from('\n')]))
      yield* this.#batches(slab.end, false)
    }
  }
}
