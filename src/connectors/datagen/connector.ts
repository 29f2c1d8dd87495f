import type { Connector, Discovered } from '../contract.ts'
import { generatorsOf } from './client.ts'
import { type DatagenOptions, datagenOptions } from './options.ts'
import { DatagenSource } from './source.ts'

export const datagen: Connector = {
  name: 'datagen',
  schemes: ['datagen'],
  summary: 'Rows made from a seed by the generator of each column.',
  options: datagenOptions,
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
  bounded: (options) => options['rows'] !== undefined,
  discover: async ({ options }): Promise<Discovered> => {
    const columns = [...generatorsOf(options as DatagenOptions)]
    return {
      columns: columns.map(([name, { type, nullable }]) => ({
        name,
        type,
        nullable,
        origin: 'catalogue',
        nullShare: 0,
        examples: [],
        confidence: 1,
      })),
      key: [],
      eventTimeCandidates: columns.filter(([, { type }]) => type.kind === 'timestamp').map(([name]) => name),
      rowsSeen: 0,
      bytesSeen: 0,
      warnings: [],
      format: undefined,
    }
  },
  openSource: async (context) => new DatagenSource(context),
}
