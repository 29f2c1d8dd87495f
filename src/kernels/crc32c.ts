import type { Kernels } from './kernels.ts'

/** CRC-32C (Castagnoli) of a region of the memory; `seed` is the CRC of what came before it. */
export function crc32c(kernels: Kernels, address: number, length: number, seed = 0): number {
  if (kernels.mode === 'off') return crc32cTwin(kernels.memory.bytes.subarray(address, address + length), seed)
  return kernels.crc32c(address, length, seed)
}

let table: Uint32Array | undefined

/** CRC-32C of any bytes, in TypeScript: 1–2 ns a byte. */
export function crc32cTwin(bytes: Uint8Array, seed = 0): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let c = byte
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
    return c
  })
  let c = ~seed
  for (let i = 0; i < bytes.length; i++) c = (c >>> 8) ^ table[(c ^ bytes[i]!) & 255]!
  return ~c >>> 0
}

const COPY_BYTES = 64 * 1024

/** CRC-32C of bytes anywhere: what lies in the worker's memory is read in place, the rest is copied in by pieces. */
export class Checksum implements Disposable {
  readonly #kernels: Kernels
  #region = 0

  constructor(kernels: Kernels) {
    this.#kernels = kernels
  }

  /** `seed` is the CRC of what came before the bytes. */
  readonly crc32c = (bytes: Uint8Array, seed = 0): number => {
    const kernels = this.#kernels
    if (kernels.mode === 'off' || bytes.length < 16) return crc32cTwin(bytes, seed)
    // Shared buffers are the worker's memory.
    if (bytes.buffer instanceof SharedArrayBuffer) return crc32c(kernels, bytes.byteOffset, bytes.length, seed)
    if (this.#region === 0) this.#region = kernels.memory.allocate(COPY_BYTES)
    if (bytes.length <= COPY_BYTES) {
      kernels.memory.bytes.set(bytes, this.#region)
      return crc32c(kernels, this.#region, bytes.length, seed)
    }
    let crc = seed
    for (let at = 0; at < bytes.length; at += COPY_BYTES) {
      const piece = bytes.subarray(at, at + COPY_BYTES)
      kernels.memory.bytes.set(piece, this.#region)
      crc = crc32c(kernels, this.#region, piece.length, crc)
    }
    return crc
  };

  [Symbol.dispose](): void {
    if (this.#region !== 0) this.#kernels.memory.free(this.#region, COPY_BYTES)
    this.#region = 0
  }
}
