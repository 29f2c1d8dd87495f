import { DatastreamError } from './errors.ts'

export const U256_MAX: bigint = 2n ** 256n - 1n
export const U64_MAX: bigint = 2n ** 64n - 1n
export const U32_MAX = 4_294_967_295

/** 32 bytes of zero, as text. */
export const ZERO_32: string = `0x${'0'.repeat(64)}`
/** 8 bytes of zero, as text. */
export const ZERO_8: string = `0x${'0'.repeat(16)}`

/** A number given by code: a bigint, or a number that is a safe integer; else `RangeError`. */
export function integer(value: bigint | number, max: bigint, name: string): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new RangeError(`${name}: ${value} is no safe integer; give a bigint`)
  }
  const number = BigInt(value)
  if (number < 0n || number > max) throw new RangeError(`${name}: ${value} lies outside 0…${max}`)
  return number
}

/** A 256-bit number from `0x` hex or decimal text; `SerializationError` for anything else. */
export function u256(text: string): bigint {
  const number = numberOfText(text)
  if (number === undefined) {
    const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
    throw new DatastreamError('SerializationError', `${JSON.stringify(shown)} is no number below 2^256`, {
      hint: 'write 0x and hex digits, or decimal digits',
    })
  }
  return number
}

/** Undefined where the text is no number of at most 256 bits. */
export function numberOfText(text: string): bigint | undefined {
  // Longer texts are refused unread: the time of BigInt grows with the square of the length.
  if (text.length > 80 || !/^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) return undefined
  const number = BigInt(text)
  return number <= U256_MAX ? number : undefined
}

/** `0x` and the fewest hex digits. */
export function toHex(number: bigint | number): string {
  return `0x${integer(number, U256_MAX, 'toHex').toString(16)}`
}

/** 32 bytes as `0x` and 64 lower-case hex digits; upper-case digits are taken, other lengths are not. */
export function bytes32(text: string): string {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) {
    throw new DatastreamError('SerializationError', `${JSON.stringify(text.slice(0, 80))} is not 32 bytes of hex`, {
      hint: 'write 0x and 64 hex digits',
    })
  }
  return text.toLowerCase()
}

export const isZero32 = (hash: string): boolean => hash === ZERO_32

/** Bytes as `0x` hex. */
export const hexOfBytes = (bytes: Uint8Array): string =>
  bytes.length === 0 ? '0x' : `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`

/** Undefined where the text is not `0x` and pairs of hex digits. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  if (text === '0x') return new Uint8Array(0)
  if (text.length % 2 !== 0 || !text.startsWith('0x')) return undefined
  // It stops at the first character that is no hex digit.
  const bytes = Buffer.from(text.slice(2), 'hex')
  // A copy: small buffers share one that would be kept as a whole.
  return 2 * bytes.length + 2 === text.length ? new Uint8Array(bytes) : undefined
}
