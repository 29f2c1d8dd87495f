import { readSync } from 'node:fs'

const STEP_BYTES = 64 * 1024
const LF = 10

/** Where the last line of an open file begins that is not whole yet: its end when there is none. */
export function startOfLastLine(descriptor: number, size: number): number {
  const bytes = new Uint8Array(STEP_BYTES)
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - STEP_BYTES)
    const length = readSync(descriptor, bytes, 0, end - from, from)
    const feed = bytes.subarray(0, length).lastIndexOf(LF)
    if (feed >= 0) return from + feed + 1
    end = from
  }
  return 0
}
