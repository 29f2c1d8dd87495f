import { sinkOptions, sourceOptions } from '../../connectors/shared-options.ts'
import { bool, duration, integer, list, secret, text, type ValuesOf } from '../../core/options.ts'

export const streamOptions = {
  ...sourceOptions,
  ...sinkOptions,
  token: secret('API key of the other service.'),
  tenant: text('Tenant of the other service.', { default: 'default' }),
  account: text('Account that owns the stream; by default the only one of the credential, or of this process.'),
  start: text('Where reading begins: earliest, latest, a sequence, a time, or a position (s1:…).', {
    default: 'earliest',
    side: 'source',
  }),
  exit_when_idle: bool('Ends when everything that is there has been read.', { default: false }),
  create: bool('A sink makes the stream when there is none of that name.', { default: false, side: 'sink' }),
  columns: list('Columns that are written; all by default.', { side: 'sink' }),
  observed_at: text('Column that is the observation time; the event time by default.', { side: 'sink' }),
  sla_ms: duration('Latency above which frames of a stream that is made here are late.', { default: 0, side: 'sink' }),
  batch: integer('Frames of one append, which has 1 MiB at most.', {
    default: 1000,
    min: 1,
    max: 10_000,
    side: 'sink',
  }),
} as const

export type StreamOptions = ValuesOf<typeof streamOptions>
