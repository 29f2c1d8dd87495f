import { bool, choice, duration, integer, text, type ValuesOf } from '../../core/options.ts'
import { sinkOptions, sourceOptions } from '../shared-options.ts'

export const memoryOptions = {
  ...sourceOptions,
  ...sinkOptions,
  max_future_skew: duration(
    'Rows further ahead of the clock are quarantined; off (default, as the rows are of this process): none are.',
    { side: 'source', off: true },
  ),
  capacity: integer('Rows held, rounded up to a power of two.', { default: 2048, min: 4, max: 1_048_576 }),
  overflow: choice(['block', 'drop_oldest', 'drop_newest', 'reject'], 'What happens when it is full.', {
    default: 'block',
  }),
  retain: text('Rows kept for re-reading: a number or all.', { default: '0' }),
  create: bool('A sink makes the channel when it is absent.', { default: true, side: 'sink' }),
} as const

export type MemoryOptions = ValuesOf<typeof memoryOptions>
