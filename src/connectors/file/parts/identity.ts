import { fstatSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { HeadraceError } from '../../../core/errors.ts'

/** What makes a file the same file (rulings 47): inode, and a CRC over its first `length` bytes. */
export interface FileIdentity {
  readonly inode: string
  readonly length: number
  readonly crc: string
}

const FINGERPRINT_BYTES = 1024

/** Identity of an open file; `length` of an earlier identity compares over the same bytes. */
export function identify(descriptor: number, length?: number): FileIdentity {
  const stat = fstatSync(descriptor, { bigint: true })
  const wanted = length ?? Math.min(FINGERPRINT_BYTES, Number(stat.size))
  const bytes = new Uint8Array(wanted)
  const read = wanted === 0 ? 0 : readSync(descriptor, bytes, 0, wanted, 0)
  const crc = crc32(bytes.subarray(0, read)).toString(16).padStart(8, '0')
  return { inode: String(stat.ino), length: read, crc }
}

export interface FilePosition {
  readonly identity: FileIdentity
  /** Uncompressed byte and row that follow. */
  readonly byte: number
  readonly row: number
}

export const formatOffset = ({ identity, byte, row }: FilePosition): string =>
  `f1:${identity.inode}.${identity.length}.${identity.crc}:${byte}:${row}`

export function parseOffset(offset: string): FilePosition {
  const match = /^f1:(\d+)\.(\d+)\.([0-9a-f]{8}):(\d+):(\d+)$/.exec(offset)
  if (match === null) {
    throw new HeadraceError('connector_offset_invalid', `"${offset}" is not a position in a file`)
  }
  const [, inode = '', length = '', crc = '', byte = '', row = ''] = match
  return { identity: { inode, length: Number(length), crc }, byte: Number(byte), row: Number(row) }
}
