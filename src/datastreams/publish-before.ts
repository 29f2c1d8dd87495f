import { bump, type DomainCounters } from './counters.ts'
import { DatastreamsError } from './errors.ts'
import type { Frame } from './frame.ts'
import { type FrameBus, messageOf } from './frame-bus.ts'
import { isPermanent } from './outbox.ts'

/**
 * The direct mode of the bus: frames are published before they are stored. A bus that is not available is warned of and
 * the frames are stored all the same; any other failure is thrown, and nothing is.
 */
export const publishBefore =
  (
    bus: FrameBus,
    counters: DomainCounters,
    warn: (message: string, fields: Readonly<Record<string, unknown>>) => void,
  ): ((frames: readonly Frame[]) => Promise<void>) =>
  async (frames) => {
    for (const frame of frames) {
      try {
        await bus.publish(messageOf(frame))
        bump(counters.busPublished, 'ok')
      } catch (error) {
        const { message } = error as Error
        if (isPermanent(error)) throw new DatastreamsError('bus_error', `the bus refused a frame: ${message}`)
        bump(counters.busPublished, 'dropped')
        warn('the bus is not available', { stream_id: frame.streamId, error: message })
      }
    }
  }
