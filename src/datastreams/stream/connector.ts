import type { Connector, Discovered } from '../../connectors/contract.ts'
import { accountOf, knownStream, streamText } from './client.ts'
import { frameColumns } from './columns.ts'
import { type StreamOptions, streamOptions } from './options.ts'
import { StreamSink } from './sink.ts'
import { StreamSource } from './source.ts'

export const stream: Connector = {
  name: 'stream',
  schemes: ['stream', 'streams+https'],
  summary: 'Data streams: frames that a service stores, tells late from on time, and delivers live.',
  options: streamOptions,
  capabilities: {
    source: {
      resume: 'offset',
      retention: 'kept',
      order: 'total',
      changes: 'append',
      bounded: 'by-option',
      pushdown: 'columns',
    },
    sink: { delivery: 'transactional', stage: 'spool', ledger: 'epoch', accepts: 'append' },
  },
  bounded: (options) => (options as StreamOptions).exit_when_idle,
  eventTime: 'event_time',
  discover: async ({ uri, options }): Promise<Discovered> => {
    await knownStream(accountOf(uri, options as StreamOptions), streamText(uri))
    return {
      columns: frameColumns.fields.map((column) => ({
        ...column,
        origin: 'declared',
        nullShare: 0,
        examples: [],
        confidence: 1,
      })),
      key: [],
      eventTimeCandidates: ['event_time', 'observed_at', 'created_at'],
      rowsSeen: 0,
      bytesSeen: 0,
      warnings: [],
      format: undefined,
    }
  },
  probe: async ({ uri, options, clock }) => {
    const from = clock.elapsedMs()
    const { id } = await knownStream(accountOf(uri, options as StreamOptions), streamText(uri))
    return [{ name: 'stream', ok: true, detail: id, ms: clock.elapsedMs() - from }]
  },
  openSource: (context) => StreamSource.open(context),
  openSink: (context) => StreamSink.open(context),
}
