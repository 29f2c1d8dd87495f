import type { SegmentForm } from '../log/segment.ts'

const MAGIC = Buffer.from('HRWAL01\n', 'ascii')
const HEADER_BYTES = 16

/** `wal-<20 digits>.log`: 8 bytes of magic and the u64 number, then records. */
export const WAL_FORM: SegmentForm = {
  subject: 'WAL',
  headerBytes: HEADER_BYTES,
  name: (number) => `wal-${String(number).padStart(20, '0')}.log`,
  number(name) {
    const match = /^wal-(\d{20})\.log$/.exec(name)
    return match === null ? undefined : BigInt(match[1]!)
  },
  header(number) {
    const header = Buffer.alloc(HEADER_BYTES)
    MAGIC.copy(header)
    header.writeBigUInt64LE(number, 8)
    return header
  },
  first(bytes, number) {
    const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (header.length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
    return header.readBigUInt64LE(8) === number ? 'unknown' : undefined
  },
}
