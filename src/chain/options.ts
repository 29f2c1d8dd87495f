import { sourceOptions } from '../connectors/shared-options.ts'
import { bool, choice, duration, integer, secret, text, type ValuesOf } from '../core/options.ts'

const { batch_rows, max_records, watermark_delay, idle_timeout, on_error, attempts, retry_then } = sourceOptions

export const chainOptions = {
  batch_rows,
  max_records,
  event_time: text('Column that is the event time; default `timestamp`, the time of the batch.', { side: 'source' }),
  watermark_delay,
  idle_timeout,
  max_future_skew: duration(
    'Rows further ahead of the clock are quarantined; off (default, as a row that is withdrawn must have come): none are.',
    { side: 'source', off: true },
  ),
  on_error,
  attempts,
  retry_then,
  rows: choice(['batch', 'block'], 'A row for each batch, or for each block of it.', {
    default: 'batch',
    side: 'source',
  }),
  from: text(
    'Where a first start begins: auto (the beginning), latest (a stored position, else an error), or the number of the batch before.',
    {
      default: 'auto',
      side: 'source',
    },
  ),
  max_batches: integer('Ends the source when it has read so many batches that stand; 0: never.', {
    default: 0,
    min: 0,
    side: 'source',
  }),
  exit_when_idle: bool('Ends the source when it has nothing new.', { default: false, side: 'source' }),
  poll_interval: duration('Pause before a source that had nothing is asked again.', {
    default: 2000,
    min: 1,
    side: 'source',
  }),
  validation: choice(['strict', 'basic', 'off'], 'Which rules a batch must keep.', {
    default: 'strict',
    side: 'source',
  }),
  continuity: bool('Numbers without holes, parents that fit, reorganisations followed.', {
    default: true,
    side: 'source',
  }),
  rollback_depth: integer(
    'Deepest reorganisation that is followed, in batches; 0: none, and the rows are appends instead of a changelog.',
    { default: 1000, min: 0, max: 1_000_000, side: 'source' },
  ),
  api_key: secret('Sent as a bearer token.', { side: 'source' }),
  timeout: duration('Per request, whole answer included; of a WebSocket for its handshake.', {
    default: 30_000,
    min: 1,
    side: 'source',
  }),
  max_retries: integer(
    'Tries after the first before an error reaches the pipeline, which goes back to its last checkpoint and tries again itself.',
    { default: 0, min: 0, max: 100, side: 'source' },
  ),
  retry_delay: duration('Before the second try; doubled each time up to 60 s.', { default: 1000, side: 'source' }),
  http_url: text('chain+ws: where batches that the subscription left out are asked for.', { side: 'source' }),
  extension: text('chain+file: extension of the files.', { default: 'json', side: 'source' }),
} as const

export type ChainOptions = ValuesOf<typeof chainOptions>
