const SURROGATE = /[\ud800-\udfff]/

/** True when code units are code points. */
export const isPlain = (text: string): boolean => !SURROGATE.test(text)

/** Number of code points. */
export function lengthOf(text: string): number {
  if (isPlain(text)) return text.length
  let count = 0
  for (const _ of text) count++
  return count
}

/** Code points `from` … `to` (0-based, exclusive). */
export const sliceOf = (text: string, from: number, to?: number): string =>
  isPlain(text) ? text.slice(from, to) : [...text].slice(from, to).join('')

/** 1-based position, in code points, of the code unit index `at`; 0 for −1. */
export const positionOf = (text: string, at: number): number => (at < 0 ? 0 : lengthOf(text.slice(0, at)) + 1)
