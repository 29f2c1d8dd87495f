import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { type Checksum, decodeFrame, FRAME_HEADER, type LogRecord, PAYLOAD_MAX } from './frame.ts'
import { corrupt, headerSequence, SEGMENT_HEADER, segmentName, segmentNumber } from './segment.ts'

/** Where a record lies. */
export interface LogPlace {
  readonly segment: bigint
  readonly offset: number
}

/**
 * The records of a log's folder, which is not touched: also while its owner writes, a torn tail of the last segment is
 * what has not been written yet. A torn tail of another segment is left out when the next one goes on behind it: a failed
 * write left it. Any other damage throws where it is met.
 */
export function* readLog(directory: string, checksum: Checksum): Iterable<LogRecord & LogPlace> {
  const numbers = readdirSync(directory)
    .map(segmentNumber)
    .filter((number) => number !== undefined)
    .sort((a, b) => (a < b ? -1 : 1))
  let next: bigint | undefined
  let torn: { readonly number: bigint; readonly offset: number } | undefined
  for (const [i, number] of numbers.entries()) {
    const path = join(directory, segmentName(number))
    const bytes = readFileSync(path)
    if (bytes.length < SEGMENT_HEADER && i === numbers.length - 1) return
    const first = headerSequence(bytes, number, checksum)
    if (first === undefined) throw corrupt(path, { number, offset: 0 })
    if (next !== undefined && first !== next) {
      throw torn === undefined
        ? corrupt(path, { number, offset: 16 })
        : corrupt(path, { number: torn.number, offset: torn.offset })
    }
    let sequence = first
    torn = undefined
    for (let at = SEGMENT_HEADER; ; sequence++) {
      const frame = decodeFrame(bytes, at, checksum)
      if (frame === 'end') break
      if (frame === 'torn') {
        torn = { number, offset: at }
        break
      }
      yield { sequence, kind: frame.kind, payload: frame.payload, segment: number, offset: at }
      at = frame.next
    }
    next = sequence
  }
}

/** One record by its place; its checksum is checked anew. */
export function readRecordAt(directory: string, place: LogPlace, checksum: Checksum): Omit<LogRecord, 'sequence'> {
  const path = join(directory, segmentName(place.segment))
  const descriptor = openSync(path, 'r')
  try {
    const header = Buffer.alloc(FRAME_HEADER)
    if (readSync(descriptor, header, 0, FRAME_HEADER, place.offset) < FRAME_HEADER) {
      throw corrupt(path, { number: place.segment, offset: place.offset })
    }
    const length = header.readUInt32LE(0)
    if (length === 0 || length > PAYLOAD_MAX) throw corrupt(path, { number: place.segment, offset: place.offset })
    const bytes = Buffer.alloc(FRAME_HEADER + length)
    const read = readSync(descriptor, bytes, 0, bytes.length, place.offset)
    const frame = decodeFrame(bytes.subarray(0, read), 0, checksum)
    if (frame === 'end' || frame === 'torn') throw corrupt(path, { number: place.segment, offset: place.offset })
    return { kind: frame.kind, payload: frame.payload }
  } finally {
    closeSync(descriptor)
  }
}
