import { sinkOptions, sourceOptions } from '../../connectors/shared-options.ts'
import { duration, type ValuesOf } from '../../core/options.ts'

export const instanceOptions = {
  ...sourceOptions,
  ...sinkOptions,
  max_future_skew: duration(
    'Rows further ahead of the clock are quarantined; off (default, as the rows are of this process): none are.',
    { side: 'source', off: true },
  ),
} as const

export type InstanceOptions = ValuesOf<typeof instanceOptions>
