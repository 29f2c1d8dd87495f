import { valueAt } from '../core/column-read.ts'
import { WorkerMemory } from '../core/memory.ts'
import type { DataType } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { Kernels } from '../kernels/kernels.ts'
import type { Decoded, Decoder, DecoderColumn, DecoderSpec, Reject } from './decoder.ts'

/** For tests of decoders: rows as arrays of values. */
export interface DecodedText {
  readonly rows: readonly (readonly Value[])[]
  readonly rejects: readonly Reject[]
  readonly batches: number
  readonly next: { readonly byte: number; readonly ordinal: number }
}

export const column = (name: string, type: DataType, more: Partial<DecoderColumn> = {}): DecoderColumn => ({
  name,
  path: [name],
  type,
  required: false,
  ...more,
})

export const specOf = (columns: readonly DecoderColumn[], more: Partial<DecoderSpec> = {}): DecoderSpec => ({
  columns,
  split: 'test',
  batchRows: 8192,
  strict: false,
  kernels: 'on',
  nowMicros: () => 0,
  ...more,
})

/** One worker's memory with kernels, for a test. */
export function testDeps(): { readonly memory: WorkerMemory; readonly kernels: Kernels } {
  const memory = new WorkerMemory()
  return { memory, kernels: new Kernels(memory) }
}

/** Feeds the bytes in pieces of `step` bytes and gathers what comes out. */
export function decodeBytes(
  decoder: Decoder,
  input: Uint8Array | string,
  step = Number.POSITIVE_INFINITY,
): DecodedText {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  const rows: Value[][] = []
  const rejects: Reject[] = []
  let batches = 0
  let next = { byte: 0, ordinal: 0 }
  const take = (all: Iterable<Decoded>): void => {
    for (const decoded of all) {
      batches++
      next = decoded.next
      rejects.push(...decoded.rejects)
      const { batch } = decoded
      for (let row = 0; row < (batch?.rows ?? 0); row++) rows.push(batch!.columns.map((each) => valueAt(each, row)))
    }
  }
  for (let at = 0; at < bytes.length; at += step) {
    const piece = bytes.subarray(at, Math.min(bytes.length, at + step))
    decoder.reserve(piece.length).set(piece)
    take(decoder.commit(piece.length, { kind: 'delimited' }))
  }
  take(decoder.finish())
  return { rows, rejects, batches, next }
}

/** Bytes at the borders of what a number or a time may hold. */
export const TELLING_BYTES = [0, 9, 10, 13, 32, 34, 43, 44, 45, 46, 47, 48, 57, 58, 59, 69, 84, 90, 101, 127, 128, 255]
