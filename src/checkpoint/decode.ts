import { crc32cTwin } from '../kernels/crc32c.ts'
import { type Crc, VERSION } from './encode.ts'
import { CheckpointError } from './error.ts'

/** The parts of a snapshot; states are copies. */
export interface DecodedCheckpoint {
  readonly id: bigint
  readonly epoch: bigint
  readonly createdAt: bigint
  readonly sourceSequences: Map<string, bigint>
  readonly sinkPositions: Map<string, bigint>
  readonly watermarks: Map<string, bigint>
  readonly operatorStates: Map<string, Uint8Array>
}

const CRC_BYTES = 4
const hex = (crc: number): string => `0x${crc.toString(16).padStart(8, '0')}`
// A byte order mark is part of a name.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads fields up to the checksum; counts and lengths are believed only as far as bytes are there. */
class FieldReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #source: string
  readonly #end: number
  #at = 1

  constructor(bytes: Uint8Array, source: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#source = source
    this.#end = bytes.length - CRC_BYTES
  }

  get left(): number {
    return this.#end - this.#at
  }

  #take(size: number, what: string): number {
    if (size > this.left) throw this.fault(`truncated ${what}`)
    const at = this.#at
    this.#at += size
    return at
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4, 'u32'), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8, 'u64'), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8, 'i64'), true)
  }

  name(): string {
    const length = this.u32()
    const at = this.#take(length, 'string')
    try {
      return utf8.decode(this.#bytes.subarray(at, at + length))
    } catch (error) {
      throw this.fault('invalid utf8', error)
    }
  }

  state(): Uint8Array {
    const length = this.u32()
    const at = this.#take(length, 'operator state')
    return new Uint8Array(this.#bytes.subarray(at, at + length))
  }

  section<T>(name: string, value: () => T): Map<string, T> {
    const map = new Map<string, T>()
    for (let left = this.u32(); left > 0; left--) {
      const key = this.name()
      if (map.has(key)) throw this.fault(`duplicate name in ${name}: ${key}`)
      map.set(key, value())
    }
    return map
  }

  fault(detail: string, cause?: unknown): CheckpointError {
    return damaged(detail, this.#source, this.#at, cause)
  }
}

const damaged = (detail: string, source: string, offset: number, cause?: unknown): CheckpointError =>
  new CheckpointError('IoError', detail, {
    like: 'connector_data_corrupt',
    at: { kind: 'data', source, offset: String(offset) },
    hint: 'the snapshot is damaged or cut off; use an older one or restore the file',
    cause,
  })

/**
 * Takes a snapshot apart, checking everything before anything is believed; each fault is an `IoError` with the text
 * of its step and the byte where it was met. `source` names the bytes in the error.
 */
export function decodeCheckpoint(bytes: Uint8Array, source = 'checkpoint', crc: Crc = crc32cTwin): DecodedCheckpoint {
  if (bytes.length === 0) throw damaged('empty checkpoint data', source, 0)
  if (bytes[0] !== VERSION) {
    throw damaged(`unsupported checkpoint version: ${bytes[0]} (expected ${VERSION})`, source, 0)
  }
  if (bytes.length < 1 + CRC_BYTES) throw damaged('checkpoint too short for CRC', source, bytes.length)
  const covered = bytes.length - CRC_BYTES
  const stored = new DataView(bytes.buffer, bytes.byteOffset + covered, CRC_BYTES).getUint32(0, true)
  const computed = crc(bytes.subarray(1, covered), 0)
  if (stored !== computed) {
    throw damaged(`CRC mismatch: stored=${hex(stored)} computed=${hex(computed)}`, source, covered)
  }
  const fields = new FieldReader(bytes, source)
  const u64 = () => fields.u64()
  const decoded = {
    id: fields.u64(),
    epoch: fields.u64(),
    createdAt: fields.u64(),
    sourceSequences: fields.section('source_sequences', u64),
    sinkPositions: fields.section('sink_positions', u64),
    watermarks: fields.section('watermarks', () => fields.i64()),
    operatorStates: fields.section('operator_states', () => fields.state()),
  }
  if (fields.left > 0) throw fields.fault(`trailing bytes after checkpoint: ${fields.left}`)
  return decoded
}
