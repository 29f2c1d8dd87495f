/** Tests of bytes in place, called from generated loops. Addresses and lengths count bytes. */

export function sameSpan(
  a: Uint8Array,
  startA: number,
  lengthA: number,
  b: Uint8Array,
  startB: number,
  lengthB: number,
): boolean {
  if (lengthA !== lengthB) return false
  for (let i = 0; i < lengthA; i++) if (a[startA + i] !== b[startB + i]) return false
  return true
}

/** True when `text` stands at `start`; the caller has checked the length. */
export function standsAt(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false
  return true
}

/** True when `text` occurs in the span. */
export function occursIn(bytes: Uint8Array, start: number, length: number, text: Uint8Array): boolean {
  if (text.length === 0) return true
  const last = start + length - text.length
  const first = text[0]!
  for (let i = start; i <= last; i++) if (bytes[i] === first && standsAt(bytes, i, text)) return true
  return false
}

/** Order of two spans by byte, which is the order by code point. */
export function compareSpans(
  a: Uint8Array,
  startA: number,
  lengthA: number,
  b: Uint8Array,
  startB: number,
  lengthB: number,
): number {
  const length = Math.min(lengthA, lengthB)
  for (let i = 0; i < length; i++) {
    const difference = a[startA + i]! - b[startB + i]!
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}

/** Number of code points: bytes that do not continue one. */
export function codePointsIn(bytes: Uint8Array, start: number, length: number): number {
  let count = 0
  for (let i = start; i < start + length; i++) if ((bytes[i]! & 0xc0) !== 0x80) count++
  return count
}
