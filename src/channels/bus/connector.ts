import type { Connector } from '../../connectors/contract.ts'
import { topicName } from './client.ts'
import { busOptions } from './options.ts'
import { BusSink } from './sink.ts'
import { BusSource } from './source.ts'

export const bus: Connector = {
  name: 'bus',
  schemes: ['bus'],
  summary: 'In-process publish and subscribe: every subscriber gets every row published after it joined.',
  options: busOptions,
  capabilities: {
    source: {
      resume: 'none',
      retention: 'kept',
      order: 'total',
      changes: 'append',
      bounded: 'never',
      pushdown: 'columns',
    },
    sink: { delivery: 'at-most-once', stage: 'none', ledger: 'none', accepts: 'append' },
  },
  channel: (uri) => ({ name: `bus:${topicName(uri)}`, revises: false }),
  bounded: () => false,
  openSource: async (context) => new BusSource(context),
  openSink: async (context) => new BusSink(context),
}
