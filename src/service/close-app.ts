import type { FastifyInstance } from 'fastify'
import type { Clock } from '../core/clock.ts'
import type { InFlight } from './http/in-flight.ts'

/** What has been written gets so long to arrive once all is answered. */
const LAST_BYTES_MS = 500

/**
 * Listens no more, waits for requests that run, and at last cuts the connections that are left: those on which nothing
 * was asked, and those that take nothing.
 */
export async function closeApp(
  app: FastifyInstance,
  inFlight: InFlight,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<void> {
  const done = new AbortController()
  const closed = app.close().then(() => done.abort())
  await Promise.race([inFlight.none(), clock.sleep(timeoutMs, done.signal)])
  await clock.sleep(Math.min(LAST_BYTES_MS, timeoutMs), done.signal)
  app.server.closeAllConnections()
  await closed
}
