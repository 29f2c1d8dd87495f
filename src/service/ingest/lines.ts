import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'

/** A line of a body, or why there is none. */
export type Line = { readonly text: string } | { readonly fault: 'too_large' | 'not_utf8' }

const NEWLINE = 0x0a

/**
 * Lines of a body in the pieces in which it comes; blank ones are left out. A line over `limit` bytes is not kept: it
 * comes as a fault, and what follows it is read on.
 */
export async function* linesOf(body: Readable, limit: number): AsyncGenerator<readonly Line[]> {
  let rest: Buffer[] = []
  let restBytes = 0
  /** Inside a line that is too long. */
  let skipping = false
  // The socket stays: the answer goes over it.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const lines: Line[] = []
    let from = 0
    if (restBytes > 0 || skipping) {
      const end = chunk.indexOf(NEWLINE)
      const piece = end < 0 ? chunk : chunk.subarray(0, end)
      if (!skipping) {
        rest.push(piece)
        restBytes += piece.length
        if (restBytes > limit) {
          skipping = true
          rest = []
          restBytes = 0
          lines.push({ fault: 'too_large' })
        }
      }
      if (end < 0) {
        if (lines.length > 0) yield lines
        continue
      }
      if (!skipping) lines.push(...textLines(Buffer.concat(rest, restBytes), limit))
      skipping = false
      rest = []
      restBytes = 0
      from = end + 1
    }
    const last = chunk.lastIndexOf(NEWLINE)
    if (last >= from) {
      for (const line of textLines(chunk.subarray(from, last), limit)) lines.push(line)
      from = last + 1
    }
    if (from < chunk.length) {
      // A copy: the chunk may be one of a pool.
      rest.push(Buffer.from(chunk.subarray(from)))
      restBytes = chunk.length - from
    }
    if (lines.length > 0) yield lines
  }
  if (restBytes > 0) yield textLines(Buffer.concat(rest, restBytes), limit)
}

/** Whole lines, decoded at once where they are sound. */
function textLines(bytes: Buffer, limit: number): readonly Line[] {
  const text = bytes.toString('utf8')
  if (!isUtf8(bytes)) return soundLines(bytes, limit)
  const lines: Line[] = []
  for (const line of text.split('\n')) {
    if (line.length > limit) lines.push({ fault: 'too_large' })
    else if (!isBlankLine(line)) lines.push({ text: line })
  }
  return lines
}

const isBlankLine = (line: string): boolean => line === '' || (line.length < 100 && line.trim() === '')

function soundLines(bytes: Buffer, limit: number): readonly Line[] {
  const lines: Line[] = []
  for (let from = 0; from <= bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, from)
    const end = found < 0 ? bytes.length : found
    const line = bytes.subarray(from, end)
    if (line.length > limit) lines.push({ fault: 'too_large' })
    else if (!isUtf8(line)) lines.push({ fault: 'not_utf8' })
    else if (!isBlankLine(line.toString('utf8'))) lines.push({ text: line.toString('utf8') })
    from = end + 1
  }
  return lines
}
