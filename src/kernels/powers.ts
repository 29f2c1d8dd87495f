import type { WorkerMemory } from '../core/memory.ts'

/** Where asm/tables.ts expects the powers: 128-bit mantissas of 10^q for q = −342 … 324. */
const ADDRESS = 2560
const SMALLEST = -342
const LARGEST = 324

let table: BigUint64Array | undefined

/**
 * Mantissas of 10^q, normalised to 128 bits (high word first), rounded down; rounded up for q = −27 … −1, as the
 * algorithm of Eisel and Lemire wants them.
 */
function powers(): BigUint64Array {
  const words = new BigUint64Array((LARGEST - SMALLEST + 1) * 2)
  const put = (q: number, mantissa: bigint): void => {
    words[(q - SMALLEST) * 2] = mantissa >> 64n
    words[(q - SMALLEST) * 2 + 1] = mantissa & 0xffffffffffffffffn
  }
  let five = 1n
  for (let q = 0; q <= -SMALLEST; q++) {
    const bits = five === 1n ? 1 : bitLength(five)
    if (q <= LARGEST) put(q, bits <= 128 ? five << BigInt(128 - bits) : five >> BigInt(bits - 128))
    // 2^b / 5^q has 128 bits for b = bits + 127, as 5^q is no power of two
    if (q > 0) put(-q, (1n << BigInt(bits + 127)) / five + (q <= 27 ? 1n : 0n))
    five *= 5n
  }
  return words
}

const bitLength = (value: bigint): number => {
  const hex = value.toString(16)
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28
}

/** Writes the table to its place in the memory's first page. */
export function writePowers(memory: WorkerMemory): void {
  table ??= powers()
  new BigUint64Array(memory.buffer, ADDRESS, table.length).set(table)
}
