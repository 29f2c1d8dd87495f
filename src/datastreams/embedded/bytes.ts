/** Little-endian numbers and texts into one growing buffer, which is used again. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024)
  #view = new DataView(this.#bytes.buffer)
  length = 0

  /** What was written; valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  reset(): void {
    this.length = 0
  }

  // Room is made first: it may put another buffer in the place of the one that would be written to.

  u8(value: number): void {
    const at = this.#take(1)
    this.#bytes[at] = value
  }

  u32(value: number): void {
    const at = this.#take(4)
    this.#view.setUint32(at, value, true)
  }

  f64(value: number): void {
    const at = this.#take(8)
    this.#view.setFloat64(at, value, true)
  }

  i64(value: bigint): void {
    const at = this.#take(8)
    this.#view.setBigInt64(at, value, true)
  }

  /** The sixteen bytes of a UUID. */
  uuid(text: string): void {
    let at = this.#take(16)
    for (let i = 0; i < 36; i += 2) {
      if (text.charCodeAt(i) === DASH) i++
      this.#bytes[at++] = (nibble(text.charCodeAt(i)) << 4) | nibble(text.charCodeAt(i + 1))
    }
  }

  /** UTF-8 without its length; gives how many bytes. */
  rawText(text: string): number {
    this.reserve(3 * text.length)
    const written = this.#bytes.utf8Write(text, this.length)
    this.length += written
    return written
  }

  /** UTF-8 behind its length. */
  text(text: string): void {
    const at = this.#take(4)
    this.setU32(at, this.rawText(text))
  }

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Numbers of a typed array, which is read back into one of its kind. */
  array(values: ArrayBufferView): void {
    this.u32(values.byteLength)
    this.raw(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  #take(count: number): number {
    this.reserve(count)
    const at = this.length
    this.length += count
    return at
  }

  reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.length + count))
    grown.set(this.bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

const DASH = 45

const nibble = (code: number): number => (code <= 57 ? code - 48 : (code | 32) - 87)

/** The ways to look at a buffer; records of one segment lie in the same, so they are kept for the next reader. */
let seen: { readonly buffer: ArrayBufferLike; readonly bytes: Buffer; readonly view: DataView } | undefined

function waysOf(buffer: ArrayBufferLike): NonNullable<typeof seen> {
  if (seen?.buffer === buffer) return seen
  const ways = { buffer, bytes: Buffer.from(buffer), view: new DataView(buffer) }
  // A whole segment is not held for its last record.
  if (buffer.byteLength <= HELD_MAX) return ways
  seen = ways
  return ways
}

/** Smaller ones are not kept: their records are few. */
const HELD_MAX = 1024 * 1024

/** A start has read everything: nothing of it is held any longer. */
export function forgetSeen(): void {
  seen = undefined
}

/** Reads what `ByteWriter` wrote. The bytes have passed their checksum: they are whole. */
export class ByteReader {
  /** The whole buffer that they are part of. */
  readonly bytes: Buffer
  readonly view: DataView
  /** Where they begin in it. */
  readonly base: number
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    const ways = waysOf(bytes.buffer)
    this.bytes = ways.bytes
    this.view = ways.view
    this.base = bytes.byteOffset
    this.at = this.base + at
  }

  u8(): number {
    return this.bytes[this.at++]!
  }

  u32(): number {
    this.at += 4
    return this.view.getUint32(this.at - 4, true)
  }

  f64(): number {
    this.at += 8
    return this.view.getFloat64(this.at - 8, true)
  }

  i64(): bigint {
    this.at += 8
    return this.view.getBigInt64(this.at - 8, true)
  }

  uuid(): string {
    const { bytes, at } = this
    this.at += 16
    const hex = bytes.toString('hex', at, at + 16)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  textTo(end: number): string {
    const { at } = this
    this.at = end
    return this.bytes.utf8Slice(at, end)
  }

  text(): string {
    const length = this.u32()
    return this.textTo(this.at + length)
  }

  /** A copy of what `array` wrote. */
  array(): ArrayBuffer {
    const length = this.u32()
    this.at += length
    const copy = new Uint8Array(length)
    copy.set(this.bytes.subarray(this.at - length, this.at))
    return copy.buffer
  }
}
