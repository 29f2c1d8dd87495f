import { sinkOptions, sourceOptions } from '../../connectors/shared-options.ts'
import { choice, duration, integer, type ValuesOf } from '../../core/options.ts'

export const busOptions = {
  ...sourceOptions,
  ...sinkOptions,
  max_future_skew: duration(
    'Rows further ahead of the clock are quarantined; off (default, as the rows are of this process): none are.',
    { side: 'source', off: true },
  ),
  buffer: integer('Rows held for the slowest subscriber, rounded up to a power of two.', {
    default: 1024,
    min: 4,
    max: 1_048_576,
  }),
  slow: choice(['block', 'drop_slow', 'skip_for_slow'], 'What happens when a subscriber is too slow.', {
    default: 'block',
  }),
  slow_timeout: duration('How long a publisher waits for the slowest subscriber.', { default: 100 }),
  lag_warning: integer('Rows behind at which a subscriber counts as lagging.', { default: 1000, min: 1 }),
  subscribers_max: integer('Subscribers at once; 0: no limit.', { default: 64, min: 0 }),
} as const

export type BusOptions = ValuesOf<typeof busOptions>
