/** A 64-bit hash in two unsigned halves. */
export interface Hash64 {
  readonly high: number
  readonly low: number
}

/** Two 32-bit lanes of multiply and shift over the UTF-8 bytes; the same on every machine and in every version. */
export function hash64(text: string): Hash64 {
  const bytes = Buffer.from(text, 'utf8')
  let [a, b] = [0x9e3779b9 ^ bytes.length, 0x85ebca6b]
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x9e3779b1)
    b = Math.imul(b ^ byte, 0x5f356495)
    a ^= a >>> 15
    b ^= b >>> 13
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return { high: a >>> 0, low: b >>> 0 }
}
