import { mkdirSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { assert, HeadraceError } from '../core/errors.ts'
import { type Checksum, encodeFrame, type LogRecord, PAYLOAD_MAX } from './frame.ts'
import { type LogFiles, systemFiles } from './log-files.ts'
import {
  corrupt,
  readSegment,
  SEGMENT_HEADER,
  scanSegment,
  segmentHeader,
  segmentName,
  segmentNumber,
} from './segment.ts'

export interface AppendLogOptions {
  readonly directory: string
  readonly checksum: Checksum
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes?: number | undefined
  readonly files?: LogFiles | undefined
}

interface Segment {
  readonly number: bigint
  readonly path: string
  readonly firstSequence: bigint
  records: bigint
  bytes: number
  /** The prefix that is known to be durable. */
  synced: { readonly bytes: number; readonly records: bigint }
}

const SEGMENT_BYTES = 64 * 1024 * 1024
/** Bytes that wait for a flush at most; `append` then writes them without waiting for durability. */
const BUFFER_BYTES = 1024 * 1024

/**
 * One framed append log in a folder: records in order, durable once `flush` has resolved. Concurrent flushes share one
 * sync. A torn tail of the last segment is cut when it is opened; damage anywhere else is refused. A failed write or
 * sync is final for its file: waiting flushes fail and the next append begins a new segment.
 */
export class AppendLog implements AsyncDisposable {
  readonly #directory: string
  readonly #checksum: Checksum
  readonly #segmentBytes: number
  readonly #files: LogFiles
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
    const frame = encodeFrame(kind, payload, this.#checksum)
    this.#pending.push(frame)
    this.#pendingBytes += frame.length
    this.#pendingRecords++
    if (this.#pendingBytes >= BUFFER_BYTES) this.#write()
    return sequence
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
    const isFull = last !== undefined && last.bytes >= this.#segmentBytes && last.bytes === last.synced.bytes
    if (last !== undefined && !isFull && this.#descriptor !== undefined) return last
    if (last !== undefined && !isFull && !this.#abandoned) {
      this.#descriptor = this.#files.openAppend(last.path)
      return last
    }
    this.#closeDescriptor()
    return this.#newSegment()
  }

  #newSegment(): Segment {
    const last = this.#segments.at(-1)
    const number = (last?.number ?? 0n) + 1n
    const firstSequence = last === undefined ? 1n : last.firstSequence + last.records
    const path = join(this.#directory, segmentName(number))
    const descriptor = this.#files.create(path)
    try {
      this.#files.write(descriptor, segmentHeader(number, firstSequence, this.#checksum))
      this.#files.syncDirectory(this.#directory)
    } catch (error) {
      // The next try makes a file of the same number.
      this.#files.close(descriptor)
      unlinkSync(path)
      throw error
    }
    this.#descriptor = descriptor
    this.#abandoned = false
    const synced = { bytes: SEGMENT_HEADER, records: 0n }
    const segment = { number, path, firstSequence, records: 0n, bytes: SEGMENT_HEADER, synced }
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
      yield* readSegment(path, { number, from, goodBytes: bytes, checksum: this.#checksum })
    }
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
  const files = options.files ?? systemFiles
  const numbers = readdirSync(options.directory)
    .map(segmentNumber)
    .filter((number) => number !== undefined)
    .sort((a, b) => (a < b ? -1 : 1))
  const segments: Segment[] = []
  let repairedBytes = 0
  for (const [i, number] of numbers.entries()) {
    const path = join(options.directory, segmentName(number))
    const scan = scanSegment(path, number, options.checksum)
    const isLast = i === numbers.length - 1
    if (scan === undefined) {
      if (!isLast) throw corrupt(path, number, 0)
      unlinkSync(path)
      continue
    }
    const before = segments.at(-1)
    const expected = before === undefined ? scan.firstSequence : before.firstSequence + before.records
    if (scan.firstSequence !== expected) throw corrupt(path, number, 16)
    if (scan.tornBytes > 0) {
      if (!isLast) throw corrupt(path, number, scan.goodBytes)
      files.truncate(path, scan.goodBytes)
      repairedBytes += scan.tornBytes
    }
    const { firstSequence, records, goodBytes: bytes } = scan
    segments.push({ number, path, firstSequence, records, bytes, synced: { bytes, records } })
  }
  return { segments, repairedBytes }
}
