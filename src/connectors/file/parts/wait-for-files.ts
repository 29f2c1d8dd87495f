import type { Clock } from '../../../core/clock.ts'
import { HeadraceError } from '../../../core/errors.ts'

/**
 * What `list` gives; for `wait` ms it is asked again while it finds nothing. Undefined when `signal` aborts.
 */
export async function waitForFiles(
  list: () => string[],
  form: {
    readonly wait: number
    readonly retry_interval: number
    readonly clock: Clock
    readonly signal: AbortSignal | undefined
  },
): Promise<string[] | undefined> {
  const { wait, retry_interval, clock, signal } = form
  const started = clock.elapsedMs()
  for (;;) {
    try {
      return list()
    } catch (error) {
      const left = started + wait - clock.elapsedMs()
      if (!(error instanceof HeadraceError) || error.code !== 'connector_not_found' || left <= 0) throw error
      await clock.sleep(Math.min(retry_interval, left), signal)
      if (signal?.aborted === true) return undefined
    }
  }
}

/** Whether a file was last changed at least `minAge` ms ago. */
export const isOldEnough = (mtimeMs: number, minAge: number, clock: Clock): boolean =>
  minAge === 0 || clock.nowMicros() / 1000 - mtimeMs >= minAge
