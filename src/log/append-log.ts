import { mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { assert, HeadraceError } from '../core/errors.ts'
import { type Checksum, encodeFrame, FRAME_HEADER, type LogRecord, PAYLOAD_MAX } from './frame.ts'
import { type LogFiles, systemFiles } from './log-files.ts'
import type { LogPlace } from './read-log.ts'
import {
  corrupt,
  LOG_FORM,
  type PlacedRecord,
  ReadRoom,
  readPlaces,
  readSegment,
  type SegmentForm,
  scanSegment,
} from './segment.ts'

export interface AppendLogOptions {
  readonly directory: string
  readonly checksum: Checksum
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes?: number | undefined
  readonly files?: LogFiles | undefined
  readonly form?: SegmentForm | undefined
  /**
   * Records that every new segment begins with. They have sequences, too: the one that `append` returns may then lie
   * below the real one.
   */
  readonly prelude?: (() => readonly { readonly kind: number; readonly payload: Uint8Array }[]) | undefined
  /** What somebody has checked before: only what lies behind it is read when the log is opened. */
  readonly known?: readonly SegmentFacts[] | undefined
  /**
   * Damage with a whole record behind it is refused in the last segment, too, instead of cut: for logs of which no more
   * than the last record can be torn, because each is durable before the next is written.
   */
  readonly refusesDamage?: boolean | undefined
  /** Is given every record that is read when the log is opened; the payload is valid until it returns. */
  readonly visit?: ((record: PlacedRecord) => void) | undefined
}

/** A segment, or its beginning. */
export interface SegmentFacts {
  readonly number: bigint
  readonly firstSequence: bigint
  readonly records: bigint
  readonly bytes: number
}

interface Segment extends SegmentFacts {
  readonly path: string
  records: bigint
  bytes: number
  /** Of the records that it began with, where it was made here. */
  readonly preludeBytes: number
  /** The prefix that is known to be durable. */
  synced: { readonly bytes: number; readonly records: bigint }
}

const SEGMENT_BYTES = 64 * 1024 * 1024
/** Bytes that wait for a flush at most; `append` then writes them without waiting for durability. */
const BUFFER_BYTES = 1024 * 1024

/**
 * One framed append log in a folder: records in order, durable once `flush` has resolved. Concurrent flushes share one
 * sync. A torn tail of the last segment is cut when it is opened; damage anywhere else is refused, there on demand. A failed write or
 * sync is final for its file: waiting flushes fail and the next append begins a new segment.
 */
export class AppendLog implements AsyncDisposable {
  readonly #directory: string
  readonly #checksum: Checksum
  readonly #segmentBytes: number
  readonly #files: LogFiles
  readonly #form: SegmentForm
  readonly #prelude: NonNullable<AppendLogOptions['prelude']>
  readonly #segments: Segment[]
  #descriptor: number | undefined
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #pendingRecords = 0n
  #flushing: Promise<void> | undefined
  /** Records below this sequence are durable. */
  #syncedBelow: bigint
  /** The last segment's file failed: the next append begins a new one. */
  #abandoned = false
  /** Bytes that were cut off when the log was opened. */
  readonly repairedBytes: number

  private constructor(options: AppendLogOptions, found: { segments: Segment[]; repairedBytes: number }) {
    this.#directory = options.directory
    this.#checksum = options.checksum
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
    this.#files = options.files ?? systemFiles
    this.#form = options.form ?? LOG_FORM
    this.#prelude = options.prelude ?? (() => [])
    this.#segments = found.segments
    this.repairedBytes = found.repairedBytes
    this.#syncedBelow = this.nextSequence
  }

  /** Opens (or makes) the log of a folder and repairs its tail. One process at a time: the caller holds the lock. */
  static open(options: AppendLogOptions): AppendLog {
    mkdirSync(options.directory, { recursive: true })
    return new AppendLog(options, loadSegments(options))
  }

  /** Sequence that the next record gets. */
  get nextSequence(): bigint {
    const last = this.#segments.at(-1)
    return (last === undefined ? 1n : last.firstSequence + last.records) + this.#pendingRecords
  }

  /** Sequence of the oldest record held. */
  get firstSequence(): bigint {
    return this.#segments[0]?.firstSequence ?? 1n
  }

  /** Adds a record and returns its sequence; it is durable after the next `flush`. The payload is copied. */
  append(kind: number, payload: Uint8Array): bigint {
    assert(payload.length + 1 <= PAYLOAD_MAX, 'a log record is over its limit')
    const sequence = this.nextSequence
    this.#push(encodeFrame(kind, payload, this.#checksum))
    if (this.#pendingBytes >= BUFFER_BYTES) this.#write()
    return sequence
  }

  #push(frame: Uint8Array): void {
    this.#pending.push(frame)
    this.#pendingBytes += frame.length
    this.#pendingRecords++
  }

  /** Adds a record and writes it; gives where it lies. It is durable after the next `flush`. */
  write(kind: number, payload: Uint8Array): LogPlace & { readonly payload: Uint8Array } {
    assert(payload.length + 1 <= PAYLOAD_MAX, 'a log record is over its limit')
    const frame = encodeFrame(kind, payload, this.#checksum)
    this.#push(frame)
    this.#write()
    const { number: segment, bytes } = this.#segments.at(-1)!
    return { segment, offset: bytes - frame.length, payload: frame.subarray(FRAME_HEADER + 1) }
  }

  /** What is held, from the oldest segment on. */
  get segments(): readonly SegmentFacts[] {
    return this.#segments.map(({ number, firstSequence, records, bytes }) => ({
      number,
      firstSequence,
      records,
      bytes,
    }))
  }

  pathOf(segment: bigint): string {
    return join(this.#directory, this.#form.name(segment))
  }

  /** A segment's file was replaced by one of as many records. Not for the last one. */
  replaced(segment: bigint, bytes: number): void {
    const found = this.#segments.find(({ number }) => number === segment)
    assert(found !== undefined && found !== this.#segments.at(-1), 'the last segment was replaced')
    found.bytes = bytes
    found.synced = { bytes, records: found.records }
  }

  /** Resolves when every record appended before the call is durable. Calls that wait together share one sync. */
  async flush(): Promise<void> {
    const target = this.nextSequence
    while (this.#syncedBelow < target) {
      this.#flushing ??= this.#flushNow().finally(() => {
        this.#flushing = undefined
      })
      await this.#flushing
    }
  }

  async #flushNow(): Promise<void> {
    // Records of one turn of the event loop go in one group.
    await undefined
    this.#write()
    const segment = this.#segments.at(-1)
    if (segment === undefined || this.#descriptor === undefined) return
    const { bytes, records } = segment
    try {
      await this.#files.sync(this.#descriptor)
    } catch (error) {
      this.#abandon()
      throw failed('sync', this.#directory, error)
    }
    segment.synced = { bytes, records }
    this.#syncedBelow = segment.firstSequence + records
  }

  #write(): void {
    if (this.#pending.length === 0) return
    const group = Buffer.concat(this.#pending)
    const records = this.#pendingRecords
    this.#pending = []
    this.#pendingBytes = 0
    this.#pendingRecords = 0n
    try {
      const segment = this.#writable()
      this.#files.write(this.#descriptor!, group)
      segment.records += records
      segment.bytes += group.length
    } catch (error) {
      this.#abandon()
      throw failed('write', this.#directory, error)
    }
  }

  /**
   * The segment to write to, a new one when there is none or it is full. A full one is left only when all of it is
   * durable: a flush syncs one file.
   */
  #writable(): Segment {
    const last = this.#segments.at(-1)
    const isFull = last !== undefined && last.bytes >= this.#fullBytes(last) && last.bytes === last.synced.bytes
    if (last !== undefined && !isFull && this.#descriptor !== undefined) return last
    if (last !== undefined && !isFull && !this.#abandoned) {
      this.#descriptor = this.#files.openAppend(last.path)
      return last
    }
    this.#closeDescriptor()
    return this.#newSegment()
  }

  /** However much it began with, as much again and again fits behind it. */
  #fullBytes({ preludeBytes }: Segment): number {
    return Math.max(this.#segmentBytes, 4 * preludeBytes)
  }

  #newSegment(): Segment {
    const last = this.#segments.at(-1)
    const number = (last?.number ?? 0n) + 1n
    const firstSequence = last === undefined ? 1n : last.firstSequence + last.records
    const path = join(this.#directory, this.#form.name(number))
    const prelude = this.#prelude().map(({ kind, payload }) => encodeFrame(kind, payload, this.#checksum))
    const start = Buffer.concat([this.#form.header(number, firstSequence, this.#checksum), ...prelude])
    const descriptor = this.#files.create(path)
    try {
      this.#files.write(descriptor, start)
      this.#files.syncDirectory(this.#directory)
    } catch (error) {
      // The next try makes a file of the same number.
      this.#files.close(descriptor)
      unlinkSync(path)
      throw error
    }
    this.#descriptor = descriptor
    this.#abandoned = false
    const records = BigInt(prelude.length)
    // A failed sync leaves the header; what follows it is written anew elsewhere.
    const synced = { bytes: this.#form.headerBytes, records: 0n }
    const preludeBytes = start.length - this.#form.headerBytes
    const segment = { number, path, firstSequence, records, bytes: start.length, preludeBytes, synced }
    this.#segments.push(segment)
    return segment
  }

  /** After a failed write or sync the file is cut back to what is durable, and nothing more goes into it. */
  #abandon(): void {
    this.#closeDescriptor()
    this.#abandoned = true
    this.#pending = []
    this.#pendingBytes = 0
    this.#pendingRecords = 0n
    const segment = this.#segments.at(-1)
    if (segment === undefined) return
    segment.records = segment.synced.records
    segment.bytes = segment.synced.bytes
    try {
      this.#files.truncate(segment.path, segment.bytes)
    } catch {
      // The disk that failed may fail again; the next open finds the torn tail and cuts it.
    }
  }

  /** Records from `from` on that have been written; damage throws where it is met. */
  *read(from: bigint = this.firstSequence): Iterable<LogRecord> {
    if (from < this.firstSequence) {
      throw new HeadraceError('connector_offset_gone', `log record ${from} was removed`, {
        hint: `the oldest record is ${this.firstSequence}`,
      })
    }
    this.#write()
    for (const { number, path, firstSequence, records, bytes } of this.#segments) {
      if (firstSequence + records <= from) continue
      yield* readSegment(path, {
        number,
        firstSequence,
        from,
        goodBytes: bytes,
        checksum: this.#checksum,
        form: this.#form,
      })
    }
  }

  /** The records of one segment with their places; damage throws where it is met. */
  *placesOf(segment: bigint): Iterable<PlacedRecord> {
    this.#write()
    const found = this.#segments.find(({ number }) => number === segment)
    if (found === undefined) return
    const { number, path, bytes: goodBytes } = found
    const [form, checksum] = [this.#form, this.#checksum]
    yield* readPlaces(path, { number, start: form.headerBytes, goodBytes, checksum, form })
  }

  /** Removes whole segments that hold only records before `sequence`; the last one always stays. */
  trim(sequence: bigint): void {
    while (this.#segments.length > 1) {
      const { path, firstSequence, records } = this.#segments[0]!
      if (firstSequence + records > sequence) return
      unlinkSync(path)
      this.#segments.shift()
    }
  }

  #closeDescriptor(): void {
    if (this.#descriptor !== undefined) this.#files.close(this.#descriptor)
    this.#descriptor = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.flush()
    } finally {
      this.#closeDescriptor()
    }
  }
}

const failed = (what: string, directory: string, cause: unknown): HeadraceError =>
  new HeadraceError('connector_unreachable', `cannot ${what} the log in "${directory}"`, { cause })

function loadSegments(options: AppendLogOptions): { segments: Segment[]; repairedBytes: number } {
  const { files = systemFiles, form = LOG_FORM, checksum } = options
  const numbers = readdirSync(options.directory)
    .map((name) => form.number(name))
    .filter((number) => number !== undefined)
    .sort((a, b) => (a < b ? -1 : 1))
  const segments: Segment[] = []
  let repairedBytes = 0
  const room = new ReadRoom()
  for (const [i, number] of numbers.entries()) {
    const path = join(options.directory, form.name(number))
    const known = options.known?.find((facts) => facts.number === number)
    const scan = scanSegment(path, number, { checksum, form, known, visit: options.visit, room })
    const isLast = i === numbers.length - 1
    if (scan === undefined) {
      if (!isLast) throw corrupt(path, { number, offset: 0, form })
      repairedBytes += statSync(path).size
      unlinkSync(path)
      continue
    }
    const before = segments.at(-1)
    const follows = before === undefined ? undefined : before.firstSequence + before.records
    const firstSequence = scan.firstSequence === 'unknown' ? (follows ?? 1n) : scan.firstSequence
    if (follows !== undefined && firstSequence !== follows) throw corrupt(path, { number, offset: 16, form })
    // Without sequences only the numbers tell that none is missing.
    const isGap = before !== undefined && scan.firstSequence === 'unknown' && number !== before.number + 1n
    if (isGap) throw corrupt(path, { number, offset: 0, form })
    if (scan.tornBytes > 0) {
      const isRefused = options.refusesDamage === true && scan.isDamaged
      if (!isLast || isRefused) throw corrupt(path, { number, offset: scan.goodBytes, form })
      files.truncate(path, scan.goodBytes)
      repairedBytes += scan.tornBytes
    }
    const { records, goodBytes: bytes } = scan
    segments.push({ number, path, firstSequence, records, bytes, preludeBytes: 0, synced: { bytes, records } })
  }
  return { segments, repairedBytes }
}
