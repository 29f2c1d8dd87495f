import type { StateBytes } from '../core/state-bytes.ts'
import { crc32cTwin } from '../kernels/crc32c.ts'
import { CheckpointError } from './error.ts'

/** First byte of a snapshot. */
export const VERSION = 2

/** What a snapshot is encoded from. */
export interface CheckpointForm {
  readonly id: bigint
  /** Grows by one per checkpoint; the first has 1. */
  readonly epoch: bigint
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdAt: bigint
  readonly sourceSequences: ReadonlyMap<string, bigint>
  /** Records that each sink has accepted since the pipeline was created. */
  readonly sinkPositions: ReadonlyMap<string, bigint>
  /** Microseconds since 1970-01-01T00:00:00Z; −2⁶³ is unset. */
  readonly watermarks: ReadonlyMap<string, bigint>
  readonly operatorStates: ReadonlyMap<string, Uint8Array | StateBytes>
}

/** CRC-32C of bytes behind those that gave `seed`. */
export type Crc = (bytes: Uint8Array, seed: number) => number

const U64_MAX = 2n ** 64n - 1n
const I64_MAX = 2n ** 63n - 1n
const I64_MIN = -(2n ** 63n)
const U32_MAX = 2 ** 32 - 1

interface Entry<T> {
  readonly name: Buffer
  readonly value: T
}

/** A checked form with its entries in the order of their UTF-8 bytes, and the length of its encoding. */
interface Plan {
  readonly form: CheckpointForm
  readonly numbers: readonly { readonly entries: readonly Entry<bigint>[]; readonly signed: boolean }[]
  readonly states: readonly Entry<Uint8Array | StateBytes>[]
  readonly byteLength: number
}

const invalid = (what: string): CheckpointError => new CheckpointError('InvalidConfig', what)

function sorted<T>(section: string, map: ReadonlyMap<string, T>, fits: (value: T) => boolean): Entry<T>[] {
  const entries: Entry<T>[] = []
  for (const [name, value] of map) {
    const place = `${section}['${name}']`
    if (!name.isWellFormed()) throw invalid(`${section}[${JSON.stringify(name)}] is not valid Unicode`)
    if (!fits(value)) throw invalid(`${place} out of range`)
    entries.push({ name: Buffer.from(name), value })
  }
  return entries.sort((a, b) => Buffer.compare(a.name, b.name))
}

const fitsU64 = (value: bigint): boolean => value >= 0n && value <= U64_MAX
const fitsI64 = (value: bigint): boolean => value >= I64_MIN && value <= I64_MAX

function planOf(form: CheckpointForm): Plan {
  for (const [name, value] of [
    ['id', form.id],
    ['epoch', form.epoch],
    ['created_at', form.createdAt],
  ] as const) {
    if (!fitsU64(value)) throw invalid(`${name} out of range`)
  }
  const numbers = [
    { entries: sorted('source_sequences', form.sourceSequences, fitsU64), signed: false },
    { entries: sorted('sink_positions', form.sinkPositions, fitsU64), signed: false },
    { entries: sorted('watermarks', form.watermarks, fitsI64), signed: true },
  ]
  const states = sorted('operator_states', form.operatorStates, (state) => state.byteLength <= U32_MAX)
  let byteLength = 1 + 24 + 4
  for (const { entries } of numbers) {
    byteLength += 4
    for (const { name } of entries) byteLength += 4 + name.length + 8
  }
  byteLength += 4
  for (const { name, value } of states) byteLength += 4 + name.length + 4 + value.byteLength
  return { form, numbers, states, byteLength }
}

const BLOCK = 64 * 1024
/** A piece of an operator state that is handed on as it is. */
const PIECE = 256 * 1024

/** Gathers small fields into blocks and keeps the CRC of all that is given away. */
class BlockWriter {
  readonly #crc: Crc
  readonly #block = new Uint8Array(BLOCK)
  readonly #view = new DataView(this.#block.buffer)
  #length = 0
  #sum = 0
  /** The version byte is not covered. */
  #covered = false

  constructor(crc: Crc) {
    this.#crc = crc
  }

  /** The block when fewer than `size` bytes are free in it. */
  *room(size: number): Iterable<Uint8Array> {
    if (this.#length + size > BLOCK) yield* this.flush()
  }

  u8(value: number): void {
    this.#block[this.#length++] = value
  }

  u32(value: number): void {
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  /** Also a negative i64, as its two's complement. */
  u64(value: bigint): void {
    this.#view.setBigUint64(this.#length, value, true)
    this.#length += 8
  }

  *bytes(bytes: Uint8Array): Iterable<Uint8Array> {
    if (bytes.length <= BLOCK - this.#length) {
      this.#block.set(bytes, this.#length)
      this.#length += bytes.length
      return
    }
    yield* this.flush()
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE)
      this.#sum = this.#crc(piece, this.#sum)
      yield piece
    }
  }

  *flush(): Iterable<Uint8Array> {
    if (this.#length === 0) return
    const block = this.#block.subarray(0, this.#length)
    this.#sum = this.#crc(this.#covered ? block : block.subarray(1), this.#sum)
    this.#covered = true
    this.#length = 0
    yield block
  }

  /** What is left, and the checksum. */
  *end(): Iterable<Uint8Array> {
    yield* this.flush()
    this.u32(this.#sum)
    yield this.#block.subarray(0, 4)
  }
}

function* name(out: BlockWriter, bytes: Buffer): Iterable<Uint8Array> {
  yield* out.room(16)
  out.u32(bytes.length)
  yield* out.bytes(bytes)
  yield* out.room(16)
}

function* encode(plan: Plan, crc: Crc): Iterable<Uint8Array> {
  const out = new BlockWriter(crc)
  out.u8(VERSION)
  out.u64(plan.form.id)
  out.u64(plan.form.epoch)
  out.u64(plan.form.createdAt)
  for (const { entries } of plan.numbers) {
    yield* out.room(4)
    out.u32(entries.length)
    for (const entry of entries) {
      yield* name(out, entry.name)
      out.u64(entry.value)
    }
  }
  yield* out.room(4)
  out.u32(plan.states.length)
  for (const entry of plan.states) {
    yield* name(out, entry.name)
    out.u32(entry.value.byteLength)
    yield* state(out, entry)
  }
  yield* out.end()
}

function* state(out: BlockWriter, { name, value }: Entry<Uint8Array | StateBytes>): Iterable<Uint8Array> {
  if (value instanceof Uint8Array) {
    yield* out.bytes(value)
    return
  }
  let written = 0
  for (const chunk of value.chunks()) {
    written += chunk.length
    if (written <= value.byteLength) yield* out.bytes(chunk)
  }
  if (written === value.byteLength) return
  const detail = `operator state '${name}' gave ${written} bytes and had announced ${value.byteLength}`
  throw new CheckpointError('IoError', detail, { like: 'internal_assertion' })
}

/**
 * The version 2 bytes of a snapshot, piece by piece with a running CRC: equal snapshots give equal bytes, and nothing
 * is held but one block of 64 KiB. Throws `InvalidConfig` for a value or name that has no encoding. Pieces are valid
 * until the next is asked for.
 */
export function encodeCheckpoint(form: CheckpointForm, crc: Crc = crc32cTwin): StateBytes {
  const plan = planOf(form)
  return { byteLength: plan.byteLength, chunks: () => encode(plan, crc) }
}

/** All of it in one array. */
export function gather(body: StateBytes): Uint8Array {
  const bytes = new Uint8Array(body.byteLength)
  let at = 0
  for (const chunk of body.chunks()) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
