import { Bus } from '../channels/bus.ts'
import { BroadcastError } from '../channels/errors.ts'
import { BusUnavailableError } from './errors.ts'
import type { Frame } from './frame.ts'

/** What the bus carries of a frame (streams-service.md §8), and what travels beside it. */
export interface FrameMessage {
  readonly topic: string
  /** `<stream>:<position>`: a target drops repeats by it. */
  readonly id: string
  readonly traceparent: string | undefined
  readonly body: {
    readonly stream_id: string
    readonly sequence: bigint
    readonly status: Frame['status']
    readonly latency_ms: number
    /** JSON text of an object: numbers as they were sent. */
    readonly payload: string
  }
}

export const topicOfStream = (streamId: string): string => `datastreams/${streamId}`

export const messageOf = (frame: Frame): FrameMessage => ({
  topic: topicOfStream(frame.streamId),
  id: `${frame.streamId}:${frame.position}`,
  traceparent: frame.traceparent,
  body: {
    stream_id: frame.streamId,
    sequence: frame.sequence,
    status: frame.status,
    latency_ms: frame.latencyMs,
    payload: frame.payload,
  },
})

/**
 * Where frames are published. `publish` resolves when the target has the message; a transient failure is tried again,
 * a permanent one five times.
 */
export interface FrameBus {
  /** False: nobody listens to the topic, so that publishing to it would change nothing. */
  heard(topic: string): boolean
  publish(message: FrameMessage): Promise<void>
  close?(): Promise<void>
}

/** Topics of this process. A topic without subscribers takes everything. */
export class InProcessBus implements FrameBus {
  readonly bus: Bus

  constructor(bus: Bus = new Bus()) {
    this.bus = bus
  }

  heard(topic: string): boolean {
    return this.bus.isHeard(topic)
  }

  async publish(message: FrameMessage): Promise<void> {
    await this.bus.publish(message.topic, message).catch(refused)
  }
}

/** A subscriber that is too slow is a bus that is not available now. */
export function refused(error: unknown): never {
  if (error instanceof BroadcastError && (error.kind === 'SlowSubscriberTimeout' || error.kind === 'BufferFull')) {
    throw new BusUnavailableError(error.message)
  }
  throw error
}
