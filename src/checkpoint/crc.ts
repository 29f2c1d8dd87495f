import { crc32c, crc32cTwin } from '../kernels/crc32c.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { Crc } from './encode.ts'

const REGION = 64 * 1024

/** The running CRC-32C of the compiled kernels; bytes pass through a region of the worker's memory. */
export class KernelCrc implements Disposable {
  readonly #kernels: Kernels
  #region = 0

  constructor(kernels: Kernels) {
    this.#kernels = kernels
  }

  readonly crc: Crc = (bytes, seed) => {
    const kernels = this.#kernels
    if (kernels.mode === 'off') return crc32cTwin(bytes, seed)
    if (this.#region === 0) this.#region = kernels.memory.allocate(REGION)
    let sum = seed
    for (let at = 0; at < bytes.length; at += REGION) {
      const piece = bytes.subarray(at, at + REGION)
      kernels.memory.bytes.set(piece, this.#region)
      sum = crc32c(kernels, this.#region, piece.length, sum)
    }
    return sum
  };

  [Symbol.dispose](): void {
    if (this.#region !== 0) this.#kernels.memory.free(this.#region, REGION)
    this.#region = 0
  }
}
