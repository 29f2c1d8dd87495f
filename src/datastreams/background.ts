import type { Clock } from '../core/clock.ts'
import type { Monitors } from './monitors.ts'
import type { Outbox } from './outbox.ts'
import { keepCutting } from './retention.ts'
import type { Store } from './store.ts'
import type { Retention } from './stream.ts'

export interface Background {
  stop(): Promise<void>
}

/** Takes up the streams that are there, then runs what goes on by itself until it is stopped. */
export async function startBackground(form: {
  readonly store: Store
  readonly clock: Clock
  readonly monitors: Monitors
  readonly outbox: Outbox | undefined
  readonly retention: Retention
  readonly warn: (message: string, error: unknown) => void
}): Promise<Background> {
  const { store, clock, monitors, outbox, warn } = form
  for await (const stream of store.allStreams()) {
    const bounds = await store.bounds(stream.id)
    if (bounds === undefined) continue
    monitors.begin(stream, bounds)
    const { releasedPosition, publishedPosition } = bounds
    if (outbox !== undefined) outbox.release(stream.id, releasedPosition, publishedPosition)
    else if (publishedPosition < releasedPosition) await store.published(stream.id, releasedPosition)
  }
  const end = new AbortController()
  const { signal } = end
  const onError = (error: unknown): void => warn('retention failed', error)
  const running = [
    monitors.run(signal).catch((error: unknown) => warn('the check for missing frames ended', error)),
    keepCutting(store, form.retention, { clock, signal, onError }),
  ]
  return {
    async stop() {
      end.abort()
      await Promise.all(running)
    },
  }
}
