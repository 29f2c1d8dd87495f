import type { Clock } from '../core/clock.ts'
import type { Cursor } from '../core/ring.ts'
import { duration } from './capacity.ts'
import { StreamingError } from './errors.ts'

/** What `receive` gives within the limit (milliseconds, or a text such as `5s`); after them it rejects with `Timeout`, and nothing is taken. */
export async function within<T>(
  receive: (signal: AbortSignal) => Promise<T>,
  limit: number | string,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  const ms = duration('the time limit', limit)
  const late = new AbortController()
  const received = new AbortController()
  clock.sleep(ms, received.signal).then(() => {
    if (!received.signal.aborted) late.abort(new StreamingError('Timeout', { timeoutMs: ms }))
  })
  try {
    return await receive(signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]))
  } finally {
    received.abort()
  }
}

/** Everything a cursor gives until its ring has ended. */
export async function* drain<T>(cursor: Cursor<T>): AsyncGenerator<T, void, undefined> {
  for (;;) {
    if (cursor.pending > 0) {
      yield cursor.take() as T
      continue
    }
    if (cursor.disconnected) return
    let item: T
    try {
      item = await cursor.next()
    } catch (error) {
      if (error instanceof StreamingError && error.kind === 'Disconnected') return
      throw error
    }
    yield item
  }
}
