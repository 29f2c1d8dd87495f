import type { Clock } from '../core/clock.ts'
import { smaller } from './bigints.ts'
import type { Store } from './store.ts'
import type { Retention } from './stream.ts'

const EVERY_MS = 60_000

/** Cuts what streams keep too long, once: the oldest positions first, never what the bus has not got. */
export async function cutAll(store: Store, defaults: Retention, now: number): Promise<void> {
  for await (const { id, retention } of store.allStreams()) {
    const limits = limitsOf(retention, defaults)
    if (limits === undefined) continue
    const wanted = await store.retentionCut(id, limits, now)
    const bounds = await store.bounds(id)
    if (bounds === undefined) continue
    const position = smaller(wanted, bounds.publishedPosition)
    if (position > bounds.cutPosition) await store.cut(id, position)
  }
}

function limitsOf(own: Retention, defaults: Retention): Retention | undefined {
  const { maxAgeMs = defaults.maxAgeMs, maxFrames = defaults.maxFrames, maxBytes = defaults.maxBytes } = own
  const isNone = maxAgeMs === undefined && maxFrames === undefined && maxBytes === undefined
  return isNone ? undefined : { maxAgeMs, maxFrames, maxBytes }
}

/** The same every minute until the signal aborts. */
export async function keepCutting(
  store: Store,
  defaults: Retention,
  form: { readonly clock: Clock; readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): Promise<void> {
  const { clock, signal, onError } = form
  for (;;) {
    await clock.sleep(EVERY_MS, signal)
    if (signal.aborted) return
    const now = Math.floor(clock.nowMicros() / 1000)
    await cutAll(store, defaults, now).catch(onError)
    await store.maintain?.(now).catch(onError)
  }
}
