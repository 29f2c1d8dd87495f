import type { FramesEntry } from '../entries.ts'
import { FRAME_STATUSES, type Frame, type FrameStatus } from '../frame.ts'
import type { Metadata } from '../stream.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'

/** The start of a block of frames: what the index needs, so that the frames themselves are not read for it. */
export interface BlockHead {
  readonly streamId: string
  readonly firstPosition: bigint
  readonly count: number
  readonly createdAt: number
  /** The highest sequence before the block, and with it. */
  readonly highestBefore: bigint
  readonly highest: bigint
  /** Of the block. */
  readonly lowest: bigint
  readonly outOfOrder: number
  readonly payloadBytes: number
}

const CODES: Readonly<Record<FrameStatus, number>> = { ok: 0, late: 1, error: 2 }
const OUT_OF_ORDER = 1 << 4
const OBSERVED = 1 << 5
const REPORTED = 1 << 6
const TEXTS = 1 << 7

/** Stream, numbers of the head, then each frame behind its size. */
export function writeBlock(writer: ByteWriter, { streamId, highestBefore, frames }: FramesEntry): void {
  const [first] = frames
  writer.text(streamId)
  writer.i64(first!.position)
  writer.u32(frames.length)
  writer.f64(first!.createdAt)
  writer.i64(highestBefore)
  let highest = highestBefore
  let lowest = first!.sequence
  let outOfOrder = 0
  let payloadBytes = 0
  for (const { sequence, outOfOrder: isLate } of frames) {
    if (isLate) outOfOrder++
    else highest = sequence
    if (sequence < lowest) lowest = sequence
  }
  writer.i64(highest)
  writer.i64(lowest)
  writer.u32(outOfOrder)
  const total = writer.length
  writer.u32(0)
  for (const frame of frames) payloadBytes += writeFrame(writer, frame)
  writer.setU32(total, payloadBytes)
}

function writeFrame(writer: ByteWriter, frame: Frame): number {
  const { observedAt, reportedLatencyMs, metadata, traceparent } = frame
  const start = writer.length
  writer.u32(0)
  const hasTexts = traceparent !== undefined || hasKeys(metadata)
  writer.u8(
    CODES[frame.status] |
      (CODES[frame.statedStatus] << 2) |
      (frame.outOfOrder ? OUT_OF_ORDER : 0) |
      (observedAt === undefined ? 0 : OBSERVED) |
      (reportedLatencyMs === undefined ? 0 : REPORTED) |
      (hasTexts ? TEXTS : 0),
  )
  writer.i64(frame.sequence)
  writer.uuid(frame.id)
  writer.f64(frame.receivedAt)
  writer.f64(frame.latencyMs)
  if (observedAt !== undefined) writer.f64(observedAt)
  if (reportedLatencyMs !== undefined) writer.f64(reportedLatencyMs)
  if (hasTexts) {
    writer.text(JSON.stringify(metadata))
    writer.text(traceparent ?? '')
  }
  const bytes = writer.rawText(frame.payload)
  writer.setU32(start, writer.length - start - 4)
  return bytes
}

function hasKeys(metadata: Metadata): boolean {
  for (const _ in metadata) return true
  return false
}

export function readHead(reader: ByteReader): BlockHead {
  const streamId = reader.text()
  const firstPosition = reader.i64()
  const count = reader.u32()
  const createdAt = reader.f64()
  const highestBefore = reader.i64()
  const highest = reader.i64()
  const lowest = reader.i64()
  const outOfOrder = reader.u32()
  const payloadBytes = reader.u32()
  return { streamId, firstPosition, count, createdAt, highestBefore, highest, lowest, outOfOrder, payloadBytes }
}

/** A block in memory: its frames are read one by one when they are asked for. */
export class BlockView {
  readonly head: BlockHead
  readonly #reader: ByteReader
  readonly #accountId: string
  /** Where each frame's size lies. */
  readonly #starts: Uint32Array

  constructor(reader: ByteReader, accountId: string) {
    this.#reader = reader
    this.#accountId = accountId
    this.head = readHead(reader)
    this.#starts = new Uint32Array(this.head.count)
    for (let i = 0, at = reader.at; i < this.head.count; i++) {
      this.#starts[i] = at
      at += 4 + reader.view.getUint32(at, true)
    }
  }

  sequence(i: number): bigint {
    return this.#reader.view.getBigInt64(this.#starts[i]! + 5, true)
  }

  isOutOfOrder(i: number): boolean {
    return (this.#reader.bytes[this.#starts[i]! + 4]! & OUT_OF_ORDER) !== 0
  }

  payloadBytes(i: number): number {
    const { end } = this.#toPayload(i)
    return end - this.#reader.at
  }

  frame(i: number): Frame {
    const { head } = this
    const { flags, end, id, sequence, receivedAt, latencyMs, observedAt, reportedLatencyMs, metadata, traceparent } =
      this.#toPayload(i)
    return {
      id,
      accountId: this.#accountId,
      streamId: head.streamId,
      sequence,
      position: head.firstPosition + BigInt(i),
      payload: this.#reader.textTo(end),
      latencyMs,
      reportedLatencyMs,
      status: FRAME_STATUSES[flags & 3]!,
      statedStatus: FRAME_STATUSES[(flags >> 2) & 3]!,
      metadata,
      observedAt,
      receivedAt,
      createdAt: head.createdAt,
      outOfOrder: (flags & OUT_OF_ORDER) !== 0,
      traceparent,
    }
  }

  /** Everything before the payload; the reader then stands at it. */
  #toPayload(i: number) {
    const reader = this.#reader
    reader.at = this.#starts[i]!
    const size = reader.u32()
    const end = reader.at + size
    const flags = reader.u8()
    const sequence = reader.i64()
    const id = reader.uuid()
    const receivedAt = reader.f64()
    const latencyMs = reader.f64()
    const observedAt = (flags & OBSERVED) === 0 ? undefined : reader.f64()
    const reportedLatencyMs = (flags & REPORTED) === 0 ? undefined : reader.f64()
    let metadata: Metadata = {}
    let traceparent: string | undefined
    if ((flags & TEXTS) !== 0) {
      metadata = metadataOf(reader.text())
      traceparent = reader.text() || undefined
    }
    return { flags, end, id, sequence, receivedAt, latencyMs, observedAt, reportedLatencyMs, metadata, traceparent }
  }
}

// JSON.parse keeps a key such as `__proto__` as a key like any other.
const metadataOf = (text: string): Metadata => JSON.parse(text) as Metadata
