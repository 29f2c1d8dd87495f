/** Most bytes of one payload, its kind byte included. */
export const PAYLOAD_MAX = 268_435_456
/** Length and checksum. */
export const FRAME_HEADER = 8

/** CRC-32C of bytes: the kernel's, or its twin. */
export interface Checksum {
  crc32c(bytes: Uint8Array): number
}

/** One record of a log. */
export interface LogRecord {
  /** 1-based, grows by one per record over all segments. */
  readonly sequence: bigint
  readonly kind: number
  /** Without the kind byte; valid until the next record is read. */
  readonly payload: Uint8Array
}

/** u32 length of the payload, u32 CRC-32C of the payload, then the payload: the kind byte and its bytes. Little-endian. */
export function encodeFrame(kind: number, payload: Uint8Array, checksum: Checksum): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER + 1 + payload.length)
  frame[FRAME_HEADER] = kind
  frame.set(payload, FRAME_HEADER + 1)
  const view = new DataView(frame.buffer)
  view.setUint32(0, 1 + payload.length, true)
  view.setUint32(4, checksum.crc32c(frame.subarray(FRAME_HEADER)), true)
  return frame
}

/** A frame at `offset`; `torn` when the bytes end early or do not check (a record is torn, never half read). */
export function decodeFrame(
  bytes: Uint8Array,
  offset: number,
  checksum: Checksum,
): { readonly kind: number; readonly payload: Uint8Array; readonly next: number } | 'torn' | 'end' {
  if (offset === bytes.length) return 'end'
  if (bytes.length - offset < FRAME_HEADER) return 'torn'
  const length = u32At(bytes, offset)
  const start = offset + FRAME_HEADER
  if (length === 0 || length > PAYLOAD_MAX || length > bytes.length - start) return 'torn'
  const payload = bytes.subarray(start, start + length)
  if (checksum.crc32c(payload) !== u32At(bytes, offset + 4)) return 'torn'
  return { kind: payload[0]!, payload: payload.subarray(1), next: start + length }
}

/** Where the frame behind the one at `offset` begins, by its length alone; the bytes' end when that is not there. */
export function behindFrame(bytes: Uint8Array, offset: number): number {
  if (bytes.length - offset < FRAME_HEADER) return bytes.length
  return Math.min(bytes.length, offset + FRAME_HEADER + u32At(bytes, offset))
}

/** Without a view: records are many. */
const u32At = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
