import { createHmac, timingSafeEqual } from 'node:crypto'

const TAG_BYTES = 16

/** Signs what callers keep for the service: cursors, tokens. Nothing else knows the key. */
export class Signer {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** `<prefix>.<base64url of the bytes>.<signature>`. */
  seal(prefix: string, bytes: Uint8Array): string {
    return `${prefix}.${Buffer.from(bytes).toString('base64url')}.${this.#tag(prefix, bytes).toString('base64url')}`
  }

  /** The bytes of a sealed text; undefined when it was not sealed here. */
  open(prefix: string, text: string): Buffer | undefined {
    const [head, body = '', tag = '', ...more] = text.split('.')
    if (head !== prefix || more.length > 0) return undefined
    const bytes = Buffer.from(body, 'base64url')
    const given = Buffer.from(tag, 'base64url')
    // Another spelling of the same bytes is another text.
    if (given.length !== TAG_BYTES || bytes.toString('base64url') !== body || given.toString('base64url') !== tag) {
      return undefined
    }
    return timingSafeEqual(given, this.#tag(prefix, bytes)) ? bytes : undefined
  }

  #tag(prefix: string, bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(`${prefix}.`).update(bytes).digest().subarray(0, TAG_BYTES)
  }
}
