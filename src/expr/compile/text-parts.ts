import { textAt } from '../../core/column-read.ts'
import type { Scratch } from '../../core/scratch.ts'
import { standsAt } from './text-tests.ts'

/**
 * Parts of texts by their bytes, called from generated loops. An answer packs the offset from the start of the text and
 * the length: `offset · PACK + length`; −1 when there is none. No text is as long as `PACK`.
 */
export const PACK = 67_108_864

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80

/** Part `index` (0-based) between separators, which are not empty. */
export function partBetween(bytes: Uint8Array, start: number, length: number, by: Uint8Array, index: number): number {
  const end = start + length
  const last = end - by.length
  const first = by[0]!
  let from = start
  let left = index
  for (let i = start; i <= last; i++) {
    if (bytes[i] !== first || (by.length > 1 && !standsAt(bytes, i, by))) continue
    if (left === 0) return (from - start) * PACK + i - from
    left--
    from = i + by.length
    i = from - 1
  }
  return left === 0 ? (from - start) * PACK + end - from : -1
}

/** Code points `from` … `to` (0-based, exclusive; Infinity: to the end). */
export function codePointsBetween(bytes: Uint8Array, start: number, length: number, from: number, to: number): number {
  const end = start + length
  let at = start
  for (let skipped = 0; skipped < from && at < end; skipped++) at = nextPoint(bytes, at, end)
  const first = at
  if (to === Number.POSITIVE_INFINITY) return (first - start) * PACK + end - first
  for (let taken = from; taken < to && at < end; taken++) at = nextPoint(bytes, at, end)
  return (first - start) * PACK + at - first
}

function nextPoint(bytes: Uint8Array, at: number, end: number): number {
  let i = at + 1
  while (i < end && isContinuation(bytes[i]!)) i++
  return i
}

/** Without blanks at both ends. */
export function withoutBlanks(bytes: Uint8Array, start: number, length: number): number {
  let from = start
  let end = start + length
  while (from < end && bytes[from] === 32) from++
  while (end > from && bytes[end - 1] === 32) end--
  return (from - start) * PACK + end - from
}

/** Address of the text in lower (`upper` false) or upper case; its length is `scratch.lastLength`. */
export function inCase(scratch: Scratch, bytes: Uint8Array, start: number, length: number, upper: boolean): number {
  const address = scratch.take(length)
  const target = scratch.memory.bytes
  const [low, high] = upper ? [97, 122] : [65, 90]
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i]!
    if (byte > 127) {
      const text = textAt(bytes, start, length)
      return scratch.text(upper ? text.toUpperCase() : text.toLowerCase())
    }
    target[address + i] = byte >= low && byte <= high ? byte ^ 32 : byte
  }
  scratch.lastLength = length
  return address
}
