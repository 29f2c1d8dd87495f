import type { SharedState } from '../../contract.ts'

/** What discovery has already taken off standard input; the reader gets it first. */
export interface StdinHead {
  readonly chunks: Uint8Array[]
  ended: boolean
}

export const stdinHead = (shared: SharedState): StdinHead => shared.get('stdin', () => ({ chunks: [], ended: false }))

/**
 * The first bytes of standard input: one chunk, more only when a record is longer than that. When `signal` aborts, it
 * throws its reason and lets go of standard input.
 */
export async function peekStdin(
  shared: SharedState,
  most: number,
  signal: AbortSignal | undefined,
): Promise<StdinHead> {
  const head = stdinHead(shared)
  if (head.chunks.length > 0 || head.ended) return head
  const input = process.stdin
  for (let length = 0; length < most; ) {
    const chunk = await nextChunk(input, signal)
    if (chunk === undefined) {
      head.ended = true
      break
    }
    head.chunks.push(chunk)
    length += chunk.length
    if (chunk.includes(10)) break
  }
  return head
}

/** Undefined at the end, also when that was seen before. */
function nextChunk(input: NodeJS.ReadStream, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  if (input.readableEnded) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      settle()
      input.destroy()
      reject(signal!.reason as Error)
    }
    const take = (): void => {
      const chunk = input.read() as Buffer | null
      if (chunk === null) return
      settle()
      resolve(chunk)
    }
    const end = (): void => {
      settle()
      resolve(undefined)
    }
    const fail = (error: Error): void => {
      settle()
      reject(error)
    }
    const settle = (): void => {
      input.off('readable', take)
      input.off('end', end)
      input.off('error', fail)
      signal?.removeEventListener('abort', stop)
    }
    if (signal?.aborted === true) {
      stop()
      return
    }
    signal?.addEventListener('abort', stop, { once: true })
    input.on('readable', take)
    input.once('end', end)
    input.once('error', fail)
    take()
  })
}
