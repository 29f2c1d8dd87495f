import { errorFamily, type FamilyError, kind } from '../core/error-family.ts'
import type { RingErrors } from '../core/ring.ts'

const streamingKinds = {
  ChannelFull: kind<{ capacity: number; value: unknown }>(
    'streaming_channel_full',
    ({ capacity }) => `the channel is full: it holds ${capacity} items`,
    ['value'],
  ),
  ChannelClosed: kind('streaming_channel_closed', () => 'the channel is closed'),
  Disconnected: kind('streaming_disconnected', () => 'the channel is closed and empty'),
  InvalidConfig: kind<{ details: string }>('streaming_invalid_config', ({ details }) => `invalid config: ${details}`),
  SchemaMismatch: kind<{ expected: string; actual: string }>(
    'streaming_schema_mismatch',
    ({ expected, actual }) => `schema mismatch: expected ${expected}, actual ${actual}`,
  ),
  Timeout: kind<{ timeoutMs: number }>('streaming_timeout', ({ timeoutMs }) => `nothing came within ${timeoutMs} ms`),
  Internal: kind<{ details: string }>('streaming_internal', ({ details }) => `internal error: ${details}`),
} as const

/** A channel, stream or subscription refused a call. `ChannelFull` carries the refused `value`. */
export const StreamingError = errorFamily('StreamingError', streamingKinds)
export type StreamingError = FamilyError<typeof streamingKinds>

/** What the ring of a channel or stream throws. */
export const ringErrors: RingErrors = {
  full: (capacity, value) => new StreamingError('ChannelFull', { capacity, value }),
  closed: () => new StreamingError('ChannelClosed'),
  disconnected: () => new StreamingError('Disconnected'),
}

const broadcastKinds = {
  SlowSubscriberTimeout: kind<{ subscriber: string; lag: number; timeoutMs: number }>(
    'broadcast_slow_subscriber_timeout',
    ({ subscriber, lag, timeoutMs }) => `subscriber "${subscriber}" is ${lag} items behind after ${timeoutMs} ms`,
  ),
  MaxSubscribersReached: kind<{ maximum: number }>(
    'broadcast_max_subscribers_reached',
    ({ maximum }) => `there are ${maximum} subscribers, the most allowed`,
  ),
  NoSubscribers: kind('broadcast_no_subscribers', () => 'nobody has subscribed'),
  SubscriberNotFound: kind<{ subscriber: string }>(
    'broadcast_subscriber_not_found',
    ({ subscriber }) => `there is no subscriber "${subscriber}"`,
  ),
  BufferFull: kind<{ capacity: number; value: unknown }>(
    'broadcast_buffer_full',
    ({ capacity }) => `the buffer is full: it holds ${capacity} items`,
    ['value'],
  ),
  Closed: kind('broadcast_closed', () => 'the broadcast is closed'),
} as const

/** A broadcast refused a call, or a subscriber was too slow for it. `BufferFull` carries the refused `value`. */
export const BroadcastError = errorFamily('BroadcastError', broadcastKinds)
export type BroadcastError = FamilyError<typeof broadcastKinds>
