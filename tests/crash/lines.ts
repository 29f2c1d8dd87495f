import type { Readable } from 'node:stream'

/** Calls back with every whole line of a stream. */
export function onLines(stream: Readable, take: (line: string) => void): void {
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop()!
    for (const part of parts) take(part)
  })
}
