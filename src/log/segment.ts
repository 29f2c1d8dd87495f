import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { HeadraceError } from '../core/errors.ts'
import { behindFrame, type Checksum, decodeFrame, type LogRecord } from './frame.ts'

/**
 * `HRLOG01` + newline, the segment number and the sequence of its first record (u64 each), the CRC-32C of these 24
 * bytes (u32), four zeros. Little-endian.
 */
const MAGIC = new TextEncoder().encode('HRLOG01\n')
export const SEGMENT_HEADER = 32
const CHECKED = 24

export const segmentName = (number: bigint): string => `log-${String(number).padStart(20, '0')}.log`

export function segmentNumber(name: string): bigint | undefined {
  const match = /^log-(\d{20})\.log$/.exec(name)
  return match === null ? undefined : BigInt(match[1]!)
}

export function segmentHeader(number: bigint, firstSequence: bigint, checksum: Checksum): Uint8Array {
  const header = new Uint8Array(SEGMENT_HEADER)
  header.set(MAGIC)
  const view = new DataView(header.buffer)
  view.setBigUint64(8, number, true)
  view.setBigUint64(16, firstSequence, true)
  view.setUint32(CHECKED, checksum.crc32c(header.subarray(0, CHECKED)), true)
  return header
}

/** How the files of a log are named and begin. */
export interface SegmentForm {
  /** Of a damaged one, in messages. */
  readonly subject: string
  readonly headerBytes: number
  name(number: bigint): string
  /** The number of a file's name; undefined for other names. */
  number(name: string): bigint | undefined
  header(number: bigint, firstSequence: bigint, checksum: Checksum): Uint8Array
  /** Sequence of the first record; `unknown` where the header does not hold it; undefined: the header is damaged. */
  first(bytes: Uint8Array, number: bigint, checksum: Checksum): bigint | 'unknown' | undefined
}

export const LOG_FORM: SegmentForm = {
  subject: 'log',
  headerBytes: SEGMENT_HEADER,
  name: segmentName,
  number: segmentNumber,
  header: segmentHeader,
  first: headerSequence,
}

/** A record and where it lies. */
export interface PlacedRecord {
  readonly segment: bigint
  readonly offset: number
  readonly kind: number
  readonly payload: Uint8Array
}

/** What a scan of a segment found. */
export interface Scan {
  readonly firstSequence: bigint | 'unknown'
  readonly records: bigint
  /** Bytes that are good, the header included. */
  readonly goodBytes: number
  /** Bytes behind them. */
  readonly tornBytes: number
  /** A whole record lies behind the first bad one: a write that was cut off leaves none. */
  readonly isDamaged: boolean
}

/** Undefined: the file ends inside its header, it never held a record. A damaged header is corruption. */
export function scanSegment(
  path: string,
  number: bigint,
  options: {
    readonly checksum: Checksum
    readonly form?: SegmentForm | undefined
    /** Its beginning, which is not read again. */
    readonly known?: { readonly records: bigint; readonly bytes: number } | undefined
    /** Is given the records behind it. */
    readonly visit?: ((record: PlacedRecord) => void) | undefined
    /** Room that is used for one segment after the other. */
    readonly room?: ReadRoom | undefined
  },
): Scan | undefined {
  const { checksum, form = LOG_FORM, known, visit, room } = options
  const size = statSync(path).size
  const isKnown = known !== undefined && known.bytes <= size
  const start = isKnown ? known.bytes : form.headerBytes
  const head = readPart(path, 0, Math.min(size, form.headerBytes))
  if (head.length < form.headerBytes) return undefined
  const first = form.first(head, number, checksum)
  if (first === undefined) throw corrupt(path, { number, offset: 0, form })
  const bytes = readPart(path, start, size, room)
  let at = 0
  let records = isKnown ? known.records : 0n
  let isDamaged = false
  for (;;) {
    const frame = decodeFrame(bytes, at, checksum)
    if (frame === 'torn') isDamaged = isRecord(bytes, behindFrame(bytes, at), checksum)
    if (frame === 'end' || frame === 'torn') break
    visit?.({ segment: number, offset: start + at, kind: frame.kind, payload: frame.payload })
    at = frame.next
    records++
  }
  return { firstSequence: first, records, goodBytes: start + at, tornBytes: bytes.length - at, isDamaged }
}

function isRecord(bytes: Uint8Array, at: number, checksum: Checksum): boolean {
  const frame = at < bytes.length ? decodeFrame(bytes, at, checksum) : 'end'
  return frame !== 'end' && frame !== 'torn'
}

/** Bytes of a file, for the time until the next file is read. */
export class ReadRoom {
  #bytes = new Uint8Array(0)

  take(length: number): Uint8Array {
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(length)
    return this.#bytes.subarray(0, length)
  }
}

function readPart(path: string, from: number, to: number, room?: ReadRoom): Uint8Array {
  // Not a Buffer: parts of one take longer to make.
  const bytes = room?.take(to - from) ?? new Uint8Array(to - from)
  const descriptor = openSync(path, 'r')
  try {
    let got = 0
    while (got < bytes.length) {
      const read = readSync(descriptor, bytes, got, bytes.length - got, from + got)
      if (read === 0) break
      got += read
    }
    return bytes.subarray(0, got)
  } finally {
    closeSync(descriptor)
  }
}

/** Sequence of a segment's first record; undefined: the header is damaged. */
export function headerSequence(bytes: Uint8Array, number: bigint, checksum: Checksum): bigint | undefined {
  if (bytes.length < SEGMENT_HEADER || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(CHECKED, true) !== checksum.crc32c(bytes.subarray(0, CHECKED))) return undefined
  return view.getBigUint64(8, true) === number ? view.getBigUint64(16, true) : undefined
}

/** The records of a segment from a sequence on; damage inside is `connector_data_corrupt` with segment and offset. */
export function* readSegment(
  path: string,
  segment: {
    readonly number: bigint
    readonly firstSequence: bigint
    readonly from: bigint
    readonly goodBytes: number
    readonly checksum: Checksum
    readonly form: SegmentForm
  },
): Iterable<LogRecord> {
  const { number, firstSequence, form, checksum } = segment
  const bytes = readFileSync(path).subarray(0, segment.goodBytes)
  if (form.first(bytes, number, checksum) === undefined) throw corrupt(path, { number, offset: 0, form })
  let sequence = firstSequence
  for (let at = form.headerBytes; ; sequence++) {
    const frame = decodeFrame(bytes, at, checksum)
    if (frame === 'end') return
    if (frame === 'torn') throw corrupt(path, { number, offset: at, form })
    if (sequence >= segment.from) yield { sequence, kind: frame.kind, payload: frame.payload }
    at = frame.next
  }
}

/** The records of a segment from an offset on, with their places; payloads stay valid. */
export function* readPlaces(
  path: string,
  segment: {
    readonly number: bigint
    readonly start: number
    readonly goodBytes: number
    readonly checksum: Checksum
    readonly form: SegmentForm
  },
): Iterable<PlacedRecord> {
  const { number, start, goodBytes, checksum, form } = segment
  const bytes = readPart(path, start, goodBytes)
  for (let at = 0; ; ) {
    const frame = decodeFrame(bytes, at, checksum)
    if (frame === 'end') return
    if (frame === 'torn') throw corrupt(path, { number, offset: start + at, form })
    yield { segment: number, offset: start + at, kind: frame.kind, payload: frame.payload }
    at = frame.next
  }
}

/** Damage at a place; `details` has its segment and offset. */
export function corrupt(
  path: string,
  at: { readonly number: bigint; readonly offset: number; readonly form?: SegmentForm | undefined },
): HeadraceError {
  const { number, offset, form = LOG_FORM } = at
  return new HeadraceError('connector_data_corrupt', `${form.subject} corrupt: segment ${number} offset ${offset}`, {
    at: { kind: 'data', source: path, offset: String(offset) },
    hint: 'records before that place are good; restore the file or remove the log',
    details: { segment: String(number), offset },
  })
}
