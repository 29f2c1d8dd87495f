import type { Column } from './column.ts'
import { type ExactInteger, exact, type Value } from './values.ts'

/** Views of one memory share a Buffer: making one costs more than reading a short string. */
const buffers = new WeakMap<ArrayBufferLike, Buffer>()

/** Bytes of a worker's memory as text; invalid UTF-8 becomes U+FFFD. */
export function textAt(bytes: Uint8Array, start: number, length: number): string {
  let buffer = buffers.get(bytes.buffer)
  if (buffer === undefined) {
    buffer = Buffer.from(bytes.buffer)
    buffers.set(bytes.buffer, buffer)
  }
  const at = bytes.byteOffset + start
  return buffer.utf8Slice(at, at + length)
}

/** One value of a column in the form of `Value`. For edges and slow paths: it costs 20–150 ns. */
export function valueAt(column: Column, row: number): Value {
  if (column.validity !== undefined && column.validity[row] === 0) return null
  switch (column.kind) {
    case 'f64':
    case 'i32':
      return column.data[row]!
    case 'i64':
    case 'decimal':
      if (column.lane === 'ratio') return ratioOf(column.sums[row]!, column.counts[row]!)
      return column.lane === 'safe' ? column.data[row]! : exact(column.data[row]!)
    case 'bool':
      return column.data[row] === 1
    case 'utf8': {
      const start = column.spans[2 * row]!
      const length = column.spans[2 * row + 1]!
      if (column.type.kind === 'bytes') return column.bytes.slice(start, start + length)
      return textAt(column.bytes, start, length)
    }
    case 'dict':
      return column.dictionary.strings[column.codes[row]!]!
    case 'struct':
      return column.fields.map((child) => valueAt(child, row))
    case 'boxed':
      return column.data[row]!
  }
}

const SCALE = 10n ** 16n

/** sum / count times 10^16, rounded half away from zero. */
export function ratioOf(sum: number, count: number): ExactInteger {
  const n = BigInt(count)
  const scaled = BigInt(Math.abs(sum)) * SCALE
  const rounded = (2n * scaled + n) / (2n * n)
  return exact(sum < 0 ? -rounded : rounded)
}

/** True when the row is SQL NULL. */
export const isNullAt = (column: Column, row: number): boolean =>
  column.validity !== undefined && column.validity[row] === 0
