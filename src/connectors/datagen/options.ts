import { entries, integer, timestamp, type ValuesOf } from '../../core/options.ts'
import { sourceOptions } from '../shared-options.ts'

const { batch_rows, max_records, event_time, watermark_delay, idle_timeout, max_future_skew, on_error } = sourceOptions

export const datagenOptions = {
  batch_rows,
  max_records,
  event_time,
  watermark_delay,
  idle_timeout,
  max_future_skew,
  on_error,
  field: entries('field.<column>: how the column is made, such as seq(1,1) or choice(a|b).', { side: 'source' }),
  rows: integer('Rows made; absent: endless.', { min: 0, side: 'source' }),
  rate: integer('Rows per second of wall time; absent: as fast as possible.', { min: 1, side: 'source' }),
  seed: integer('Seed.', { default: 0, min: 0, max: 4_294_967_295, side: 'source' }),
  start: timestamp('Event time of row 0.', { default: 1_436_918_400_000_000, side: 'source' }),
  step: integer('Event time between rows, milliseconds.', { default: 1, min: 0, side: 'source', aliases: ['step_ms'] }),
  out_of_order: integer('Group size of a fixed permutation of the rows; no common factor with 953.', {
    default: 1,
    min: 1,
    side: 'source',
  }),
  splits: integer('Number of splits.', { default: 1, min: 1, max: 1024, side: 'source' }),
} as const

export type DatagenOptions = ValuesOf<typeof datagenOptions>
