import type { Connector, Discovered } from '../../connectors/contract.ts'
import { namedStream } from '../named-streams.ts'
import { streamName } from './client.ts'
import { instanceOptions } from './options.ts'
import { InstanceSink } from './sink.ts'
import { InstanceSource } from './source.ts'

export const instance: Connector = {
  name: 'instance',
  schemes: ['instance'],
  summary: 'In-process streams that code pushes into; SQL reads them by their name alone.',
  options: instanceOptions,
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
  channel: (uri) => ({ name: `instance:${streamName(uri)}`, revises: false }),
  bounded: () => false,
  async discover(context): Promise<Discovered> {
    const { schema, source } = namedStream(context.shared, streamName(context.uri))
    const { eventTimeColumn } = source
    return {
      columns: schema.fields.map(({ name, type, nullable }) => ({
        name,
        type,
        nullable,
        origin: 'declared',
        nullShare: 0,
        examples: [],
        confidence: 1,
      })),
      key: [],
      eventTimeCandidates: eventTimeColumn === undefined ? [] : [eventTimeColumn],
      rowsSeen: 0,
      bytesSeen: 0,
      warnings: [],
      format: undefined,
    }
  },
  openSource: async (context) => new InstanceSource(context, namedStream(context.shared, streamName(context.uri))),
  openSink: async (context) => new InstanceSink(context),
}
