import { HeadraceError } from '../../core/errors.ts'
import type { Connector, Discovered } from '../contract.ts'
import { channelName, channelOf, revisingChannels } from './client.ts'
import { type MemoryOptions, memoryOptions } from './options.ts'
import { MemorySink } from './sink.ts'
import { MemorySource } from './source.ts'

export const memory: Connector = {
  name: 'memory',
  schemes: ['memory', 'channel'],
  summary: 'In-process channels: rows of this instance by name.',
  options: memoryOptions,
  capabilities: {
    source: {
      resume: 'offset',
      retention: 'until-ack',
      order: 'total',
      changes: 'changelog',
      bounded: 'by-option',
      pushdown: 'columns',
    },
    sink: { delivery: 'transactional', stage: 'native', ledger: 'offsets', accepts: 'changelog' },
  },
  channel: (uri, shared) => {
    const name = channelName(uri)
    return { name, revises: revisingChannels(shared).has(name) }
  },
  bounded: () => false,
  discover: async ({ uri, shared, options }): Promise<Discovered> => {
    const name = channelName(uri)
    const { schema } = channelOf(shared, name, options as MemoryOptions)
    if (schema === undefined) {
      throw new HeadraceError('sql_schema_unknown', `the channel "${name}" has no columns yet`, {
        hint: `write to it first, or declare them: CREATE STREAM s (a STRING, …) FROM 'memory://${name}'`,
      })
    }
    return {
      columns: schema.fields.map((column) => ({
        ...column,
        origin: 'catalogue',
        nullShare: 0,
        examples: [],
        confidence: 1,
      })),
      key: [],
      eventTimeCandidates: schema.fields.filter(({ type }) => type.kind === 'timestamp').map((column) => column.name),
      rowsSeen: 0,
      bytesSeen: 0,
      warnings: [],
      format: undefined,
    }
  },
  openSource: async (context) => new MemorySource(context),
  // In this process: there is nothing to reach.
  probe: async () => [],
  openSink: async (context) => new MemorySink(context),
}
