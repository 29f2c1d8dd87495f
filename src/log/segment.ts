import { readFileSync } from 'node:fs'
import { HeadraceError } from '../core/errors.ts'
import { type Checksum, decodeFrame, type LogRecord } from './frame.ts'

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

/** What a scan of a segment found. */
export interface Scan {
  readonly firstSequence: bigint
  readonly records: bigint
  /** Bytes that are good, the header included. */
  readonly goodBytes: number
  /** Bytes behind them. */
  readonly tornBytes: number
}

/** Undefined: the file ends inside its header, it never held a record. A damaged header is corruption. */
export function scanSegment(path: string, number: bigint, checksum: Checksum): Scan | undefined {
  const bytes = readFileSync(path)
  if (bytes.length < SEGMENT_HEADER) return undefined
  const first = headerSequence(bytes, number, checksum)
  if (first === undefined) throw corrupt(path, number, 0)
  let at = SEGMENT_HEADER
  let records = 0n
  for (;;) {
    const frame = decodeFrame(bytes, at, checksum)
    if (frame === 'end' || frame === 'torn') break
    at = frame.next
    records++
  }
  return { firstSequence: first, records, goodBytes: at, tornBytes: bytes.length - at }
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
  form: { readonly number: bigint; readonly from: bigint; readonly goodBytes: number; readonly checksum: Checksum },
): Iterable<LogRecord> {
  const bytes = readFileSync(path).subarray(0, form.goodBytes)
  const first = headerSequence(bytes, form.number, form.checksum)
  if (first === undefined) throw corrupt(path, form.number, 0)
  let sequence = first
  for (let at = SEGMENT_HEADER; ; sequence++) {
    const frame = decodeFrame(bytes, at, form.checksum)
    if (frame === 'end') return
    if (frame === 'torn') throw corrupt(path, form.number, at)
    if (sequence >= form.from) yield { sequence, kind: frame.kind, payload: frame.payload }
    at = frame.next
  }
}

export const corrupt = (path: string, number: bigint, offset: number): HeadraceError =>
  new HeadraceError('connector_data_corrupt', `log corrupt: segment ${number} offset ${offset}`, {
    at: { kind: 'data', source: path, offset: String(offset) },
    hint: 'records before that place are good; restore the file or remove the log',
  })
