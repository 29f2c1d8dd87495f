import { type BigIntStats, fstatSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { HeadraceError } from '../../../core/errors.ts'

/** What makes a file the same file (rulings 47): inode, and a CRC over its first `length` bytes. */
export interface FileIdentity {
  readonly inode: string
  readonly length: number
  readonly crc: string
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0')

/** Of a file whose content is not known. */
export const NO_BYTES = hex(0)

/** Identity of an open file over at most `most` of its bytes. */
export function identify(descriptor: number, most: number): FileIdentity {
  const { ino, size } = fstatSync(descriptor, { bigint: true })
  const bytes = firstBytes(descriptor, Math.min(most, Number(size)))
  return { inode: String(ino), length: bytes.length, crc: hex(crc32(bytes)) }
}

/** Whether an open file begins with the bytes that the identity was made of. */
export function beginsWith(descriptor: number, { length, crc }: FileIdentity): boolean {
  const bytes = firstBytes(descriptor, length)
  return bytes.length === length && hex(crc32(bytes)) === crc
}

/** The identity over `length` bytes where it covered fewer; as it was when the file does not begin like that any more. */
export function extendIdentity(descriptor: number, identity: FileIdentity, length: number): FileIdentity {
  const bytes = firstBytes(descriptor, length)
  if (hex(crc32(bytes.subarray(0, identity.length))) !== identity.crc) return identity
  return { ...identity, length: bytes.length, crc: hex(crc32(bytes)) }
}

function firstBytes(descriptor: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  return length === 0 ? bytes : bytes.subarray(0, readSync(descriptor, bytes, 0, length, 0))
}

export const inodeOf = (descriptor: number): string => String(fstatSync(descriptor, { bigint: true }).ino)

/** Tells the files of this machine apart while it runs: numbers of devices may be others after the next start. */
export const fileKey = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`

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
