import { TextDecoder } from 'node:util'
import type { TextEncoding } from './decoder.ts'

/**
 * Turns bytes of another encoding into UTF-8, in pieces. Offsets stay those of the original: a stretch of UTF-8 text was
 * `unitBytes` bytes per UTF-16 unit there.
 */
export class Transcoder {
  readonly #decoder: TextDecoder
  readonly unitBytes: number

  constructor(encoding: Exclude<TextEncoding, 'utf-8'>) {
    // The platform's latin1 is windows-1252, which differs in 0x80 … 0x9f; those bytes are decoded here.
    this.#latin1 = encoding === 'latin1'
    this.unitBytes = this.#latin1 ? 1 : 2
    this.#decoder = new TextDecoder(this.#latin1 ? 'utf-8' : encoding, { ignoreBOM: true })
  }

  readonly #latin1: boolean

  /** UTF-8 of the next bytes; a character that they cut is kept back. */
  write(bytes: Uint8Array): Uint8Array {
    // Neither decoder takes views of shared memory.
    const copy = Buffer.from(bytes)
    return Buffer.from(this.#latin1 ? copy.latin1Slice(0, copy.length) : this.#decoder.decode(copy, { stream: true }))
  }

  /** What was kept back; a cut character becomes U+FFFD. */
  end(): Uint8Array {
    return Buffer.from(this.#latin1 ? '' : this.#decoder.decode(new Uint8Array(0), { stream: false }))
  }

  /** Bytes that this UTF-8 text had in the original. */
  originalBytes(text: Uint8Array): number {
    return Buffer.from(text).toString().length * this.unitBytes
  }
}
