import { CheckpointError } from './error.ts'

/** Bytes of one entry. */
export const ENTRY_BYTES = 24

/** What happened to a source. */
export type ChangeOp = 'push' | 'watermark' | 'barrier'

export const OPS: readonly ChangeOp[] = ['push', 'watermark', 'barrier']

const fits = (what: string, value: bigint, low: bigint, high: bigint): bigint => {
  if (value >= low && value <= high) return value
  throw new CheckpointError('InvalidConfig', `change entry ${what} out of range`)
}

/** One change of a source: its counter and its watermark after it. */
export class StreamChangelogEntry {
  readonly sourceId: number
  /** The byte as stored; `opType` names it. */
  readonly op: number
  readonly sequence: bigint
  /** Microseconds since 1970-01-01T00:00:00Z; −2⁶³ is unset. */
  readonly watermark: bigint

  private constructor(sourceId: number, op: number, sequence: bigint, watermark: bigint) {
    this.sourceId = sourceId
    this.op = op
    this.sequence = sequence
    this.watermark = watermark
  }

  /** Throws `InvalidConfig` for a value outside its range. */
  static create(sourceId: number, op: ChangeOp | number, sequence: bigint, watermark: bigint): StreamChangelogEntry {
    const byte = typeof op === 'number' ? op : OPS.indexOf(op)
    fits('source id', BigInt(sourceId), 0n, 0xffffn)
    fits('operation', BigInt(byte), 0n, 0xffn)
    fits('sequence', sequence, 0n, 2n ** 64n - 1n)
    fits('watermark', watermark, -(2n ** 63n), 2n ** 63n - 1n)
    return new StreamChangelogEntry(sourceId, byte, sequence, watermark)
  }

  /** Undefined for a byte that means nothing. */
  opType(): ChangeOp | undefined {
    return OPS[this.op]
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(ENTRY_BYTES)
    writeEntry(new DataView(bytes.buffer), 0, this)
    return bytes
  }

  /** Throws `IoError` when there are not 24 bytes. */
  static fromBytes(bytes: Uint8Array): StreamChangelogEntry {
    if (bytes.length !== ENTRY_BYTES) {
      throw new CheckpointError('IoError', `a change entry has ${ENTRY_BYTES} bytes, not ${bytes.length}`)
    }
    return readEntry(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0)
  }

  /** From fields that were checked. */
  static of(sourceId: number, op: number, sequence: bigint, watermark: bigint): StreamChangelogEntry {
    return new StreamChangelogEntry(sourceId, op, sequence, watermark)
  }
}

interface EntryFields {
  readonly sourceId: number
  readonly op: number
  readonly sequence: bigint
  readonly watermark: bigint
}

/** Little-endian; padding and reserved bytes are 0. */
export function writeEntry(view: DataView, at: number, entry: EntryFields): void {
  view.setUint16(at, entry.sourceId, true)
  view.setUint16(at + 2, entry.op, true)
  view.setUint32(at + 4, 0, true)
  view.setBigUint64(at + 8, entry.sequence, true)
  view.setBigInt64(at + 16, entry.watermark, true)
}

/** Padding and reserved bytes are ignored. */
export const readEntry = (view: DataView, at: number): StreamChangelogEntry =>
  StreamChangelogEntry.of(
    view.getUint16(at, true),
    view.getUint8(at + 2),
    view.getBigUint64(at + 8, true),
    view.getBigInt64(at + 16, true),
  )
