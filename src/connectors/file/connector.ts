import type { Connector } from '../contract.ts'
import { fileOptions } from './options.ts'
import { discoverFiles } from './parts/discover.ts'
import { probeFiles } from './parts/probe.ts'
import { fileSinkFacts } from './parts/sink-facts.ts'
import { openFileSink } from './sink.ts'
import { openFileSource } from './source.ts'

export const file: Connector = {
  name: 'file',
  schemes: ['file'],
  summary: 'Files of the local file system: globs, directories, gzip and zstd.',
  options: fileOptions,
  capabilities: {
    source: {
      resume: 'offset',
      retention: 'kept',
      order: 'split',
      changes: 'append',
      bounded: 'by-option',
      pushdown: 'columns',
      listed: true,
    },
    sink: { delivery: 'transactional', stage: 'native', ledger: 'epoch', accepts: 'append' },
  },
  bounded: (options) => options['watch'] !== true,
  sinkFacts: fileSinkFacts,
  discover: discoverFiles,
  probe: probeFiles,
  openSource: async (context) => openFileSource(context),
  openSink: (context) => openFileSink(context),
}
