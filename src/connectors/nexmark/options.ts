import { choice, integer, timestamp, type ValuesOf } from '../../core/options.ts'
import { sourceOptions } from '../shared-options.ts'

const { batch_rows, max_records, event_time, watermark_delay, idle_timeout, max_future_skew, on_error } = sourceOptions

export const nexmarkOptions = {
  batch_rows,
  max_records,
  event_time,
  watermark_delay,
  idle_timeout,
  max_future_skew,
  on_error,
  events: integer('Number of events of all three kinds together; absent: endless.', { min: 0, side: 'source' }),
  rate: integer('Events per second of event time.', { default: 10_000, min: 1, side: 'source' }),
  seed: integer('32-bit seed.', { default: 0, min: 0, max: 4_294_967_295, side: 'source' }),
  start: timestamp('Event time of event 0.', { default: 1_436_918_400_000_000, side: 'source' }),
  partitions: integer('Number of splits.', { default: 1, min: 1, max: 1024, side: 'source' }),
  out_of_order: integer('Group size of the emission order; no common factor with 953.', {
    default: 1,
    min: 1,
    side: 'source',
  }),
  pace: choice(['max', 'event-time'], 'As fast as possible, or event p after p / rate seconds.', {
    default: 'max',
    side: 'source',
  }),
  active: integer('People who still take part.', { default: 1000, min: 1, side: 'source' }),
  in_flight: integer('Auctions that are still open.', { default: 100, min: 1, side: 'source' }),
  bidder_base: integer('Id offset of bidders.', { default: 1000, min: 0, side: 'source' }),
  project: choice(['true', 'false'], 'Build only the columns that are read.', { default: 'true', side: 'source' }),
} as const

export type NexmarkOptions = ValuesOf<typeof nexmarkOptions>
