import type { Connector } from '../contract.ts'
import { channelName, revisingChannels } from './client.ts'
import { memoryOptions } from './options.ts'
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
    sink: { delivery: 'transactional', stage: 'native', ledger: 'epoch', accepts: 'changelog' },
  },
  channel: (uri, shared) => {
    const name = channelName(uri)
    return { name, revises: revisingChannels(shared).has(name) }
  },
  bounded: () => false,
  openSource: async (context) => new MemorySource(context),
  openSink: async (context) => new MemorySink(context),
}
