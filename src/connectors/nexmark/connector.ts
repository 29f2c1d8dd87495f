import type { Connector, Discovered } from '../contract.ts'
import { tableOf } from './client.ts'
import { nexmarkOptions } from './options.ts'
import { tableSchema } from './parts/tables.ts'
import { NexmarkSource } from './source.ts'

export const nexmark: Connector = {
  name: 'nexmark',
  schemes: ['nexmark'],
  summary: 'Events of an online auction, generated from a seed.',
  options: nexmarkOptions,
  capabilities: {
    source: {
      resume: 'offset',
      retention: 'kept',
      order: 'split',
      changes: 'append',
      bounded: 'by-option',
      pushdown: 'columns',
    },
  },
  bounded: (options) => options['events'] !== undefined,
  discover: async ({ uri }): Promise<Discovered> => ({
    columns: tableSchema(tableOf(uri)).fields.map(({ name, type, nullable }) => ({
      name,
      type,
      nullable,
      origin: 'catalogue',
      nullShare: 0,
      examples: [],
      confidence: 1,
    })),
    key: [],
    eventTimeCandidates: ['dateTime'],
    rowsSeen: 0,
    bytesSeen: 0,
    warnings: [],
    format: undefined,
  }),
  openSource: async (context) => new NexmarkSource(context),
}
